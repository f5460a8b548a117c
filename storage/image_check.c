// SPDX-License-Identifier: Apache-2.0
#include "storage/image_check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "storage/qcow2.h"

enum { HEAD_SIZE = 64 * 1024, OFFSET_BITS = 56 };

// Holes cost nothing to make and as much as data to hash: minutes are the most they may take.
#define HOLES_MAX (UINT64_C(256) << 30)

// How other formats begin, as QEMU's block drivers probe them.
static const struct {
	const char *format;
	size_t at;
	const char *bytes;
	size_t length;
} beginnings[] = {
	{"qcow2", 0, "QFI\xfb", 4},
	{"QED", 0, "QED\0", 4},
	{"VMDK", 0, "KDMV", 4},
	{"VMDK", 0, "COWD", 4},
	{"VMDK", 0, "# Disk DescriptorFile", 21},
	{"VHDX", 0, "vhdxfile", 8},
	{"VHD", 0, "conectix", 8},
	{"VDI", 64, "\x7f\x10\xda\xbe", 4},
	{"Parallels", 0, "WithoutFreeSpace", 16},
	{"Parallels", 0, "WithouFreSpacExt", 16},
	{"Bochs", 0, "Bochs Virtual HD Image", 22},
	{"LUKS", 0, "LUKS\xba\xbe", 6},
	{"cloop", 0, "#!/bin/sh\n#V2.0 Format\n", 23},
};

// The text form of VMDK: comments and blank lines, then its version.
static bool is_vmdk_text(const char *head, size_t size)
{
	const char *at = head, *end = head + size;
	while (at < end && (*at == '#' || *at == ' ' || *at == '\r' || *at == '\n')) {
		const char *next = *at == '#' ? memchr(at, '\n', (size_t)(end - at)) : at;
		at = next ? next + 1 : end;
	}
	return end - at >= 8 && memcmp(at, "version=", 8) == 0;
}

static const char *find_beginning(const char *head, size_t size)
{
	if (is_vmdk_text(head, size))
		return "VMDK";
	for (size_t i = 0; i < VG_LENGTH(beginnings); i++) {
		if (beginnings[i].at + beginnings[i].length <= size &&
			memcmp(head + beginnings[i].at, beginnings[i].bytes,
				beginnings[i].length) == 0)
			return beginnings[i].format;
	}
	return NULL;
}

// Reads at most `size` bytes; fewer at the end of the file.
static struct vg_error *read_at(
	int fd, const char *name, void *bytes, size_t size, uint64_t at, size_t *ret_got)
{
	size_t done = 0;
	while (done < size) {
		ssize_t got = pread(fd, (char *)bytes + done, size - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vg_error_errno(errno, "reading '%s'", name);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_got = done;
	return NULL;
}

static uint64_t read_entry(const uint8_t *at)
{
	uint64_t value = 0;
	for (size_t i = 0; i < 8; i++)
		value = value << 8 | at[i];
	return value;
}

static struct vg_error *say_truncated(const char *name)
{
	return vg_error_hint(
		vg_error_new("'%s' is cut off: it refers to bytes behind its end", name),
		"download or copy it again");
}

// Where an L2 entry's cluster begins in the file; 0 for none (qcow2.txt, "Cluster mapping").
static uint64_t cluster_offset(uint64_t entry, unsigned cluster_bits)
{
	bool is_compressed = entry >> 62 & 1;
	unsigned bits = is_compressed ? 62 - (cluster_bits - 8) : OFFSET_BITS;
	uint64_t offset = entry & ((UINT64_C(1) << bits) - 1);
	return is_compressed ? offset : offset & ~UINT64_C(0x1ff);
}

// A hole of the file that was met; nothing else begins before `end`.
struct hole {
	uint64_t begin, end;
};

// Does the table lie in a hole? It is empty then, and need not be read: a file may claim terabytes
// of such tables.
static bool is_in_hole(
	int fd, uint64_t offset, uint64_t size, uint64_t file_size, struct hole *hole)
{
	if (offset < hole->begin || offset >= hole->end) {
		off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
		uint64_t end = data >= 0 ? (uint64_t)data : errno == ENXIO ? file_size : offset;
		*hole = (struct hole){offset, end};
	}
	return offset + size <= hole->end;
}

static struct vg_error *check_l2(int fd, const char *name, const struct vg_qcow2_facts *facts,
	uint64_t offset, uint64_t file_size)
{
	size_t size = (size_t)1 << facts->cluster_bits, got;
	_auto(vg_string) char *table = vg_alloc(size);
	struct vg_error *error = read_at(fd, name, table, size, offset, &got);
	if (!error && got < size)
		error = say_truncated(name);
	for (size_t at = 0; !error && at < size; at += facts->l2_entry_size) {
		uint64_t entry = read_entry((const uint8_t *)table + at);
		if (cluster_offset(entry, facts->cluster_bits) >= file_size)
			error = say_truncated(name);
	}
	return error;
}

// A download that broke off has a whole header: only its tables tell. Clusters need to begin within
// the file; the last may be short.
static struct vg_error *check_clusters(
	int fd, const char *name, const struct vg_qcow2_facts *facts, uint64_t file_size)
{
	size_t size = (size_t)facts->l1_entries * 8, got;
	_auto(vg_string) char *table = vg_alloc(size + 1);
	struct vg_error *error = read_at(fd, name, table, size, facts->l1_offset, &got);
	if (!error && got < size)
		error = say_truncated(name);
	// Tables are no more than fit the file, or else many entries share one, to keep us reading.
	uint64_t n_tables = 0, n_tables_max = file_size >> facts->cluster_bits;
	struct hole hole = {0, 0};
	if (!error && facts->refcount_offset >= file_size)
		error = say_truncated(name);
	for (size_t at = 0; !error && at < size; at += 8) {
		uint64_t offset = cluster_offset(
			read_entry((const uint8_t *)table + at) & ~(UINT64_C(1) << 62), 0);
		if (offset && n_tables++ >= n_tables_max)
			error = vg_error_new("'%s' is damaged: its tables overlap", name);
		else if (offset && !is_in_hole(fd, offset, UINT64_C(1) << facts->cluster_bits,
					   file_size, &hole))
			error = check_l2(fd, name, facts, offset, file_size);
	}
	return error;
}

static const char *find_danger(const struct vg_qcow2_facts *facts)
{
	if (facts->has_backing)
		return "it has a backing file";
	if (facts->has_data_file)
		return "it keeps its data in another file";
	if (facts->is_encrypted)
		return "it is encrypted";
	if (facts->unknown_incompatible)
		return "it uses features that are not known here";
	if (facts->is_corrupt)
		return "it is marked corrupt";
	if (facts->is_dirty)
		return "it was not closed cleanly";
	return NULL;
}

static struct vg_error *refuse(const char *name, const struct vg_qcow2_facts *facts)
{
	const char *danger = find_danger(facts);
	if (!danger)
		return NULL;
	struct vg_error *error = vg_error_new("'%s' is refused: %s", name, danger);
	if (facts->is_corrupt || facts->is_dirty)
		return vg_error_hint(error, "look at it with: qemu-img check -f qcow2 FILE");
	return vg_error_hint(error, "if you trust it, make a plain image of it: qemu-img convert "
				    "-f qcow2 -O qcow2 FILE "
				    "NEW");
}

static struct vg_error *check_qcow2(int fd, const char *name, const char *head, size_t size,
	uint64_t file_size, uint64_t *ret_size)
{
	const char *beginning = find_beginning(head, size);
	if (!vg_qcow2_is_magic(head, size))
		return vg_error_hint(vg_error_new("'%s' is stated to be qcow2, and is none", name),
			beginning ? "it begins like %s" : "state its true format, perhaps 'raw'%s",
			beginning ? beginning : "");
	_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
	struct vg_error *error = vg_error_while(
		vg_qcow2_read(head, size, &facts), "reading the qcow2 header of '%s'", name);
	if (!error)
		error = refuse(name, &facts);
	if (error)
		return error;
	*ret_size = facts.size;
	return check_clusters(fd, name, &facts, file_size);
}

static struct vg_error *check_raw(
	const char *name, const char *head, size_t size, uint64_t file_size, uint64_t *ret_size)
{
	const char *beginning = find_beginning(head, size);
	if (beginning)
		return vg_error_hint(vg_error_new("'%s' is stated to be raw, but begins like %s: "
						  "whoever probes it would take it for that",
					     name, beginning),
			"state its true format");
	*ret_size = file_size;
	return NULL;
}

static struct vg_error *refuse_holes(const char *name, uint64_t size)
{
	return vg_error_hint(
		vg_error_new("'%s' has %" PRIu64 " GiB of holes: at most 256 GiB are taken in",
			name, size >> 30),
		"make a qcow2 image of it, which needs none: qemu-img convert -O qcow2 FILE NEW");
}

struct vg_error *vg_image_check_disk(
	int fd, const char *name, const char *format, uint64_t *ret_size)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return vg_error_errno(errno, "reading '%s'", name);
	uint64_t data_size = (uint64_t)status.st_blocks * 512;
	if ((uint64_t)status.st_size > data_size + HOLES_MAX)
		return refuse_holes(name, (uint64_t)status.st_size - data_size);
	_auto(vg_string) char *head = vg_alloc(HEAD_SIZE);
	size_t size = 0;
	uint64_t virtual_size = 0;
	struct vg_error *error = read_at(fd, name, head, HEAD_SIZE, 0, &size);
	if (error)
		return error;
	if (vg_text_equal(format, "qcow2"))
		error = check_qcow2(fd, name, head, size, (uint64_t)status.st_size, &virtual_size);
	else
		error = check_raw(name, head, size, (uint64_t)status.st_size, &virtual_size);
	if (error)
		return error;
	if (virtual_size == 0)
		return vg_error_new("'%s' is a disk of 0 bytes", name);
	if (virtual_size % VG_SECTOR_SIZE)
		return vg_error_new("'%s' is a disk of %" PRIu64
				    " bytes, which is no multiple of %d",
			name, virtual_size, VG_SECTOR_SIZE);
	if (virtual_size > VG_DISK_SIZE_MAX)
		return vg_error_new("'%s' claims to be a disk of %" PRIu64
				    " bytes: at most 64TiB are possible",
			name, virtual_size);
	*ret_size = virtual_size;
	return NULL;
}
