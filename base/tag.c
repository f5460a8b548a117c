// SPDX-License-Identifier: Apache-2.0
#include "base/tag.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

static const char mark[] = "vgrid:";

char *vg_tag_make(const char *store, const char *grid, const char *path)
{
	return vg_format("%s%s:%s/%s", mark, store, grid ? grid : "site", path);
}

// Copies up to `end` into a field of 37 bytes; false if it is empty or does not fit.
static bool take(char field[37], const char *from, const char *end)
{
	size_t length = end ? (size_t)(end - from) : 0;
	if (length == 0 || length > 36)
		return false;
	memcpy(field, from, length);
	field[length] = '\0';
	return true;
}

bool vg_tag_read(const char *text, struct vg_tag *ret_tag)
{
	struct vg_tag tag;
	if (!text || !vg_text_starts(text, mark) || strlen(text) > VG_TAG_LENGTH_MAX)
		return false;
	const char *store = text + strlen(mark);
	const char *colon = strchr(store, ':');
	const char *slash = colon ? strchr(colon, '/') : NULL;
	if (!slash || !take(tag.store, store, colon) || !take(tag.grid, colon + 1, slash))
		return false;
	tag.path = slash + 1;
	*ret_tag = tag;
	return true;
}

bool vg_tag_is_of(const char *text, const char *store, const char *grid)
{
	struct vg_tag tag;
	return vg_tag_read(text, &tag) && strcmp(tag.store, store) == 0 &&
	       (!grid || strcmp(tag.grid, grid) == 0);
}

// The first bits of a SHA-256, from its hexadecimal form.
static uint64_t hash(const char *text)
{
	char hex[VG_SHA256_HEX];
	vg_sha256_hex(text, strlen(text), hex);
	hex[16] = '\0';
	return strtoull(hex, NULL, 16);
}

void vg_tag_link_name(const char *tag, char ret_name[VG_LINK_NAME_LENGTH])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648, lower case
	uint64_t bits = hash(tag);
	ret_name[0] = 'v';
	ret_name[1] = 'g';
	for (int i = 2; i < VG_LINK_NAME_LENGTH - 1; i++, bits >>= 5)
		ret_name[i] = digits[bits & 31];
	ret_name[VG_LINK_NAME_LENGTH - 1] = '\0';
}

uint32_t vg_tag_link_group(const char *store, const char *grid)
{
	_auto(vg_string) char *tag = vg_tag_make(store, grid, "");
	uint32_t group = (uint32_t)hash(tag);
	return group ? group : 1;
}
