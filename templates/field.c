// SPDX-License-Identifier: Apache-2.0
#include "templates/field.h"

#include <inttypes.h>
#include <string.h>

#include "base/ip.h"
#include "base/regex.h"
#include "base/text.h"
#include "base/units.h"
#include "templates/endpoint.h"

enum { PATH_LENGTH_MAX = 255, DIGITS_MAX = 18 };

// One bit for each kind of value.
#define KIND(kind) (1u << VG_VALUE_##kind)

static const struct {
	const char *name, *pattern;
	unsigned kinds; // of values that the type takes
	bool is_number;
} types[] = {
	[VG_FIELD_MAP] = {"a map of fields", NULL, KIND(MAP), false},
	[VG_FIELD_MAP_OF] = {"a map", NULL, KIND(MAP), false},
	[VG_FIELD_LIST] = {"a list", NULL, KIND(LIST), false},
	[VG_FIELD_NICS] = {"a list of networks, or a map of them", NULL, KIND(LIST) | KIND(MAP),
		false},
	[VG_FIELD_ROLES] = {"a role, or a list of roles", NULL, KIND(LIST) | KIND(STRING), false},
	[VG_FIELD_NAME] = {"a name such as 'web-1'", "^[a-z][a-z0-9-]{0,30}$", KIND(STRING), false},
	[VG_FIELD_TEXT] = {"text", NULL, KIND(STRING), false},
	[VG_FIELD_SCALAR] = {"text, a number or a boolean", NULL,
		KIND(STRING) | KIND(INTEGER) | KIND(NUMBER) | KIND(BOOLEAN), false},
	[VG_FIELD_VARIABLE] = {"text or a number", NULL,
		KIND(STRING) | KIND(INTEGER) | KIND(NUMBER), false},
	[VG_FIELD_CHOICE] = {"one of a few words", NULL, KIND(STRING), false},
	[VG_FIELD_INTEGER] = {"a whole number", NULL, KIND(INTEGER), true},
	[VG_FIELD_CORES] = {"a number of cores such as 0.5", NULL, KIND(INTEGER) | KIND(NUMBER),
		true},
	[VG_FIELD_SIZE] = {"a size such as 256MiB", "^[0-9]{1,19}(KiB|MiB|GiB|TiB)$", KIND(STRING),
		true},
	[VG_FIELD_RATE] = {"a rate such as 100Mbit", "^[0-9]{1,19}(Kbit|Mbit|Gbit)$", KIND(STRING),
		true},
	[VG_FIELD_DURATION] = {"a duration such as 60s", "^[0-9]{1,19}(ms|s|m|h|d)$", KIND(STRING),
		true},
	[VG_FIELD_CIDR] = {"a block of addresses such as 10.9.0.0/24",
		"^[0-9A-Fa-f.:]+/[0-9]{1,3}$", KIND(STRING), false},
	[VG_FIELD_ADDRESS] = {"an address such as 10.9.0.10", "^[0-9A-Fa-f.:]+$", KIND(STRING),
		false},
	[VG_FIELD_PATH] = {"an absolute path such as /etc/motd",
		"^(?!.*\\$\\{)(/([^/.\\u0000-\\u001f\\u007f]|\\.[^/.\\u0000-\\u001f\\u007f]|"
		"\\.\\.[^/\\u0000-\\u001f\\u007f])[^/\\u0000-\\u001f\\u007f]*)+$",
		KIND(STRING), false},
	[VG_FIELD_FILE] = {"a path such as images/linux.qcow2",
		"^(?!.*\\$\\{)[^\\u0000-\\u001f\\u007f]+$", KIND(STRING), false},
	[VG_FIELD_MODE] = {"octal permissions in quotes, such as \"0644\"", "^[0-7]{3,4}$",
		KIND(STRING), true},
	[VG_FIELD_REGEX] = {"a POSIX extended regular expression", NULL, KIND(STRING), false},
	[VG_FIELD_SHA256] = {"64 hexadecimal digits", "^[0-9a-f]{64}$", KIND(STRING), false},
	[VG_FIELD_LABEL] = {"a label such as rack", "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
		KIND(STRING), false},
	[VG_FIELD_LIBVIRT] = {"a libvirt URI such as qemu+tls://h1/system",
		"^(fake:|qemu\\+(unix|ssh|tls)://[^\\s?]*/(system|session)(\\?.+)?)$", KIND(STRING),
		false},
	[VG_FIELD_OVSDB] = {"an OVSDB endpoint such as ssl:h1:6640",
		"^(unix:/|(tcp|ssl):.+:[0-9]{1,5}$)", KIND(STRING), false},
	[VG_FIELD_VNIS] = {"a range of VNIs such as 10000-19999", "^[0-9]{1,8}-[0-9]{1,8}$",
		KIND(STRING), false},
	[VG_FIELD_FACTOR] = {"a number such as 1.5", NULL, KIND(INTEGER) | KIND(NUMBER), true},
	[VG_FIELD_NOT_YET] = {"reserved", NULL, ~0u, false},
};

const char *vg_field_type_name(enum vg_field_type type)
{
	return types[type].name;
}

bool vg_field_takes(enum vg_field_type type, enum vg_value_kind kind)
{
	return types[type].kinds & 1u << kind;
}

bool vg_field_is_number(enum vg_field_type type)
{
	return types[type].is_number;
}

const char *vg_field_pattern(enum vg_field_type type)
{
	return types[type].pattern;
}

const char *vg_field_key_pattern(enum vg_field_keys keys)
{
	switch (keys) {
	case VG_KEYS_NAME:
		return types[VG_FIELD_NAME].pattern;
	case VG_KEYS_DISK:
		return "^(?!(root|seed)$)[a-z][a-z0-9-]{0,19}$";
	case VG_KEYS_VARIABLE:
		return "^[A-Za-z_][A-Za-z0-9_]{0,127}$";
	case VG_KEYS_PATH:
		return types[VG_FIELD_PATH].pattern;
	case VG_KEYS_LABEL:
		return "^(?!host$)[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$";
	}
	return NULL;
}

const struct vg_language *vg_field_language(const struct vg_field *row)
{
	const struct vg_language *site = &vg_site_language;
	bool is_of_site = row >= site->fields && row < site->fields + site->n_fields;
	return is_of_site ? site : &vg_template_language;
}

const struct vg_field *vg_language_find(const struct vg_language *language, const char *path)
{
	for (size_t i = 0; i < language->n_fields; i++) {
		if (strcmp(language->fields[i].path, path) == 0)
			return &language->fields[i];
	}
	return NULL;
}

const struct vg_field *vg_field_find(const char *path)
{
	return vg_language_find(&vg_template_language, path);
}

// Is `path` the row's path, a dot, and `key`?
static bool is_below(const struct vg_field *row, const char *path, const char *key)
{
	size_t length = strlen(row->path);
	if (strncmp(path, row->path, length) != 0)
		return false;
	path += length;
	if (length && *path++ != '.')
		return false;
	return strcmp(path, key) == 0;
}

const struct vg_field *vg_field_child(const struct vg_field *row, const char *key)
{
	if (row->type == VG_FIELD_LIST)
		key = "[]";
	else if (row->type == VG_FIELD_MAP_OF || row->type == VG_FIELD_NICS)
		key = "*";
	if (strcmp(row->path, "profiles.*.roles") == 0)
		return vg_field_find("roles.*");
	const struct vg_language *language = vg_field_language(row);
	for (size_t i = 0; key && i < language->n_fields; i++) {
		if (is_below(row, language->fields[i].path, key))
			return &language->fields[i];
	}
	return NULL;
}

size_t vg_field_keys(const struct vg_field *row, const struct vg_field **ret_rows, size_t room)
{
	const struct vg_language *language = vg_field_language(row);
	size_t n = 0;
	for (size_t i = 0; i < language->n_fields && n < room; i++) {
		const struct vg_field *other = &language->fields[i];
		if (*vg_field_key(other) && is_below(row, other->path, vg_field_key(other)))
			ret_rows[n++] = other;
	}
	return n;
}

const char *vg_field_key(const struct vg_field *row)
{
	const char *dot = strrchr(row->path, '.');
	return dot ? dot + 1 : row->path;
}

bool vg_field_has_quantum(const struct vg_field *row)
{
	size_t length = strlen(row->path);
	for (size_t i = 0; i < vg_n_fields; i++) {
		const struct vg_field *other = &vg_fields[i];
		if (other->is_quantum && strncmp(other->path, row->path, length) == 0 &&
			(other->path[length] == '\0' || other->path[length] == '.'))
			return true;
	}
	return false;
}

static struct vg_error *not_a(const struct vg_field *row, const char *text)
{
	return vg_error_of(
		VG_ERROR_USAGE, "'%.60s' is not %s", text, vg_field_type_name(row->type));
}

static struct vg_error *read_name(const char *text, size_t length_max)
{
	size_t length = strlen(text);
	bool is_right = *text >= 'a' && *text <= 'z' && length <= length_max &&
			strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
	if (is_right)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return vg_error_hint(vg_error_of(VG_ERROR_USAGE,
						     "'%.60s' is no name: its character %zu is "
						     "none of a to z",
						     text, i + 1),
				"a name has small letters from a to z, digits and '-' alone");
	}
	return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "'%.60s' is no name", text),
		"a name begins with a small letter and has small letters, digits and '-', at most "
		"%zu characters",
		length_max);
}

static struct vg_error *out_of_range(const struct vg_field *row, const char *text, bool is_small)
{
	if (strcmp(row->path, "vgrid") == 0)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE,
					     "'%.60s' is no version of the language that this "
					     "vgrid knows",
					     text),
			"it knows version 1");
	_auto(vg_string) char *least = vg_field_write(row, row->min);
	_auto(vg_string) char *most = vg_field_write(row, row->max);
	struct vg_error *error = vg_error_of(
		VG_ERROR_USAGE, "'%.60s' is too %s", text, is_small ? "small" : "large");
	if (row->max)
		return vg_error_hint(error, "from %s to %s", least, most);
	if (is_small)
		return vg_error_hint(error, "at least %s", least);
	return vg_error_hint(error, "at most %d digits", DIGITS_MAX);
}

static struct vg_error *read_integer(
	const struct vg_field *row, const char *text, uint64_t *ret_number)
{
	bool is_negative = *text == '-' && text[1];
	const char *number = text + is_negative;
	size_t digits = strspn(number, "0123456789");
	if (!digits || number[digits])
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.60s' is not a whole number", text),
			"decimal digits alone, as in 4");
	if (is_negative || digits > DIGITS_MAX)
		return out_of_range(row, text, is_negative);
	if (*text == '0' && digits > 1)
		return vg_error_of(
			VG_ERROR_USAGE, "'%.60s' has a leading zero: octal or decimal?", text);
	*ret_number = strtoull(text, NULL, 10);
	return NULL;
}

static struct vg_error *read_cores(
	const struct vg_field *row, const char *text, uint64_t *ret_number)
{
	size_t whole = strspn(text, "0123456789");
	const char *fraction = text[whole] == '.' ? text + whole + 1 : "";
	size_t decimals = strspn(fraction, "0123456789");
	bool is_right = whole && whole <= 9 && decimals <= 3 && fraction[decimals] == '\0' &&
			(text[whole] == '\0' || decimals);
	if (!is_right)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.60s' is not a number%s", text,
				row->type == VG_FIELD_CORES ? " of cores" : ""),
			"a number with at most three decimals, as in 0.5");
	uint64_t number = strtoull(text, NULL, 10);
	for (size_t i = 0; i < 3; i++)
		number = number * 10 + (i < decimals ? (uint64_t)(fraction[i] - '0') : 0);
	*ret_number = number;
	return NULL;
}

// Absolute and normalised, and not the root folder itself.
static struct vg_error *read_path(const char *text)
{
	bool is_right = *text == '/' && text[1] && !vg_text_ends(text, "/") &&
			!strstr(text, "//") && !strstr(text, "/./") && !strstr(text, "/../") &&
			!vg_text_ends(text, "/.") && !vg_text_ends(text, "/..");
	bool has_reference = strstr(text, "${") != NULL, is_long = strlen(text) > PATH_LENGTH_MAX;
	for (const char *c = text; *c; c++)
		is_right = is_right && (unsigned char)*c >= 0x20 && *c != 0x7f;
	if (is_right && !has_reference && !is_long)
		return NULL;
	struct vg_error *error = vg_error_of(VG_ERROR_USAGE, "'%.60s' is no path of a guest", text);
	if (has_reference)
		return vg_error_hint(error, "no reference can stand here");
	if (is_long)
		return vg_error_hint(error, "at most %d bytes", PATH_LENGTH_MAX);
	return vg_error_hint(error, "an absolute path without '..', as in /etc/motd");
}

static struct vg_error *read_file(const char *text)
{
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return vg_error_of(VG_ERROR_USAGE, "a path has a control character");
	}
	if (!*text)
		return vg_error_of(VG_ERROR_USAGE, "the path is empty");
	if (strstr(text, "${"))
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.60s' is no path of a file", text),
			"no reference can stand here");
	return NULL;
}

static bool is_of(const char *text, const char *characters, size_t least, size_t most)
{
	size_t length = strlen(text);
	return length >= least && length <= most && strspn(text, characters) == length;
}

static struct vg_error *read_choice(const struct vg_field *row, const char *text)
{
	size_t n_words = 0;
	for (; row->words[n_words]; n_words++) {
		if (strcmp(row->words[n_words], text) == 0)
			return NULL;
	}
	struct vg_error *error = vg_error_of(VG_ERROR_USAGE, "'%.60s' is none of its words", text);
	const char *near = vg_text_nearest(text, row->words, n_words);
	if (near)
		return vg_error_hint(error, "did you mean '%s'?", near);
	_auto(vg_text) struct vg_text list = {0};
	for (size_t i = 0; i < n_words; i++)
		vg_text_addf(&list, "%s%s", i ? ", " : "", row->words[i]);
	return vg_error_hint(error, "one of: %s", list.bytes);
}

static struct vg_error *read_sha256(const struct vg_field *row, const char *text)
{
	if (is_of(text, "0123456789abcdef", 64, 64))
		return NULL;
	return vg_error_hint(not_a(row, text), "as sha256sum prints them, in small letters");
}

static struct vg_error *read_mode(
	const struct vg_field *row, const char *text, uint64_t *ret_number)
{
	if (!is_of(text, "01234567", 3, 4))
		return not_a(row, text);
	*ret_number = strtoull(text, NULL, 8);
	return NULL;
}

void vg_field_read_vnis(const char *text, uint32_t *ret_first, uint32_t *ret_last)
{
	*ret_first = (uint32_t)strtoul(text, NULL, 10);
	*ret_last = (uint32_t)strtoul(strchr(text, '-') + 1, NULL, 10);
}

// VNIs have 24 bits (RFC 7348, section 4); 0 is left out.
static struct vg_error *read_vnis(const struct vg_field *row, const char *text)
{
	size_t digits = strspn(text, "0123456789");
	size_t more = text[digits] == '-' ? strspn(text + digits + 1, "0123456789") : 0;
	uint32_t first, last;
	if (!digits || digits > 8 || !more || more > 8 || text[digits + 1 + more])
		return vg_error_hint(not_a(row, text), "both ends with a '-' between");
	vg_field_read_vnis(text, &first, &last);
	if (first < 1 || last > 0xffffff)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "'%.60s' is out of range", text),
			"VNIs are 1 to 16777215");
	if (first > last)
		return vg_error_of(VG_ERROR_USAGE, "'%.60s' ends before it begins", text);
	return NULL;
}

static struct vg_error *read_label(const struct vg_field *row, const char *text)
{
	static const char characters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	if (is_of(text, characters, 1, 63) && !strchr("_.-", *text))
		return NULL;
	return not_a(row, text);
}

static struct vg_error *check_range(const struct vg_field *row, const char *text, uint64_t number)
{
	if (number >= row->min && (!row->max || number <= row->max))
		return NULL;
	return out_of_range(row, text, number < row->min);
}

static struct vg_error *read_regex(const char *text)
{
	_auto(vg_regex) struct vg_regex *regex = NULL;
	return vg_regex_make(text, &regex);
}

struct vg_error *vg_field_read(const struct vg_field *row, const char *text, uint64_t *ret_number)
{
	struct vg_cidr cidr;
	struct vg_ip ip;
	enum vg_libvirt_transport libvirt;
	enum vg_ovsdb_transport ovsdb;
	struct vg_error *error = NULL;
	*ret_number = 0;
	bool is_text = row->type == VG_FIELD_TEXT || row->type == VG_FIELD_REGEX;
	if (is_text && row->min && !*text)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "the text is empty"),
			"for example %s", row->example);
	switch (row->type) {
	case VG_FIELD_NAME:
		return read_name(text, 31);
	case VG_FIELD_CHOICE:
		return read_choice(row, text);
	case VG_FIELD_INTEGER:
		error = read_integer(row, text, ret_number);
		break;
	case VG_FIELD_CORES:
	case VG_FIELD_FACTOR:
		error = read_cores(row, text, ret_number);
		break;
	case VG_FIELD_SIZE:
		error = vg_units_read_size(text, ret_number);
		break;
	case VG_FIELD_RATE:
		error = vg_units_read_rate(text, ret_number);
		break;
	case VG_FIELD_DURATION:
		error = vg_units_read_duration(text, ret_number);
		break;
	case VG_FIELD_CIDR:
		return vg_cidr_read(text, &cidr);
	case VG_FIELD_ADDRESS:
		return vg_ip_read(text, &ip);
	case VG_FIELD_PATH:
		return read_path(text);
	case VG_FIELD_FILE:
		return read_file(text);
	case VG_FIELD_MODE:
		return read_mode(row, text, ret_number);
	case VG_FIELD_REGEX:
		return read_regex(text);
	case VG_FIELD_SHA256:
		return read_sha256(row, text);
	case VG_FIELD_LABEL:
		return read_label(row, text);
	case VG_FIELD_LIBVIRT:
		return vg_libvirt_uri_read(text, &libvirt);
	case VG_FIELD_OVSDB:
		return vg_ovsdb_endpoint_read(text, &ovsdb);
	case VG_FIELD_VNIS:
		return read_vnis(row, text);
	case VG_FIELD_TEXT:
	case VG_FIELD_SCALAR:
	case VG_FIELD_VARIABLE:
	case VG_FIELD_MAP:
	case VG_FIELD_MAP_OF:
	case VG_FIELD_LIST:
	case VG_FIELD_NICS:
	case VG_FIELD_ROLES:
	case VG_FIELD_NOT_YET:
		return NULL;
	}
	return error ? error : check_range(row, text, *ret_number);
}

struct vg_error *vg_field_read_key(enum vg_field_keys keys, const char *key)
{
	static const struct vg_field label = {.path = "", .type = VG_FIELD_LABEL};
	switch (keys) {
	case VG_KEYS_NAME:
		return read_name(key, 31);
	case VG_KEYS_DISK:
		if (strcmp(key, "root") == 0 || strcmp(key, "seed") == 0)
			return vg_error_of(
				VG_ERROR_USAGE, "'%s' is a disk that every node has already", key);
		return read_name(key, 20);
	case VG_KEYS_VARIABLE:
		if (is_of(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789", 1,
			    128) &&
			!strchr("0123456789", *key))
			return NULL;
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.60s' is no name of a variable", key),
			"letters, digits and '_', not a digit first");
	case VG_KEYS_PATH:
		return read_path(key);
	case VG_KEYS_LABEL:
		if (strcmp(key, "host") == 0)
			return vg_error_of(VG_ERROR_USAGE, "every host has the label 'host': its name");
		return read_label(&label, key);
	}
	return NULL;
}

char *vg_field_write(const struct vg_field *row, uint64_t number)
{
	if (row->type == VG_FIELD_SIZE)
		return vg_units_write_size(number);
	if (row->type == VG_FIELD_RATE)
		return vg_units_write_rate(number);
	if (row->type == VG_FIELD_DURATION)
		return vg_units_write_duration(number);
	if (row->type == VG_FIELD_MODE)
		return vg_format("%04" PRIo64, number);
	if (row->type == VG_FIELD_CORES || row->type == VG_FIELD_FACTOR)
		return vg_format("%g", (double)number / 1000);
	return vg_format("%" PRIu64, number);
}
