// SPDX-License-Identifier: Apache-2.0
#include "bench/timer.h"

#include <stdio.h>

void bench_must(struct vg_error *error)
{
	if (!error)
		return;
	const char *hint = vg_error_remedy(error);
	fprintf(stderr, "%s%s%s\n", vg_error_text(error), hint ? "\n  " : "", hint ? hint : "");
	exit(1);
}
