// SPDX-License-Identifier: Apache-2.0
//
// bench-disks FOLDER IMAGE N: takes the qcow2 image in, makes N copy-on-write disks of it with the
// storage driver, one after the other, and prints the seconds and CPU seconds of that.
#include <stdio.h>

#include "base/memory.h"
#include "base/tag.h"
#include "bench/timer.h"
#include "storage/driver.h"
#include "storage/images.h"

int main(int argc, char *argv[])
{
	if (argc != 4) {
		fprintf(stderr, "usage: %s FOLDER IMAGE N\n", argv[0]);
		return 2;
	}
	static const char store[] = "11111111-1111-4111-8111-111111111111",
			  grid[] = "22222222-2222-4222-8222-222222222222";
	_auto(vg_string) char *images = vg_format("%s/images", argv[1]);
	_auto(vg_string) char *folder = vg_format("%s/host", argv[1]);
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	struct vg_storage *storage;
	bench_must(vg_images_import(images, argv[2], "qcow2", NULL, NULL, NULL, &info));
	bench_must(vg_storage_file.open(
		&(struct vg_storage_target){"bench", folder, folder, images, images}, &storage));
	double begun = bench_now(), cpu = bench_cpu(RUSAGE_SELF);
	for (long i = 0; i < strtol(argv[3], NULL, 10); i++) {
		_auto(vg_string) char *path = vg_format("node/n-%ld/disk/root", i);
		_auto(vg_string) char *tag = vg_tag_make(store, grid, path);
		bench_must(vg_storage_file.create(storage,
			&(struct vg_volume){
				.tag = tag, .kind = VG_VOLUME_ROOT, .image = info->digest}));
	}
	printf("%.6f %.6f\n", bench_now() - begun, bench_cpu(RUSAGE_SELF) - cpu);
	vg_storage_file.close(storage);
	return 0;
}
