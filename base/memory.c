// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BLOCK_SIZE = 64 * 1024, ARENA_ALIGNMENT = 16 };

void *vg_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);
	if (!memory)
		abort();
	return memory;
}

void *vg_realloc(void *memory, size_t size)
{
	void *moved = realloc(memory, size ? size : 1);
	if (!moved)
		abort();
	return moved;
}

char *vg_strdup(const char *text)
{
	return vg_strndup(text, strlen(text));
}

char *vg_strndup(const char *text, size_t length)
{
	length = strnlen(text, length);
	char *copy = vg_alloc(length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *vg_vformat(const char *format, va_list arguments)
{
	char *text = NULL;
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	return text;
}

char *vg_format(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = vg_vformat(format, arguments);
	va_end(arguments);
	return text;
}

void *vg_grow(void *items, size_t n_items, size_t item_size)
{
	// Capacity is always the next power of two, so it need not be stored.
	if (n_items == 0 || (n_items & (n_items - 1)) == 0) {
		size_t capacity = n_items ? n_items * 2 : 1;
		items = vg_realloc(items, capacity * item_size);
	}
	memset((char *)items + n_items * item_size, 0, item_size);
	return items;
}

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(ARENA_ALIGNMENT) char bytes[];
};

struct vg_arena {
	struct block *blocks;
	size_t total;
};

struct vg_arena *vg_arena_new(void)
{
	return vg_new(struct vg_arena);
}

void vg_arena_free(struct vg_arena *arena)
{
	if (!arena)
		return;
	for (struct block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void *vg_arena_alloc(struct vg_arena *arena, size_t size)
{
	size = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	struct block *block = arena->blocks;
	if (!block || block->size - block->used < size) {
		size_t room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
		block = vg_alloc(sizeof(*block) + room);
		block->size = room;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	void *memory = block->bytes + block->used;
	block->used += size;
	arena->total += size;
	return memory;
}

char *vg_arena_strdup(struct vg_arena *arena, const char *text)
{
	return vg_arena_strndup(arena, text, strlen(text));
}

char *vg_arena_strndup(struct vg_arena *arena, const char *text, size_t length)
{
	length = strnlen(text, length);
	char *copy = vg_arena_alloc(arena, length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *vg_arena_format(struct vg_arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *text = vg_vformat(format, arguments);
	va_end(arguments);
	return vg_arena_strdup(arena, text);
}

void *vg_arena_copy(struct vg_arena *arena, const void *items, size_t n_items, size_t item_size)
{
	void *copy = vg_arena_alloc(arena, n_items * item_size);
	if (n_items)
		memcpy(copy, items, n_items * item_size);
	return copy;
}

size_t vg_arena_size(const struct vg_arena *arena)
{
	return arena->total;
}
