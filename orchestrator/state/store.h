// SPDX-License-Identifier: Apache-2.0
//
// Where records live: the file store, HOME/grids/KEY/{record.json,secret,lock}. Writes are atomic;
// a lock a grid orders the commands that change it.
#pragma once

#include "orchestrator/state/record.h"

struct vg_context;

// GRID is `NAME` or `NAME@SITE`. VG_ERROR_NOT_FOUND with a "did you mean"; an ambiguity is a usage
// error that lists them. malloc'ed key.
struct vg_error *vg_store_resolve(const struct vg_context *context, const char *grid, char **ret_key)
	VG_MUST_CHECK;
// All keys, sorted; free with vg_folder_list_free().
struct vg_error *vg_store_list(const struct vg_context *context, char ***ret_keys, size_t *ret_n)
	VG_MUST_CHECK;
// VG_ERROR_NOT_FOUND when there is none.
struct vg_error *vg_store_load(const struct vg_context *context, const char *key,
	struct vg_record **ret_record) VG_MUST_CHECK;
// Raises the generation and writes; on an error the old record is intact.
struct vg_error *vg_store_save(const struct vg_context *context, struct vg_record *record)
	VG_MUST_CHECK;
// Removes the record and the grid's folder.
struct vg_error *vg_store_remove(const struct vg_context *context, const char *key) VG_MUST_CHECK;
// Waits for the grid's lock, saying for whom. `doing` is shown to those who wait. Closing the
// descriptor unlocks.
struct vg_error *vg_store_lock(struct vg_context *context, const char *key, const char *doing,
	int *ret_fd) VG_MUST_CHECK;
// Is somebody changing the grid, this process included?
bool vg_store_is_locked(const struct vg_context *context, const char *key);
// Has the grid a record?
bool vg_store_has(const struct vg_context *context, const char *key);
// Unlocks for good: nothing of the lock stays. For a grid that is gone.
void vg_store_unlock_gone(const struct vg_context *context, const char *key, int *fd);
// There is no grid of this name: removes what an up of it left that was killed before its first record.
void vg_store_tidy(struct vg_context *context, const char *grid);
// Ledgers are swapped by one at a time. Never held while anybody is asked or waited for.
struct vg_error *vg_store_lock_ledger(const struct vg_context *context, int *ret_fd) VG_MUST_CHECK;
