// SPDX-License-Identifier: Apache-2.0
//
// The ledger: one record per site of what its grids were promised, VNIs and what they take of each
// host. A plan is committed by one compare-and-swap on it before its first step; who loses plans
// again. The file driver keeps it in HOME/sites/SITE/ledger.json, or in HOME/ledger-SITE.json where
// the site is built in, and swaps under the store's lock.
//
// The ledger is an index: the records are what holds. Reading it settles it. An entry whose grid
// has no record, and is not being changed, is dropped (its `up` was cut off before it saved one); a
// record without an entry gets one. So a ledger that is lost is made again.
#pragma once

#include "orchestrator/state/record.h"
#include "templates/grid_resources.h"

struct vg_context;

struct vg_promise {
	char *host; // by name
	struct vg_resources amount;
};

struct vg_ledger_entry {
	char *key, *uuid; // of the grid
	uint32_t *vnis;
	size_t n_vnis;
	struct vg_promise *promises; // sorted by host
	size_t n_promises;
};

struct vg_ledger {
	char *site;   // its name
	char *stored; // what it was read from, "" if there was none: what a swap compares
	struct vg_ledger_entry *entries; // sorted by key
	size_t n_entries;
};

// `site` is a name; a site that was never used has an empty ledger.
struct vg_error *vg_ledger_load(const struct vg_context *context, const char *site,
	struct vg_ledger **ret_ledger) VG_MUST_CHECK;
void vg_ledger_free(struct vg_ledger *ledger);
VG_AUTO(vg_ledger);

// The grid's entry, NULL if it has none.
const struct vg_ledger_entry *vg_ledger_entry(const struct vg_ledger *ledger, const char *key);
// What others than `key` were promised of the host, and what `key` itself was.
struct vg_resources vg_ledger_promised(
	const struct vg_ledger *ledger, const char *host, const char *key);
struct vg_resources vg_ledger_own(
	const struct vg_ledger *ledger, const char *host, const char *key);

// Gives each network of the grid that has no VNI (0 in record->vnis), or one that another grid of
// the site was promised, the lowest free one.
struct vg_error *vg_ledger_allocate_vnis(const struct vg_ledger *ledger, uint32_t first,
	uint32_t last, struct vg_record *record) VG_MUST_CHECK;

// What the record wants becomes its grid's entry. `is_growing`: what it was promised before stays
// too, since the nodes that go are still there. Hosts that belong to the grid alone are not
// promised.
void vg_ledger_promise(
	struct vg_ledger *ledger, const struct vg_record *record, bool is_growing);
void vg_ledger_release(struct vg_ledger *ledger, const char *key);

// Writes it if the stored one is still what it was read from; *ret_is_stored says so. An empty
// ledger leaves no file.
struct vg_error *vg_ledger_swap(const struct vg_context *context, struct vg_ledger *ledger,
	bool *ret_is_stored) VG_MUST_CHECK;
// Takes the grid out (NULL: just what reading has settled), over as many swaps as it needs.
struct vg_error *vg_ledger_forget(
	const struct vg_context *context, const char *site, const char *key) VG_MUST_CHECK;
// Of every site: what a grid without a record was promised is given back. Readers do so by themselves.
struct vg_error *vg_ledger_settle(const struct vg_context *context) VG_MUST_CHECK;
