// SPDX-License-Identifier: Apache-2.0
//
// What every unit test includes first: cmocka with what its header forgets to include.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/defs.h"

// A part that the test needs is missing: skipped, with the reason; but the full run skips nothing.
#define vg_test_lacks(part)                                                                        \
	do {                                                                                       \
		if (getenv("CI"))                                                                  \
			fail_msg("%s is missing, and the full run skips nothing", part);           \
		print_message("skipped: %s is missing\n", part);                                   \
		skip();                                                                            \
	} while (0)
