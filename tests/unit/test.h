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
