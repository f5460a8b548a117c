// SPDX-License-Identifier: Apache-2.0
//
// Units of the language: sizes (KiB MiB GiB TiB), rates (Kbit Mbit Gbit per second) and durations
// (ms s m h d). Anything else is refused with the spelling that was probably meant.
#pragma once

#include "base/error.h"

// Whole numbers with a unit, no sign, no fraction, nothing around them: `256MiB`. The error's
// message needs no place of its own and carries a hint where one is near (`256MB`: `256MiB`).
struct vg_error *vg_units_read_size(const char *text, uint64_t *ret_bytes) VG_MUST_CHECK;
struct vg_error *vg_units_read_rate(const char *text, uint64_t *ret_bits_per_second) VG_MUST_CHECK;
struct vg_error *vg_units_read_duration(const char *text, uint64_t *ret_milliseconds)
	VG_MUST_CHECK;

// The shortest exact spelling (`1536MiB`, `1GiB`, `90s`), malloc'ed; reads back to the same value.
char *vg_units_write_size(uint64_t bytes);
char *vg_units_write_rate(uint64_t bits_per_second);
char *vg_units_write_duration(uint64_t milliseconds);
