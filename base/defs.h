// SPDX-License-Identifier: Apache-2.0
//
// The few macros that every file uses: ownership that shows, array lengths, formats. Includes
// nothing of ours.
//
//	_auto(vg_plan) struct vg_plan *plan = NULL;   frees at the end of the scope
//	return vg_take(plan);                         hands it on instead
#pragma once

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _auto(noun) __attribute__((cleanup(noun##_auto_free)))

// Makes `_auto(noun)` work for `struct noun *`, by noun_free().
#define VG_AUTO(noun)                                                                              \
	static inline void noun##_auto_free(struct noun **pointer)                                 \
	{                                                                                          \
		noun##_free(*pointer);                                                             \
	}                                                                                          \
	struct noun

#define vg_take(pointer)                                                                           \
	__extension__({                                                                            \
		__auto_type taken_ = (pointer);                                                    \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

#define VG_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define VG_MUST_CHECK __attribute__((warn_unused_result))
#define VG_PRINTF(string_, first_) __attribute__((format(printf, string_, first_)))

// `_auto(vg_string) char *text = NULL;` for strings from malloc.
static inline void vg_string_auto_free(char **pointer)
{
	free(*pointer);
}

// `_auto(vg_fd) int fd = -1;`
static inline void vg_fd_auto_free(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

// Hands a descriptor on: the variable becomes -1.
static inline int vg_take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}
