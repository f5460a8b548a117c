// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <inttypes.h>
#include <strings.h>
#include <string.h>

#include "base/text.h"

struct unit {
	const char *name;
	uint64_t factor;
	const char *wrong[4]; // spellings that probably mean this one
};

static const struct unit size_units[] = {
	{"KiB", UINT64_C(1) << 10, {"K", "KB", "kB"}},
	{"MiB", UINT64_C(1) << 20, {"M", "MB"}},
	{"GiB", UINT64_C(1) << 30, {"G", "GB"}},
	{"TiB", UINT64_C(1) << 40, {"T", "TB"}},
	{NULL, 0, {NULL}},
};

static const struct unit rate_units[] = {
	{"Kbit", 1000, {"K", "Kbps", "Kb", "Kbit/s"}},
	{"Mbit", 1000 * 1000, {"M", "Mbps", "Mb", "Mbit/s"}},
	{"Gbit", 1000 * 1000 * 1000, {"G", "Gbps", "Gb", "Gbit/s"}},
	{NULL, 0, {NULL}},
};

static const struct unit duration_units[] = {
	{"ms", 1, {"msec", "millis"}},
	{"s", 1000, {"sec", "secs", "seconds"}},
	{"m", 60 * 1000, {"min", "mins", "minutes"}},
	{"h", 60 * 60 * 1000, {"hr", "hour", "hours"}},
	{"d", 24 * 60 * 60 * 1000, {"day", "days"}},
	{NULL, 0, {NULL}},
};

static const char *meant(const struct unit *units, const char *wrong)
{
	for (const struct unit *unit = units; unit->name; unit++) {
		if (strcasecmp(unit->name, wrong) == 0)
			return unit->name;
		for (size_t k = 0; k < VG_LENGTH(unit->wrong) && unit->wrong[k]; k++) {
			if (strcasecmp(unit->wrong[k], wrong) == 0)
				return unit->name;
		}
	}
	return NULL;
}

static struct vg_error *read_unit(const struct unit *units, const char *what, const char *example,
	const char *text, uint64_t *ret_value)
{
	size_t digits = strspn(text, "0123456789");
	const char *tail = text + digits;
	if (!digits || *tail == '.')
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "'%.60s' is not a %s", text, what),
			"a whole number and a unit, as in '%s'", example);
	// Of more digits strtoull() makes the largest number there is.
	uint64_t number = strtoull(text, NULL, 10);
	for (const struct unit *unit = units; unit->name; unit++) {
		if (strcmp(unit->name, tail) != 0)
			continue;
		uint64_t value;
		if (__builtin_mul_overflow(number, unit->factor, &value) || value > INT64_MAX)
			return vg_error_of(VG_ERROR_USAGE, "'%.60s' is too large", text);
		*ret_value = value;
		return NULL;
	}
	const char *right = meant(units, tail + strspn(tail, " "));
	struct vg_error *error =
		*tail ? vg_error_of(VG_ERROR_USAGE, "'%.60s' has an unknown unit", text)
		      : vg_error_of(VG_ERROR_USAGE, "'%.60s' has no unit", text);
	if (right)
		return vg_error_hint(error, "did you mean '%" PRIu64 "%s'?", number, right);
	return vg_error_hint(error, "a %s is written as in '%s'", what, example);
}

struct vg_error *vg_units_read_size(const char *text, uint64_t *ret_bytes)
{
	return read_unit(size_units, "size", "256MiB", text, ret_bytes);
}

struct vg_error *vg_units_read_rate(const char *text, uint64_t *ret_bits_per_second)
{
	return read_unit(rate_units, "rate", "100Mbit", text, ret_bits_per_second);
}

struct vg_error *vg_units_read_duration(const char *text, uint64_t *ret_milliseconds)
{
	return read_unit(duration_units, "duration", "30s", text, ret_milliseconds);
}

static char *write_unit(const struct unit *units, uint64_t value)
{
	const struct unit *best = units;
	for (const struct unit *unit = units; unit->name; unit++) {
		if (value && value % unit->factor == 0)
			best = unit;
	}
	return vg_format("%" PRIu64 "%s", value / best->factor, best->name);
}

char *vg_units_write_size(uint64_t bytes)
{
	return write_unit(size_units, bytes);
}

char *vg_units_write_rate(uint64_t bits_per_second)
{
	return write_unit(rate_units, bits_per_second);
}

char *vg_units_write_duration(uint64_t milliseconds)
{
	return write_unit(duration_units, milliseconds);
}
