// SPDX-License-Identifier: Apache-2.0
//
// Claims about disk images that mean harm: whatever their header says, they are refused at once and
// with the reason, and nothing of them stays.
#include "tests/unit/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"
#include "storage/image_check.h"
#include "storage/images.h"

enum { CLUSTER = 64 * 1024, IMAGE_SIZE = 4 * CLUSTER, HEADER_SIZE = 104 };

static char *folder, *store;

static int make_folder(void **state)
{
	(void)state;
	char template[] = "/tmp/vgrid-hostile-XXXXXX";
	folder = vg_strdup(mkdtemp(template));
	store = vg_format("%s/images", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	vg_error_ignore(vg_folder_remove(folder));
	free(folder);
	free(store);
	return 0;
}

// A field of the header (QEMU docs/interop/qcow2.txt): big-endian, of `size` bytes.
struct field {
	size_t at, size;
	uint64_t value;
};

static void put(uint8_t *bytes, const struct field *field)
{
	for (size_t i = 0; i < field->size; i++)
		bytes[field->at + i] = (uint8_t)(field->value >> 8 * (field->size - 1 - i));
}

// An empty disk of 1 MiB that QEMU would take: header, refcount table, one block of it, L1 table.
static void fill_good(uint8_t *bytes)
{
	static const struct field good[] = {{0, 4, 0x514649fb}, {4, 4, 3}, {20, 4, 16},
		{24, 8, 1 << 20}, {36, 4, 1}, {40, 8, 3 * CLUSTER}, {48, 8, CLUSTER}, {56, 4, 1},
		{96, 4, 4}, {100, 4, HEADER_SIZE}, {CLUSTER, 8, 2 * CLUSTER}};
	for (size_t i = 0; i < VG_LENGTH(good); i++)
		put(bytes, &good[i]);
	for (size_t i = 0; i < 4; i++)
		put(bytes + 2 * CLUSTER + 2 * i, &(struct field){0, 2, 1});
}

static double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// `says` NULL: it is taken in.
static void expect(const char *path, const char *format, const char *says)
{
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	double begin = seconds_now();
	_auto(vg_error) struct vg_error *error =
		vg_images_import(store, path, format, NULL, NULL, NULL, &info);
	if (seconds_now() - begin > 5)
		fail_msg("%s: that took %.1f s", path, seconds_now() - begin);
	if (!says && error)
		fail_msg("%s: %s", path, vg_error_text(error));
	if (says && (!error || !strstr(vg_error_text(error), says)))
		fail_msg("'%s' is not said: %s", says, error ? vg_error_text(error) : "no error");
	if (!says)
		return;
	char **names;
	size_t n_names;
	assert_null(vg_folder_list(store, &names, &n_names));
	for (size_t i = 0; i < n_names; i++)
		assert_false(vg_text_starts(names[i], ".new-"));
	vg_folder_list_free(names, n_names);
}

static void a_header_that_lies_is_refused(void **state)
{
	(void)state;
	static const struct {
		struct field field;
		const char *says;
	} cases[] = {
		{{CLUSTER + 100, 1, 0}, NULL}, // the good one
		{{4, 4, 1}, "its qcow2 version is 1"},
		{{4, 4, 0xffffffff}, "its qcow2 version is 4294967295"},
		{{8, 8, 200}, "it has a backing file"},
		{{8, 8, UINT64_MAX}, "its backing path lies outside"},
		{{20, 4, 0}, "clusters of 2^0"},
		{{20, 4, 63}, "clusters of 2^63"},
		{{20, 4, 0xffffffff}, "clusters of 2^4294967295"},
		{{24, 8, 0}, "a disk of 0 bytes"},
		{{24, 8, 1}, "no multiple of 512"},
		{{24, 8, UINT64_C(1) << 62}, "is too small for"},
		{{24, 8, UINT64_C(1) << 63}, "its header claims 9223372036854775808 bytes"},
		{{24, 8, UINT64_MAX}, "its header claims 18446744073709551615 bytes"},
		{{32, 4, 1}, "it is encrypted"},
		{{32, 4, 2}, "it is encrypted"},
		{{32, 4, 0xffffffff}, "it is encrypted"},
		{{36, 4, 0}, "L1 table of 0 entries"},
		{{36, 4, 0xffffffff}, "tables of an absurd size"},
		{{36, 4, 1 << 22}, "cut off"},
		{{40, 8, 1}, "impossible place"},
		{{40, 8, UINT64_C(1) << 62}, "cut off"},
		{{40, 8, UINT64_MAX - CLUSTER + 1}, "impossible place"},
		{{48, 8, 0}, "no refcount table"},
		{{48, 8, 7}, "no refcount table"},
		{{48, 8, UINT64_C(1) << 62}, "cut off"},
		{{56, 4, 0}, "no refcount table"},
		{{56, 4, 0xffffffff}, "tables of an absurd size"},
		{{60, 4, 0xffffffff}, "tables of an absurd size"},
		{{72, 8, 1}, "not closed cleanly"},
		{{72, 8, 2}, "marked corrupt"},
		{{72, 8, 4}, "keeps its data in another file"},
		{{72, 8, 8}, "contradicts itself about compression"},
		{{72, 8, UINT64_C(1) << 63}, "features that are not known"},
		{{96, 4, 7}, "refcounts of 2^7"},
		{{96, 4, 0xffffffff}, "refcounts of 2^4294967295"},
		{{100, 4, 0}, "a length of 0 bytes"},
		{{100, 4, 0xfffffff8}, "a length of 4294967288 bytes"},
		{{HEADER_SIZE, 8, UINT64_C(0x4441544100000000)}, "data in another file"},
		{{HEADER_SIZE, 8, UINT64_C(0x0537be7700000000)}, "it is encrypted"},
		{{HEADER_SIZE, 8, UINT64_C(0x12345678ffffffff)}, "extension claims 4294967295"},
		{{3 * CLUSTER, 8, UINT64_C(1) << 55}, "cut off"},
	};
	_auto(vg_string) char *path = vg_format("%s/lies.qcow2", folder);
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		uint8_t *bytes = vg_alloc(IMAGE_SIZE);
		fill_good(bytes);
		put(bytes, &cases[i].field);
		assert_null(vg_file_write(path, 0600, bytes, IMAGE_SIZE));
		expect(path, "qcow2", cases[i].says);
		expect(path, "raw", "begins like qcow2");
		free(bytes);
	}
}

static void no_beginning_of_an_image_is_one(void **state)
{
	(void)state;
	_auto(vg_string) char *path = vg_format("%s/short.qcow2", folder);
	uint8_t *bytes = vg_alloc(IMAGE_SIZE);
	fill_good(bytes);
	static const size_t sizes[] = {0, 3, 4, 8, 72, 103, 104, 512, CLUSTER, 3 * CLUSTER};
	for (size_t i = 0; i < VG_LENGTH(sizes); i++) {
		assert_null(vg_file_write(path, 0600, bytes, sizes[i]));
		expect(path, "qcow2", sizes[i] < 4 ? "and is none" : "cut off");
	}
	put(bytes, &(struct field){100, 4, 112});
	assert_null(vg_file_write(path, 0600, bytes, HEADER_SIZE));
	expect(path, "qcow2", "its header is cut off");
	free(bytes);
}

// A million tables, all in holes, in a file that has hardly any blocks: 64 GiB to read if one did.
static void a_file_of_holes_takes_no_time(void **state)
{
	(void)state;
	enum { ENTRIES = 1 << 20 };
	_auto(vg_string) char *path = vg_format("%s/holes.qcow2", folder);
	uint8_t *bytes = vg_alloc(3 * CLUSTER + ENTRIES * 8);
	fill_good(bytes);
	put(bytes, &(struct field){24, 8, UINT64_C(1) << 44});
	put(bytes, &(struct field){36, 4, ENTRIES});
	uint64_t at = 3 * CLUSTER + ENTRIES * 8;
	for (size_t i = 0; i < ENTRIES; i++, at += CLUSTER)
		put(bytes + 3 * CLUSTER + i * 8, &(struct field){0, 8, at | UINT64_C(1) << 63});
	assert_null(vg_file_write(path, 0600, bytes, 3 * CLUSTER + ENTRIES * 8));
	free(bytes);
	assert_int_equal(truncate(path, (off_t)at), 0);
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t size = 0;
	double begin = seconds_now();
	assert_null(vg_image_check_disk(fd, path, "qcow2", &size));
	assert_true(seconds_now() - begin < 5);
	assert_int_equal(size, UINT64_C(1) << 44);
	_auto(vg_string) char *raw = vg_format("%s/holes.raw", folder);
	assert_null(vg_file_write(raw, 0600, "", 0));
	if (truncate(raw, (off_t)1 << 42) == 0)
		expect(raw, "raw", "GiB of holes");
}

static bool stop_at_once(const char *what, uint64_t done, uint64_t total, void *data)
{
	(void)what;
	(void)done;
	(void)total;
	(*(unsigned *)data)++;
	return false;
}

static void an_import_stops_when_it_is_told_to(void **state)
{
	(void)state;
	unsigned calls = 0;
	_auto(vg_string) char *path = vg_format("%s/long.raw", folder);
	assert_null(vg_file_write(path, 0600, "", 0));
	assert_int_equal(truncate(path, (off_t)200 << 30), 0);
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	_auto(vg_error) struct vg_error *error =
		vg_images_import(store, path, "raw", NULL, stop_at_once, &calls, &info);
	assert_int_equal(vg_error_kind(error), VG_ERROR_INTERRUPTED);
	assert_int_equal(calls, 1);
	assert_null(info);
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
	(void)state;
	_auto(vg_string) char *pipe = vg_format("%s/pipe.raw", folder);
	_auto(vg_string) char *loop = vg_format("%s/loop.raw", folder);
	_auto(vg_string) char *zero = vg_format("%s/zero.raw", folder);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(symlink(loop, loop), 0);
	assert_int_equal(symlink("/dev/zero", zero), 0);
	expect(pipe, "raw", "no regular file");
	expect(loop, "raw", "Too many levels of symbolic links");
	expect(zero, "raw", "no regular file");
	expect(folder, "qcow2", "no regular file");
	expect("", "raw", "there is no file ''");
}

static void a_raw_disk_that_is_text_of_another_format_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {{"# Disk DescriptorFile\nversion=1\n", "begins like VMDK"},
		{"\n # x\n\nversion=1\nparentCID=ffffffff\n", "begins like VMDK"},
		{"#!/bin/sh\n\n \nversion=3\nRW 1 FLAT \"/etc/shadow\" 0\n", "begins like VMDK"},
		{"#!/bin/sh\n#V2.0 Format\nmodprobe cloop\n", "begins like cloop"},
		{"\nversion", NULL}};
	_auto(vg_string) char *path = vg_format("%s/text.raw", folder);
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		char bytes[512] = {0};
		memcpy(bytes, cases[i].text, strlen(cases[i].text));
		assert_null(vg_file_write(path, 0600, bytes, sizeof(bytes)));
		expect(path, "raw", cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_that_lies_is_refused),
		cmocka_unit_test(no_beginning_of_an_image_is_one),
		cmocka_unit_test(a_file_of_holes_takes_no_time),
		cmocka_unit_test(an_import_stops_when_it_is_told_to),
		cmocka_unit_test(what_is_no_file_is_refused_without_waiting),
		cmocka_unit_test(a_raw_disk_that_is_text_of_another_format_is_refused),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
