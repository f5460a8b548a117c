// SPDX-License-Identifier: Apache-2.0
//
// A hash map from strings to pointers: lookups by name where there may be ten thousand. Keeps the
// order of insertion. Does not own the values; owns copies of the keys.
#pragma once

#include "base/memory.h"

struct vg_map;

struct vg_map *vg_map_new(void);
void vg_map_free(struct vg_map *map);
VG_AUTO(vg_map);

// Sets or replaces; returns the value that was there before, or NULL.
void *vg_map_set(struct vg_map *map, const char *key, void *value);
void *vg_map_get(const struct vg_map *map, const char *key); // NULL if it is not there
bool vg_map_has(const struct vg_map *map, const char *key);
size_t vg_map_size(const struct vg_map *map);
// The i-th entry in order of insertion; i < vg_map_size().
const char *vg_map_key_at(const struct vg_map *map, size_t i);
void *vg_map_value_at(const struct vg_map *map, size_t i);
