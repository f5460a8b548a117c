// SPDX-License-Identifier: Apache-2.0
//
// The guest of the accelerators' race: see boot_sector.s. Used by accelerator.c.
#pragma once

enum { VG_BOOT_SECTOR_SIZE = 512 };

// What it prints on COM1 when its work is done.
#define VG_BOOT_SECTOR_WORD "vgrid: done"

extern const unsigned char vg_boot_sector[VG_BOOT_SECTOR_SIZE];
