// SPDX-License-Identifier: Apache-2.0
//
// The readers of single words: units, addresses, tags, filters. What is read is written so that it
// reads back as the same.
#include "tests/fuzz/fuzz.h"

#include "base/filter_spec.h"
#include "base/ip.h"
#include "base/tag.h"
#include "base/text.h"
#include "base/units.h"

static void check_unit(const char *text,
	struct vg_error *(*read)(const char *text, uint64_t *ret_value),
	char *(*write)(uint64_t value))
{
	uint64_t value = 0, again = 0;
	_auto(vg_error) struct vg_error *error = read(text, &value);
	if (error)
		return;
	_auto(vg_string) char *written = write(value);
	fuzz_must(!read(written, &again) && value == again && value <= INT64_MAX);
}

static void check_address(const char *text)
{
	struct vg_ip ip, ip_again;
	struct vg_mac mac, mac_again;
	char ip_text[VG_IP_LENGTH], mac_text[VG_MAC_LENGTH];
	_auto(vg_error) struct vg_error *no_ip = vg_ip_read(text, &ip);
	_auto(vg_error) struct vg_error *no_mac = vg_mac_read(text, &mac);
	if (!no_ip) {
		vg_ip_write(&ip, ip_text);
		fuzz_must(!vg_ip_read(ip_text, &ip_again) && vg_ip_equal(&ip, &ip_again));
	}
	if (!no_mac) {
		vg_mac_write(&mac, mac_text);
		fuzz_must(!vg_mac_read(mac_text, &mac_again));
		fuzz_must(memcmp(&mac, &mac_again, sizeof(mac)) == 0);
	}
}

static void check_block(const char *text)
{
	struct vg_cidr cidr, again;
	struct vg_ip ip;
	char written[VG_CIDR_LENGTH];
	_auto(vg_error) struct vg_error *error = vg_cidr_read(text, &cidr);
	if (error)
		return;
	vg_cidr_write(&cidr, written);
	fuzz_must(!vg_cidr_read(written, &again) && vg_cidr_overlap(&cidr, &again));
	fuzz_must(vg_cidr_room(&cidr) <= INT64_MAX);
	if (vg_cidr_address(&cidr, 2, &ip))
		fuzz_must(vg_cidr_contains(&cidr, &ip) && vg_cidr_number(&cidr, &ip) == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_auto(vg_string) char *text = fuzz_text(bytes, size);
	struct vg_tag tag;
	char name[VG_LINK_NAME_LENGTH];
	check_unit(text, vg_units_read_size, vg_units_write_size);
	check_unit(text, vg_units_read_rate, vg_units_write_rate);
	check_unit(text, vg_units_read_duration, vg_units_write_duration);
	check_address(text);
	check_block(text);
	if (vg_tag_read(text, &tag)) {
		_auto(vg_string) char *made = vg_tag_make(tag.store, tag.grid, tag.path);
		fuzz_must(strcmp(made, text) == 0);
		fuzz_must(vg_tag_is_of(text, tag.store, tag.grid));
	}
	vg_tag_link_name(text, name);
	fuzz_must(strlen(name) == VG_LINK_NAME_LENGTH - 1);
	_auto(vg_filter) struct vg_filter *filter = NULL;
	if (!strstr(text, "trace")) // which makes files
		vg_error_ignore(vg_filter_read(text, &filter));
	return 0;
}
