// SPDX-License-Identifier: Apache-2.0
//
// Processes in a box that are none of its own: whoever ends the box would end them too. Used by gc.
#pragma once

#include "box/box.h"

// Names such as "1234 (sleep)", malloc'ed; free with vg_folder_list_free(). The box's own are its
// first process, libvirtd with all that descends from it, the daemons that libvirtd starts, and
// emulators.
struct vg_error *vg_box_strangers(
	const struct vg_box *box, char ***ret_names, size_t *ret_n_names) VG_MUST_CHECK;
