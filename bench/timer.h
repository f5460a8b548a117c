// SPDX-License-Identifier: Apache-2.0
//
// What the helpers of the comparisons measure with. Used by bench/*.c alone.
#pragma once

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/error.h"

// Seconds of a clock that is never set.
static inline double bench_now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

// CPU seconds of this process (RUSAGE_SELF) or of those it has waited for (RUSAGE_CHILDREN).
static inline double bench_cpu(int who)
{
	struct rusage used;
	getrusage(who, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

// An error ends the helper.
void bench_must(struct vg_error *error);
