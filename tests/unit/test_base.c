// SPDX-License-Identifier: Apache-2.0
//
// Claims about base/: errors, text, units, maps, JSON, files, addresses, keys.
#include "tests/unit/test.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/finding.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/map.h"
#include "base/process.h"
#include "base/text.h"
#include "base/units.h"

static void an_error_reads_from_the_outside_in_with_the_innermost_place(void **state)
{
	(void)state;
	struct vg_place nic = {"mpi.yaml", 14, 5}, role = {"mpi.yaml", 9, 1};
	_auto(vg_error) struct vg_error *error = vg_error_at(nic, "VNI %d is taken", 77);
	error = vg_error_while(error, "building network '%s'", "lan");
	error = vg_error_place(error, role);
	assert_string_equal(
		vg_error_text(error), "mpi.yaml:14:5: building network 'lan': VNI 77 is taken");
	assert_null(vg_error_while(NULL, "nothing"));
}

static void a_unit_nearly_right_is_answered_with_the_right_one(void **state)
{
	(void)state;
	static const struct {
		const char *text, *hint;
	} cases[] = {{"256MB", "did you mean '256MiB'?"}, {"1g", "did you mean '1GiB'?"},
		{"12", "a size is written as in '256MiB'"},
		{"-1MiB", "a whole number and a unit, as in '256MiB'"}};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		uint64_t bytes;
		_auto(vg_error) struct vg_error *error = vg_units_read_size(cases[i].text, &bytes);
		assert_non_null(error);
		assert_string_equal(vg_error_remedy(error), cases[i].hint);
	}
	uint64_t bytes;
	assert_null(vg_units_read_size("1536MiB", &bytes));
	_auto(vg_string) char *text = vg_units_write_size(bytes);
	assert_string_equal(text, "1536MiB");
	_auto(vg_error) struct vg_error *error =
		vg_units_read_size("9223372036854775807TiB", &bytes);
	assert_non_null(error);
}

static void a_near_name_is_found_and_a_far_one_is_not(void **state)
{
	(void)state;
	static const char *const names[] = {"memory", "image", "cpu", "nics"};
	assert_string_equal(vg_text_nearest("memroy", names, VG_LENGTH(names)), "memory");
	assert_string_equal(vg_text_nearest("nic", names, VG_LENGTH(names)), "nics");
	assert_null(vg_text_nearest("banana", names, VG_LENGTH(names)));
}

static void a_map_keeps_ten_thousand_names_in_order(void **state)
{
	(void)state;
	_auto(vg_map) struct vg_map *map = vg_map_new();
	for (size_t i = 0; i < 10000; i++) {
		_auto(vg_string) char *key = vg_format("worker-%zu", i);
		assert_null(vg_map_set(map, key, (void *)(i + 1)));
	}
	assert_ptr_equal(vg_map_get(map, "worker-77"), (void *)78);
	assert_string_equal(vg_map_key_at(map, 9999), "worker-9999");
	assert_false(vg_map_has(map, "worker-10000"));
}

static void canonical_json_sorts_its_keys(void **state)
{
	(void)state;
	static const char text[] = "{\"b\": [1, {\"z\": null, \"a\": \"\\u00e9/\"}], \"a\": true}";
	_auto(vg_json) struct vg_json *json = NULL;
	assert_null(vg_json_read(text, strlen(text), &json));
	_auto(vg_string) char *canonical = vg_json_write_canonical(json);
	assert_string_equal(canonical, "{\"a\":true,\"b\":[1,{\"a\":\"é/\",\"z\":null}]}");
	// Whatever a text holds, it is written as json-c writes it.
	static const char *const texts[] = {
		"", "plain text", "a\"b", "\\", "/", "\n\t\x01", "\x7f", "ü€😀"};
	for (size_t i = 0; i < VG_LENGTH(texts); i++) {
		_auto(vg_json) struct vg_json *object = vg_json_object();
		vg_json_set_string(object, texts[i], texts[i]);
		_auto(vg_string) char *one = vg_json_write(object);
		_auto(vg_string) char *other = vg_json_write_canonical(object);
		assert_string_equal(one, other);
	}
}

static void broken_json_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {"", "{", "{} x", "{\"a\":1,}", "nul", "\xff", "[1,]"};
	_auto(vg_json) struct vg_json *object = NULL;
	assert_null(vg_json_read("{\"a\": 1}", 8, &object));
	assert_null(vg_json_at(object, 0)); // it has an entry, but is no list
	assert_null(vg_json_at(NULL, 0));
	_auto(vg_json) struct vg_json *none = NULL;
	_auto(vg_error) struct vg_error *trailing = vg_json_read("{}\0", 3, &none);
	assert_non_null(trailing);
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		_auto(vg_json) struct vg_json *json = NULL;
		_auto(vg_error) struct vg_error *error =
			vg_json_read(cases[i], strlen(cases[i]), &json);
		assert_non_null(error);
	}
}

static void a_block_of_addresses_numbers_them_and_keeps_the_gateway(void **state)
{
	(void)state;
	struct vg_cidr cidr;
	struct vg_ip ip;
	char text[VG_IP_LENGTH];
	assert_null(vg_cidr_read("10.9.0.0/29", &cidr));
	assert_int_equal(vg_cidr_room(&cidr), 5);
	assert_true(vg_cidr_address(&cidr, 2, &ip));
	vg_ip_write(&ip, text);
	assert_string_equal(text, "10.9.0.2");
	assert_int_equal(vg_cidr_number(&cidr, &ip), 2);
	assert_false(vg_cidr_address(&cidr, 8, &ip));
	assert_null(vg_cidr_read("fd00:9::/64", &cidr));
	assert_true(vg_cidr_address(&cidr, 65536, &ip));
	vg_ip_write(&ip, text);
	assert_string_equal(text, "fd00:9::1:0");
	_auto(vg_error) struct vg_error *error = vg_cidr_read("10.9.0.1/24", &cidr);
	assert_string_equal(vg_error_remedy(error), "did you mean '10.9.0.0/24'?");
}

static void a_file_is_written_whole_or_not_at_all(void **state)
{
	(void)state;
	char folder[] = "/tmp/vgrid-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	_auto(vg_string) char *path = vg_format("%s/a/b/record.json", folder);
	_auto(vg_string) char *parent = vg_format("%s/a/b", folder);
	_auto(vg_error) struct vg_error *missing = vg_file_write(path, 0600, "x", 1);
	assert_non_null(missing);
	assert_null(vg_folder_make(parent, 0700));
	assert_null(vg_file_write(path, 0600, "old", 3));
	assert_null(vg_file_write(path, 0600, "new", 3));
	_auto(vg_string) char *bytes = NULL;
	assert_null(vg_file_read(path, 100, &bytes, NULL));
	assert_string_equal(bytes, "new");
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	char **names;
	size_t n_names;
	assert_null(vg_folder_list(parent, &names, &n_names));
	assert_int_equal(n_names, 1); // no temporary file stays
	vg_folder_list_free(names, n_names);
	assert_null(vg_folder_remove(folder));
	assert_false(vg_file_exists(folder));
}

// A draft as a killed writer leaves it: nobody has its lock.
static void leave_draft(const char *path)
{
	_auto(vg_string) char *draft = vg_format("%s.new", path);
	_auto(vg_fd) int fd = open(draft, O_WRONLY | O_CREAT, 0600);
	assert_null(vg_file_write_all(fd, draft, "half of something longer", 24));
}

static void what_a_killed_writer_left_is_removed(void **state)
{
	(void)state;
	char folder[] = "/tmp/vgrid-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	_auto(vg_string) char *path = vg_format("%s/file", folder);
	_auto(vg_string) char *draft = vg_format("%s.new", path);
	leave_draft(path);
	assert_null(vg_file_write(path, 0444, "whole", 5));
	assert_false(vg_file_exists(draft));
	_auto(vg_string) char *text = NULL;
	assert_null(vg_file_read(path, 64, &text, NULL));
	assert_string_equal(text, "whole");
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0444);
	leave_draft(path);
	vg_file_tidy(path);
	assert_false(vg_file_exists(draft));
	// One whose writer lives is left alone.
	leave_draft(path);
	_auto(vg_fd) int writer = open(draft, O_RDWR);
	assert_int_equal(flock(writer, LOCK_EX), 0);
	vg_file_tidy(path);
	assert_true(vg_file_exists(draft));
	assert_null(vg_folder_remove(folder));
}

static void a_program_gets_exactly_its_arguments(void **state)
{
	(void)state;
	int status;
	_auto(vg_string) char *output = NULL;
	assert_null(vg_process_run(
		(const char *const[]){"echo", "a  b", "$HOME;ls", NULL}, NULL, &status, &output));
	assert_int_equal(status, 0);
	assert_string_equal(output, "a  b $HOME;ls\n");
	pid_t pid;
	_auto(vg_error) struct vg_error *error =
		vg_process_start((const char *const[]){"/no/such/program", NULL}, NULL,
			(struct vg_process_files){-1, -1, -1}, &pid);
	assert_non_null(error);
	assert_true(vg_process_is(getpid(), vg_process_start_time(getpid())));
	assert_false(vg_process_is(getpid(), 1));
}

// RFC 5869, test case 3, has no salt and no info; the purpose is our info, so the vector is made
// with another implementation (python's hmac) for the purpose "vgrid test".
static void keys_derive_from_a_secret_as_others_derive_them(void **state)
{
	(void)state;
	uint8_t secret[VG_SECRET_SIZE], key[32];
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	vg_hkdf(secret, "vgrid test", key, sizeof(key));
	char hex[VG_SHA256_HEX];
	vg_sha256_hex(key, sizeof(key), hex);
	assert_string_equal(
		hex, "06abe57596b261d63a5ecb5fd0af15781fbd70bc590a61695ad7dc786c571dac");
	_auto(vg_string) char *public = NULL, *private = NULL;
	vg_ssh_key(key, "test", &public, &private);
	assert_non_null(strstr(public, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"));
	assert_non_null(strstr(private, "BEGIN OPENSSH PRIVATE KEY"));
	// ssh-keygen must read it and find the same public key.
	char path[] = "/tmp/vgrid-key-XXXXXX";
	int fd = mkstemp(path);
	assert_null(vg_file_write_all(fd, path, private, strlen(private)));
	close(fd);
	int status;
	_auto(vg_string) char *output = NULL;
	assert_null(vg_process_run((const char *const[]){"ssh-keygen", "-y", "-f", path, NULL},
		NULL, &status, &output));
	unlink(path);
	assert_int_equal(status, 0);
	assert_memory_equal(output, public, strlen(public));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_reads_from_the_outside_in_with_the_innermost_place),
		cmocka_unit_test(a_unit_nearly_right_is_answered_with_the_right_one),
		cmocka_unit_test(a_near_name_is_found_and_a_far_one_is_not),
		cmocka_unit_test(a_map_keeps_ten_thousand_names_in_order),
		cmocka_unit_test(canonical_json_sorts_its_keys),
		cmocka_unit_test(broken_json_is_refused),
		cmocka_unit_test(a_block_of_addresses_numbers_them_and_keeps_the_gateway),
		cmocka_unit_test(a_file_is_written_whole_or_not_at_all),
		cmocka_unit_test(what_a_killed_writer_left_is_removed),
		cmocka_unit_test(a_program_gets_exactly_its_arguments),
		cmocka_unit_test(keys_derive_from_a_secret_as_others_derive_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
