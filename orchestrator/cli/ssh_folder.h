// SPDX-License-Identifier: Apache-2.0
//
// The private folder that one `vgrid ssh` hands to ssh: key, known host, configuration. It lies on
// the user's runtime tmpfs where there is one, and is gone when the session is.
#pragma once

#include "orchestrator/state/record.h"

struct vg_ssh_folder {
	char *parent; // shared by this user's sessions: the sockets by which they join
	char *path;   // this session's own
	char *config; // PATH/config
};

// Makes and fills it; what killed sessions left there is removed.
struct vg_error *vg_ssh_folder_make(const char *home, const struct vg_record *record,
	const struct vg_node *node, struct vg_ssh_folder *ret_folder) VG_MUST_CHECK;
// Removes it, and its parent with the last.
void vg_ssh_folder_remove(struct vg_ssh_folder *folder);
