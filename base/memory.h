// SPDX-License-Identifier: Apache-2.0
//
// Memory: allocation that cannot fail (out of memory aborts), growing arrays, and the arena that
// holds the strings and arrays of one grid and frees them all at once.
#pragma once

#include "base/defs.h"

// Zeroed memory. Never NULL.
void *vg_alloc(size_t size);
void *vg_realloc(void *memory, size_t size);
char *vg_strdup(const char *text);
char *vg_strndup(const char *text, size_t length);
char *vg_format(const char *format, ...) VG_PRINTF(1, 2);
char *vg_vformat(const char *format, va_list arguments) VG_PRINTF(1, 0);

#define vg_new(type) ((type *)vg_alloc(sizeof(type)))

// Appends a zeroed element to a malloc'ed array and is that element:
//	vg_append(list->items, list->n_items) = item;
#define vg_append(items, n_items)                                                                  \
	(*__extension__({                                                                          \
		(items) = vg_grow((items), (n_items), sizeof(*(items)));                           \
		&(items)[(n_items)++];                                                             \
	}))

// Room for one more element behind n_items, zeroed; grows by doubling. Used by vg_append.
void *vg_grow(void *items, size_t n_items, size_t item_size);

struct vg_arena;

struct vg_arena *vg_arena_new(void);
void vg_arena_free(struct vg_arena *arena);
VG_AUTO(vg_arena);

// Zeroed, aligned for any type, lives as long as the arena.
void *vg_arena_alloc(struct vg_arena *arena, size_t size);
char *vg_arena_strdup(struct vg_arena *arena, const char *text);
char *vg_arena_strndup(struct vg_arena *arena, const char *text, size_t length);
char *vg_arena_format(struct vg_arena *arena, const char *format, ...) VG_PRINTF(2, 3);
// A copy of n_items elements of item_size bytes.
void *vg_arena_copy(struct vg_arena *arena, const void *items, size_t n_items, size_t item_size);
// Bytes handed out so far; readers of foreign bytes bound themselves by it.
size_t vg_arena_size(const struct vg_arena *arena);
