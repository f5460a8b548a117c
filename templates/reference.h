// SPDX-License-Identifier: Apache-2.0
//
// References in a user's text: `${workers}`, `${head.ip.lan}`; `$${` is a literal `${`. Cut here
// into parts; check.h says whether they mean something, bind.h puts the values in. Pure.
#pragma once

#include "base/defs.h"

enum vg_reference_kind {
	VG_REFERENCE_LITERAL, // text that stands for itself
	VG_REFERENCE_PARAMETER,
	VG_REFERENCE_GRID_NAME,
	VG_REFERENCE_GRID_UUID,
	VG_REFERENCE_NODE_NAME,
	VG_REFERENCE_NODE_INDEX,
	VG_REFERENCE_ROLE_COUNT,
	VG_REFERENCE_ROLE_NAMES,
	VG_REFERENCE_ROLE_IP,
	VG_REFERENCE_ROLE_IPS,
	VG_REFERENCE_UNKNOWN, // of no form that the language has, or without its `}`
};

enum { VG_REFERENCE_NAME_SIZE = 64 };

struct vg_reference {
	enum vg_reference_kind kind;
	const char *text; // the literal, or the whole `${…}`; borrowed from the user's text
	size_t length;
	char subject[VG_REFERENCE_NAME_SIZE]; // the parameter or the role
	char network[VG_REFERENCE_NAME_SIZE]; // of ROLE_IP and ROLE_IPS
};

// Takes the next part off *text. False at the end.
//	for (const char *at = text; vg_reference_next(&at, &reference);)
bool vg_reference_next(const char **text, struct vg_reference *ret_reference);

// Is there a reference in it?
bool vg_reference_in(const char *text);
// Does what it expands to differ from node to node?
bool vg_reference_in_node(const char *text);
// Is all of it one `${PARAMETER}`? Then its name.
bool vg_reference_is_parameter(const char *text, char ret_name[VG_REFERENCE_NAME_SIZE]);
