// SPDX-License-Identifier: Apache-2.0
//
// Claims about storage/qcow2: what it writes QEMU's own tools take for whole, what it reads may be
// anything. Needs qemu-img (package qemu-utils).
#include "tests/unit/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/process.h"
#include "storage/qcow2.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

static char *folder; // of this run

static int make_folder(void **state)
{
	(void)state;
	char template[] = "/tmp/vgrid-qcow2-XXXXXX";
	folder = vg_strdup(mkdtemp(template));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	vg_error_ignore(vg_folder_remove(folder));
	free(folder);
	return 0;
}

// Runs qemu-img, which must end with this status; its output, malloc'ed.
static char *run_qemu_img(int wanted, const char *const *argv)
{
	int status = -1;
	char *output = NULL;
	assert_null(vg_process_run(argv, NULL, &status, &output));
	if (status != wanted)
		print_error("qemu-img %s: %s\n", argv[1], output);
	assert_int_equal(status, wanted);
	return output;
}

#define qemu_img(wanted, ...)                                                                      \
	run_qemu_img(wanted, (const char *const[]){"qemu-img", __VA_ARGS__, NULL})

static char *write_image(const char *name, const struct vg_qcow2_wish *wish)
{
	void *bytes = NULL;
	size_t size;
	assert_null(vg_qcow2_make(wish, &bytes, &size));
	char *path = vg_format("%s/%s", folder, name);
	assert_null(vg_file_write(path, 0600, bytes, size));
	free(bytes);
	return path;
}

static struct vg_json *read_info(const char *path)
{
	_auto(vg_string) char *output = qemu_img(0, "info", "--output=json", "-f", "qcow2", path);
	struct vg_json *info = NULL;
	assert_null(vg_json_read(output, strlen(output), &info));
	return info;
}

static void check_clean(const char *path)
{
	_auto(vg_string) char *output = qemu_img(0, "check", "-f", "qcow2", path);
	assert_non_null(strstr(output, "No errors"));
}

static void an_empty_disk_of_any_size_is_whole_for_qemu(void **state)
{
	(void)state;
	const uint64_t sizes[] = {512, MIB, GIB + 512, 4 * TIB, 8 * TIB, 64 * TIB};
	for (size_t i = 0; i < VG_LENGTH(sizes); i++) {
		_auto(vg_string) char *path =
			write_image("empty.qcow2", &(struct vg_qcow2_wish){.size = sizes[i]});
		_auto(vg_json) struct vg_json *info = read_info(path);
		assert_int_equal(vg_json_get_integer(info, "virtual-size", 0), sizes[i]);
		assert_int_equal(vg_json_get_integer(info, "cluster-size", 0), 65536);
		assert_string_equal(vg_json_get_string(info, "format", ""), "qcow2");
		assert_null(vg_json_get(info, "backing-filename"));
		check_clean(path);
	}
}

static void an_overlay_shows_its_parent_and_takes_writes(void **state)
{
	(void)state;
	static const char *const formats[] = {"raw", "qcow2"};
	for (size_t i = 0; i < VG_LENGTH(formats); i++) {
		_auto(vg_string) char *parent = vg_format("%s/parent.%s", folder, formats[i]);
		free(qemu_img(0, "create", "-q", "-f", formats[i], parent, "600M"));
		int status;
		_auto(vg_string) char *written = NULL;
		assert_null(vg_process_run(
			(const char *const[]){"qemu-io", "-f", formats[i], "-c", "write -P 7 5M 1M",
				"-c", "write -P 9 555M 1M", parent, NULL},
			NULL, &status, &written));
		assert_int_equal(status, 0);

		_auto(vg_string) char *path = write_image(
			"clone.qcow2", &(struct vg_qcow2_wish){600 * MIB, parent, formats[i]});
		_auto(vg_json) struct vg_json *info = read_info(path);
		assert_string_equal(vg_json_get_string(info, "backing-filename", ""), parent);
		assert_string_equal(
			vg_json_get_string(info, "backing-filename-format", ""), formats[i]);
		check_clean(path);
		free(qemu_img(0, "compare", "-f", formats[i], "-F", "qcow2", parent, path));

		_auto(vg_string) char *more = NULL;
		assert_null(vg_process_run(
			(const char *const[]){"qemu-io", "-f", "qcow2", "-c", "write -P 1 100M 3M",
				"-c", "read -P 7 5M 1M", "-c", "read -P 1 100M 3M", path, NULL},
			NULL, &status, &more));
		assert_int_equal(status, 0);
		assert_null(strstr(more, "verification failed"));
		check_clean(path);
		free(qemu_img(1, "compare", "-f", formats[i], "-F", "qcow2", parent, path));
	}
}

static void a_disk_grows_by_eight_bytes_beyond_four_tebibytes(void **state)
{
	(void)state;
	_auto(vg_string) char *path =
		write_image("grow.qcow2", &(struct vg_qcow2_wish){.size = GIB});
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	assert_null(vg_file_read(path, 64 * MIB, &bytes, &size));
	_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
	assert_null(vg_qcow2_read(bytes, size, &facts));
	uint8_t field[8];
	_auto(vg_error) struct vg_error *shrinking = vg_qcow2_grow(&facts, GIB - MIB, field);
	assert_string_equal(vg_error_text(shrinking), "it has 1GiB and cannot shrink to 1023MiB");
	assert_null(vg_qcow2_grow(&facts, 9 * TIB, field));
	memcpy(bytes + VG_QCOW2_SIZE_AT, field, sizeof(field));
	assert_null(vg_file_write(path, 0600, bytes, size));
	_auto(vg_json) struct vg_json *info = read_info(path);
	assert_int_equal(vg_json_get_integer(info, "virtual-size", 0), 9 * TIB);
	check_clean(path);
	int status;
	_auto(vg_string) char *output = NULL;
	assert_null(vg_process_run((const char *const[]){"qemu-io", "-f", "qcow2", "-c",
					   "write -P 3 8T 1M", "-c", "read -P 3 8T 1M", path, NULL},
		NULL, &status, &output));
	assert_int_equal(status, 0);
	check_clean(path);

	_auto(vg_string) char *small = vg_format("%s/small.qcow2", folder);
	free(qemu_img(0, "create", "-q", "-f", "qcow2", small, "1G"));
	_auto(vg_string) char *theirs = NULL;
	assert_null(vg_file_read(small, 64 * MIB, &theirs, &size));
	vg_qcow2_facts_done(&facts);
	assert_null(vg_qcow2_read(theirs, size, &facts));
	_auto(vg_error) struct vg_error *full = vg_qcow2_grow(&facts, 9 * TIB, field);
	assert_string_equal(vg_error_text(full), "its tables have no room for 9TiB");
}

static void impossible_disks_are_not_made(void **state)
{
	(void)state;
	static const struct vg_qcow2_wish wishes[] = {{.size = 0}, {.size = 513},
		{.size = 65 * TIB}, {MIB, "relative", "raw"}, {MIB, "nbd:host", "raw"}};
	for (size_t i = 0; i < VG_LENGTH(wishes); i++) {
		void *bytes;
		size_t size;
		_auto(vg_error) struct vg_error *error = vg_qcow2_make(&wishes[i], &bytes, &size);
		assert_non_null(error);
	}
}

static void what_qemu_img_makes_is_read_as_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *options;
		unsigned version, cluster_bits;
	} cases[] = {{"compat=0.10", 2, 16}, {"compat=1.1,cluster_size=512", 3, 9},
		{"cluster_size=2M", 3, 21}, {"lazy_refcounts=on,refcount_bits=1", 3, 16},
		{"extended_l2=on,cluster_size=128k", 3, 17}, {"compression_type=zstd", 3, 16}};
	_auto(vg_string) char *path = vg_format("%s/theirs.qcow2", folder);
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		free(qemu_img(
			0, "create", "-q", "-f", "qcow2", "-o", cases[i].options, path, "1G"));
		_auto(vg_string) char *bytes = NULL;
		size_t size;
		assert_null(vg_file_read(path, 64 * MIB, &bytes, &size));
		_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
		assert_null(vg_qcow2_read(bytes, size < 65536 ? size : 65536, &facts));
		assert_int_equal(facts.size, GIB);
		assert_int_equal(facts.version, cases[i].version);
		assert_int_equal(facts.cluster_bits, cases[i].cluster_bits);
		assert_int_equal(facts.unknown_incompatible, 0);
		assert_false(facts.has_backing || facts.has_data_file || facts.is_encrypted ||
			     facts.is_dirty || facts.is_corrupt);
	}
}

// A header of ours with one field set.
static void *make_header(size_t at, size_t width, uint64_t value, size_t *ret_size)
{
	void *bytes;
	assert_null(
		vg_qcow2_make(&(struct vg_qcow2_wish){GIB, "/i/parent", "raw"}, &bytes, ret_size));
	for (size_t i = width; i > 0; i--, value >>= 8)
		((uint8_t *)bytes)[at + i - 1] = (uint8_t)value;
	return bytes;
}

static void a_lying_header_is_an_error_that_says_which_lie(void **state)
{
	(void)state;
	static const struct {
		size_t at, width;
		uint64_t value;
		const char *says;
	} cases[] = {{0, 4, 0, "no qcow2"}, {4, 4, 1, "version is 1"}, {4, 4, 4, "version is 4"},
		{20, 4, 8, "clusters of 2^8"}, {20, 4, 22, "clusters of 2^22"},
		{20, 4, UINT32_MAX, "clusters of"},
		{24, 8, UINT64_C(1) << 63, "claims 9223372036854775808"},
		{24, 8, INT64_MAX, "too small"}, {36, 4, UINT32_MAX, "absurd"},
		{36, 4, 0, "too small"}, {40, 8, 12345, "impossible place"},
		{40, 8, UINT64_MAX - 65535, "impossible place"}, {60, 4, UINT32_MAX, "absurd"},
		{96, 4, 7, "refcounts of 2^7"}, {100, 4, 72, "length of 72"},
		{100, 4, 105, "length of 105"}, {100, 4, UINT32_MAX - 7, "length of"},
		{8, 8, UINT64_MAX, "backing path"}, {8, 8, 65000, "extension"},
		{16, 4, 4096, "backing path"}, {108, 4, UINT32_MAX, "extension claims"}};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		size_t size;
		_auto(vg_string) char *bytes =
			make_header(cases[i].at, cases[i].width, cases[i].value, &size);
		_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
		_auto(vg_error) struct vg_error *error = vg_qcow2_read(bytes, 65536, &facts);
		if (cases[i].at == 8 && cases[i].value == 65000) {
			assert_null(error); // far, but within the cluster: zeros end the extensions
			continue;
		}
		assert_non_null(error);
		if (!strstr(vg_error_text(error), cases[i].says))
			fail_msg("case %zu: %s", i, vg_error_text(error));
	}
}

static void marks_of_danger_are_seen(void **state)
{
	(void)state;
	static const struct {
		size_t at, width;
		uint64_t value;
		size_t flag;
	} cases[] = {
		{72, 8, 1, offsetof(struct vg_qcow2_facts, is_dirty)},
		{72, 8, 2, offsetof(struct vg_qcow2_facts, is_corrupt)},
		{72, 8, 4, offsetof(struct vg_qcow2_facts, has_data_file)},
		{104, 4, 0x44415441, offsetof(struct vg_qcow2_facts, has_data_file)},
		{32, 4, 1, offsetof(struct vg_qcow2_facts, is_encrypted)},
		{32, 4, 2, offsetof(struct vg_qcow2_facts, is_encrypted)},
		{104, 4, 0x0537be77, offsetof(struct vg_qcow2_facts, is_encrypted)},
		{88, 8, 1, offsetof(struct vg_qcow2_facts, has_bitmaps)},
	};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		size_t size;
		_auto(vg_string) char *bytes =
			make_header(cases[i].at, cases[i].width, cases[i].value, &size);
		_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
		assert_null(vg_qcow2_read(bytes, 65536, &facts));
		assert_true(*((bool *)((char *)&facts + cases[i].flag)));
		assert_true(facts.has_backing);
		assert_string_equal(facts.backing_path, "/i/parent");
	}
	size_t size;
	_auto(vg_string) char *bytes = make_header(72, 8, UINT64_C(1) << 63 | 32, &size);
	_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
	assert_null(vg_qcow2_read(bytes, 65536, &facts));
	assert_true(facts.unknown_incompatible == (UINT64_C(1) << 63 | 32));
}

static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

// Headers cut off and changed at random: the sanitizers see what must not be.
static void no_header_makes_the_reader_stumble(void **state)
{
	(void)state;
	static const uint64_t nasty[] = {0, 1, 7, 72, 103, 104, 512, 65535, 65536, INT32_MAX,
		UINT32_MAX, INT64_MAX, UINT64_MAX, 0x44415441, 0x0537be77};
	size_t size, n_read = 0;
	_auto(vg_string) char *whole = make_header(0, 0, 0, &size);
	for (int round = 0; round < 200000; round++) {
		size_t length = next_random() % 4 ? 512 : next_random() % 512;
		// An allocation of its own, so that one byte too far is seen.
		_auto(vg_string) char *bytes = vg_alloc(length + 1);
		memcpy(bytes, whole, length);
		for (uint64_t n = next_random() % 4; n > 0 && length > 16; n--) {
			size_t width = next_random() % 2 ? 4 : 8;
			size_t at = 4 + next_random() % (length < 200 ? length - 12 : 188) / 4 * 4;
			uint64_t value = nasty[next_random() % VG_LENGTH(nasty)];
			for (size_t i = width; i > 0; i--, value >>= 8)
				bytes[at + i - 1] = (char)value;
		}
		for (uint64_t n = next_random() % 3; n > 0 && length > 0; n--)
			bytes[next_random() % length] = (char)next_random();
		_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
		_auto(vg_error) struct vg_error *error = vg_qcow2_read(bytes, length, &facts);
		n_read += !error;
		uint8_t field[8];
		if (!error)
			vg_error_ignore(vg_qcow2_grow(&facts, next_random(), field));
	}
	assert_true(n_read > 1000); // else nothing but the first check was tried
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_disk_of_any_size_is_whole_for_qemu),
		cmocka_unit_test(an_overlay_shows_its_parent_and_takes_writes),
		cmocka_unit_test(a_disk_grows_by_eight_bytes_beyond_four_tebibytes),
		cmocka_unit_test(impossible_disks_are_not_made),
		cmocka_unit_test(what_qemu_img_makes_is_read_as_it_is),
		cmocka_unit_test(a_lying_header_is_an_error_that_says_which_lie),
		cmocka_unit_test(marks_of_danger_are_seen),
		cmocka_unit_test(no_header_makes_the_reader_stumble),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
