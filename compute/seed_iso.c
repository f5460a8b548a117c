// SPDX-License-Identifier: Apache-2.0
#include "compute/seed_iso.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/text.h"

enum {
	SECTOR = 2048,
	VOLUME_DATES = 813, // in a volume descriptor (ECMA-119 8.4.26): four of 17 bytes
	ROOT_RECORD = 156,  // in it: the record of the root folder
	VOLUME_NAME = 40,   // in it: 32 bytes, padded with spaces
	RECORD_DATE = 18,   // in a directory record (9.1.5): 7 bytes
	RECORD_NAME = 32,   // length of the name
	DEPTH_MAX = 4,
};

// 1 January 2000, 00:00 UTC, in the three ways of the format.
static const uint8_t record_date[7] = {100, 1, 1, 0, 0, 0, 0};
static const char volume_date[] = "2000010100000000";
static const time_t entry_date = 946684800;

static la_ssize_t collect(struct archive *archive, void *data, const void *bytes, size_t size)
{
	(void)archive;
	vg_text_add_bytes(data, bytes, size);
	return (la_ssize_t)size;
}

static struct vg_error *check(struct archive *archive, int result)
{
	if (result == ARCHIVE_OK)
		return NULL;
	return vg_error_new("%s", archive_error_string(archive) ?: "unknown fault");
}

static struct vg_error *add_entry(struct archive *archive, const char *name, mode_t type,
	mode_t mode, const char *bytes, size_t size)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, mode);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_mtime(entry, entry_date, 0);
	archive_entry_set_atime(entry, entry_date, 0);
	archive_entry_set_ctime(entry, entry_date, 0);
	archive_entry_set_birthtime(entry, entry_date, 0);
	struct vg_error *error = check(archive, archive_write_header(archive, entry));
	if (!error && size > 0 && archive_write_data(archive, bytes, size) != (la_ssize_t)size)
		error = check(archive, ARCHIVE_FATAL);
	archive_entry_free(entry);
	return error;
}

static struct vg_error *add_files(
	struct archive *archive, const struct vg_iso_file *files, size_t n_files)
{
	_auto(vg_string) char *folder = NULL;
	for (size_t i = 0; i < n_files; i++) {
		const char *slash = strchr(files[i].name, '/');
		size_t length = slash ? (size_t)(slash - files[i].name) : 0;
		struct vg_error *error = NULL;
		if (slash && (!folder || strlen(folder) != length ||
				     strncmp(folder, files[i].name, length) != 0)) {
			free(folder);
			folder = vg_strndup(files[i].name, length);
			error = add_entry(archive, folder, AE_IFDIR, 0700, NULL, 0);
		}
		if (!error)
			error = add_entry(archive, files[i].name, AE_IFREG, 0600, files[i].bytes,
				files[i].size);
		if (error)
			return vg_error_while(error, "'%s'", files[i].name);
	}
	return NULL;
}

static uint32_t little_endian(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

// The Rock Ridge entry TF holds further dates of a record (RRIP 4.1.6), 7 bytes each.
static void fix_dates_of_extension(uint8_t *entry, size_t size)
{
	while (size >= 4 && entry[2] >= 4 && entry[2] <= size) {
		if (entry[0] == 'T' && entry[1] == 'F' && entry[2] >= 5)
			for (size_t i = 5; i + 7 <= entry[2]; i += 7)
				memcpy(entry + i, record_date, 7);
		size -= entry[2];
		entry += entry[2];
	}
}

// libarchive takes dates of its own from the clock: they are set back, folder by folder.
static void fix_dates_of_folder(
	uint8_t *image, size_t image_size, const uint8_t *record, unsigned depth)
{
	size_t start = (size_t)little_endian(record + 2) * SECTOR;
	size_t size = little_endian(record + 10);
	if (depth > DEPTH_MAX || start > image_size || size > image_size - start)
		return;
	for (size_t at = start, n = 0; at < start + size; n++) {
		uint8_t *entry = image + at;
		if (entry[0] == 0) { // records do not cross sectors
			at = (at / SECTOR + 1) * SECTOR;
			continue;
		}
		size_t names = (size_t)RECORD_NAME + 1 + entry[RECORD_NAME] +
			       (entry[RECORD_NAME] % 2 == 0);
		if (at + entry[0] > start + size || names > entry[0])
			return;
		memcpy(entry + RECORD_DATE, record_date, sizeof(record_date));
		fix_dates_of_extension(entry + names, entry[0] - names);
		if (n >= 2 && (entry[25] & 2)) // a folder, neither `.` nor `..`
			fix_dates_of_folder(image, image_size, entry, depth + 1);
		at += entry[0];
	}
}

// The volume's name is wanted in lower case, which libarchive gives Joliet's descriptor alone. The
// sector behind the last descriptor holds a note of libarchive about when and how: it goes.
static void fix_descriptors(uint8_t *image, size_t size, const char *volume)
{
	size_t at = (size_t)16 * SECTOR;
	for (; at + 2 * SECTOR <= size && image[at] != 255; at += SECTOR) {
		if (image[at] == 1)
			memcpy(image + at + VOLUME_NAME, volume, strlen(volume));
		if (image[at] != 1 && image[at] != 2) // primary, or Joliet's
			continue;
		for (size_t i = 0; i < 4; i++) {
			memset(image + at + VOLUME_DATES + i * 17, 0, 17);
			memset(image + at + VOLUME_DATES + i * 17, '0', 16);
		}
		memcpy(image + at + VOLUME_DATES, volume_date, 16);
		memcpy(image + at + ROOT_RECORD + RECORD_DATE, record_date, sizeof(record_date));
		fix_dates_of_folder(image, size, image + at + ROOT_RECORD, 0);
	}
	if (at + 2 * SECTOR <= size)
		memset(image + at + SECTOR, 0, SECTOR);
}

struct vg_error *vg_iso_build(const char *volume, const struct vg_iso_file *files, size_t n_files,
	uint8_t **ret_bytes, size_t *ret_size)
{
	struct vg_text image = {0};
	struct archive *archive = archive_write_new();
	_auto(vg_string) char *options = vg_format("volume-id=%s,!zisofs", volume);
	struct vg_error *error = check(archive, archive_write_set_format_iso9660(archive));
	if (!error)
		error = check(archive, archive_write_set_options(archive, options));
	archive_write_set_bytes_per_block(archive, 0);
	if (!error)
		error = check(archive, archive_write_open(archive, &image, NULL, collect, NULL));
	if (!error)
		error = add_files(archive, files, n_files);
	if (!error)
		error = check(archive, archive_write_close(archive));
	archive_write_free(archive);
	if (error) {
		vg_text_done(&image);
		return vg_error_while(error, "building an ISO image");
	}
	*ret_size = image.length;
	*ret_bytes = (uint8_t *)vg_text_take(&image);
	fix_descriptors(*ret_bytes, *ret_size, volume);
	return NULL;
}
