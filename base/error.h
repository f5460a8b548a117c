// SPDX-License-Identifier: Apache-2.0
//
// Errors are values: NULL is success. An error is born where it happens, with the place in the
// user's file if there is one, and each caller that knows more wraps it:
//
//	return vg_error_at(nic->place, "address '%s' is taken", text);
//	return vg_error_while(err, "building network '%s'", name);
//
// and the user reads `mpi.yaml:14:5: building network 'lan': address '10.9.0.1' is taken`.
// Libraries return errors; only the command line and the executor print them.
#pragma once

#include "base/defs.h"

// Where in a user's file something was said. `file` is borrowed and must outlive the place (it is
// kept in the arena of the document); line 0 means nowhere. Lines and columns count from 1.
struct vg_place {
	const char *file;
	unsigned line, column;
};

enum vg_error_kind {
	VG_ERROR_FAILED,      // exit code 1
	VG_ERROR_USAGE,       // exit code 2: bad usage, template or site
	VG_ERROR_NOT_FOUND,   // what was asked for is not there; exit code 1
	VG_ERROR_TIMEOUT,     // exit code 1
	VG_ERROR_INTERRUPTED, // exit code 130
};

struct vg_error;

void vg_error_free(struct vg_error *error);
VG_AUTO(vg_error);

struct vg_error *vg_error_new(const char *format, ...) VG_PRINTF(1, 2) VG_MUST_CHECK;
struct vg_error *vg_error_of(enum vg_error_kind kind, const char *format, ...)
	VG_PRINTF(2, 3) VG_MUST_CHECK;
struct vg_error *vg_error_at(struct vg_place place, const char *format, ...)
	VG_PRINTF(2, 3) VG_MUST_CHECK;
// The message, then `: ` and what strerror says of errno_code.
struct vg_error *vg_error_errno(int errno_code, const char *format, ...)
	VG_PRINTF(2, 3) VG_MUST_CHECK;

// Takes `cause` and returns it with the message in front. NULL stays NULL.
struct vg_error *vg_error_while(struct vg_error *cause, const char *format, ...)
	VG_PRINTF(2, 3) VG_MUST_CHECK;
// Gives the error a place unless it has one: the innermost place wins. NULL stays NULL.
struct vg_error *vg_error_place(struct vg_error *error, struct vg_place place) VG_MUST_CHECK;
// Adds a line that says how to mend it, printed below the message. NULL stays NULL.
struct vg_error *vg_error_hint(struct vg_error *error, const char *format, ...)
	VG_PRINTF(2, 3) VG_MUST_CHECK;

// Takes `error` and returns it as one of this kind. NULL stays NULL.
struct vg_error *vg_error_as(struct vg_error *error, enum vg_error_kind kind) VG_MUST_CHECK;

enum vg_error_kind vg_error_kind(const struct vg_error *error);
// The one line described above, without the hint. Borrowed, lives as long as the error.
const char *vg_error_text(const struct vg_error *error);
// The message without its place.
const char *vg_error_message(const struct vg_error *error);
// The hint, or NULL.
const char *vg_error_remedy(const struct vg_error *error);
// The place; line 0 if it has none.
struct vg_place vg_error_where(const struct vg_error *error);

// Drops an error on purpose; the call says so to the reader.
static inline void vg_error_ignore(struct vg_error *error)
{
	vg_error_free(error);
}
