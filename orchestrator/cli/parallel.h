// SPDX-License-Identifier: Apache-2.0
//
// The same act for many items on a few threads: probes of nodes that may hang must not queue behind
// one another. Used by status and test.
#pragma once

#include "base/defs.h"

// Calls act(data, i) for each i < n, on at most n_threads threads; returns when all are done.
void vg_parallel(size_t n, size_t n_threads, void (*act)(void *data, size_t i), void *data);
