// SPDX-License-Identifier: Apache-2.0
//
// Disk images that somebody brings: the whole check of an image file, and its header alone. What is
// accepted names no other file, and its size can be had.
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "storage/image_check.h"
#include "storage/qcow2.h"

static void check_file(const uint8_t *bytes, size_t size, const char *format)
{
	static int fd = -1;
	uint64_t virtual_size = 0;
	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	fuzz_must(fd >= 0 && ftruncate(fd, 0) == 0);
	fuzz_must(pwrite(fd, bytes, size, 0) == (ssize_t)size);
	_auto(vg_error) struct vg_error *error =
		vg_image_check_disk(fd, "image", format, &virtual_size);
	if (!error)
		fuzz_must(virtual_size > 0 && virtual_size <= VG_DISK_SIZE_MAX &&
			  virtual_size % VG_SECTOR_SIZE == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	check_file(bytes, size, "qcow2");
	check_file(bytes, size, "raw");
	_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
	_auto(vg_error) struct vg_error *error = vg_qcow2_read(bytes, size, &facts);
	if (error)
		return 0;
	fuzz_must(facts.l1_entries * 8 <= UINT64_C(32) << 20);
	fuzz_must(facts.l2_entries > 0 && facts.size <= INT64_MAX);
	uint8_t field[8];
	vg_error_ignore(vg_qcow2_grow(&facts, facts.size + VG_SECTOR_SIZE, field));
	return 0;
}
