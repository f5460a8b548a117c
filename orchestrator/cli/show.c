// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/show.h"

#include <time.h>

#include "base/memory.h"
#include "orchestrator/site.h"

char *vg_show_age(uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = {{24 * 60 * 60, "d"}, {60 * 60, "h"}, {60, "m"}};
	for (size_t i = 0; i < VG_LENGTH(units); i++) {
		if (seconds >= 2 * units[i].seconds || (i && seconds >= units[i].seconds))
			return vg_format("%llu%s", (unsigned long long)(seconds / units[i].seconds),
				units[i].unit);
	}
	return vg_format("%llus", (unsigned long long)seconds);
}

char *vg_show_size(uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1024 && unit + 1 < VG_LENGTH(units); unit++)
		value /= 1024;
	return vg_format(value < 10 && unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

char *vg_show_moment(uint64_t seconds)
{
	time_t moment = (time_t)seconds;
	struct tm parts;
	char text[32];
	if (!seconds || !gmtime_r(&moment, &parts))
		return NULL;
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return vg_strdup(text);
}

struct vg_error *vg_show_enter(struct vg_context *context)
{
	_auto(vg_site) struct vg_site *site = NULL;
	struct vg_error *error = vg_site_read("sandbox", &site);
	if (!error)
		error = vg_site_enter(site, context);
	return error ? error : vg_context_store(context);
}
