// SPDX-License-Identifier: Apache-2.0
//
// Bounds on the POSIX extended regular expressions that users write. regcomp(3) takes any: a few
// dozen characters can make it use gigabytes, and back-references, which POSIX gives only to basic
// expressions, make regexec(3) take for ever.
#pragma once

#include "base/error.h"

enum {
	VG_REGEX_LENGTH_MAX = 1000, // characters
	VG_REGEX_SIZE_MAX = 5000,   // characters once every repetition is written out
};

// A usage error when the text is no expression, too large a one, or has a back-reference.
struct vg_error *vg_regex_check(const char *text) VG_MUST_CHECK;
