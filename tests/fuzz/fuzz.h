// SPDX-License-Identifier: Apache-2.0
//
// What every fuzz target includes: libFuzzer's entry, and how a target says that a promise was
// broken. A target is one file that hands foreign bytes to one reader; tests/fuzz/run runs them.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

// libFuzzer (llvm.org/docs/LibFuzzer.html) calls it with each input.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

// Holds in every build, and shows where it did not.
#define fuzz_must(claim)                                                                           \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #claim);        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

// The input as text: without its NULs, one behind it. malloc'ed.
static inline char *fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = vg_alloc(size + 1);
	size_t length = 0;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			text[length++] = (char)bytes[i];
	}
	return text;
}
