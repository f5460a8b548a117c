// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <string.h>
#include <sys/random.h>

struct entry {
	char *key;
	void *value;
	uint64_t hash;
};

struct vg_map {
	struct entry *entries; // in order of insertion
	size_t n_entries;
	size_t *slots; // open addressing: index into entries plus 1, 0 is free
	size_t n_slots;
	uint64_t seed; // names come from users: no chosen collisions
};

struct vg_map *vg_map_new(void)
{
	struct vg_map *map = vg_new(struct vg_map);
	if (getrandom(&map->seed, sizeof(map->seed), GRND_NONBLOCK) < 0)
		map->seed = (uint64_t)(uintptr_t)map;
	return map;
}

void vg_map_free(struct vg_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->n_entries; i++)
		free(map->entries[i].key);
	free(map->entries);
	free(map->slots);
	free(map);
}

// FNV-1a over the seed and the key, then mixed as in splitmix64.
static uint64_t hash(const struct vg_map *map, const char *key)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325) ^ map->seed;
	for (; *key; key++)
		value = (value ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	return value ^ (value >> 31);
}

static void place(struct vg_map *map, size_t index)
{
	size_t at = map->entries[index].hash & (map->n_slots - 1);
	while (map->slots[at])
		at = (at + 1) & (map->n_slots - 1);
	map->slots[at] = index + 1;
}

static void widen(struct vg_map *map)
{
	free(map->slots);
	map->n_slots = map->n_slots ? map->n_slots * 2 : 16;
	map->slots = vg_alloc(map->n_slots * sizeof(*map->slots));
	for (size_t i = 0; i < map->n_entries; i++)
		place(map, i);
}

static struct entry *find(const struct vg_map *map, const char *key)
{
	if (!map->n_slots)
		return NULL;
	uint64_t wanted = hash(map, key);
	for (size_t at = wanted & (map->n_slots - 1); map->slots[at];
		at = (at + 1) & (map->n_slots - 1)) {
		struct entry *entry = &map->entries[map->slots[at] - 1];
		if (entry->hash == wanted && strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

void *vg_map_set(struct vg_map *map, const char *key, void *value)
{
	struct entry *entry = find(map, key);
	if (entry) {
		void *before = entry->value;
		entry->value = value;
		return before;
	}
	vg_append(map->entries, map->n_entries) =
		(struct entry){vg_strdup(key), value, hash(map, key)};
	if (map->n_entries * 2 > map->n_slots)
		widen(map);
	else
		place(map, map->n_entries - 1);
	return NULL;
}

void *vg_map_get(const struct vg_map *map, const char *key)
{
	struct entry *entry = find(map, key);
	return entry ? entry->value : NULL;
}

bool vg_map_has(const struct vg_map *map, const char *key)
{
	return find(map, key) != NULL;
}

size_t vg_map_size(const struct vg_map *map)
{
	return map->n_entries;
}

const char *vg_map_key_at(const struct vg_map *map, size_t i)
{
	assert(i < map->n_entries);
	return map->entries[i].key;
}

void *vg_map_value_at(const struct vg_map *map, size_t i)
{
	assert(i < map->n_entries);
	return map->entries[i].value;
}
