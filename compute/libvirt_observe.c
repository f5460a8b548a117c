// SPDX-License-Identifier: Apache-2.0
//
// The owned machines of a host, in one go.
//
// Libvirt has a bulk call for the states of all domains, and none that brings their metadata with
// it. So: one call for the states, and one light call a domain for the rest, several at a time over
// the one connection, so that they overlap.
#include "compute/libvirt.h"

#include <libvirt/virterror.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/tag.h"

enum { THREADS_MAX = 4, DOMAINS_PER_THREAD = 8 };

struct looking {
	struct vg_compute *compute;
	const char *store, *grid;
	virDomainStatsRecordPtr *records;
	size_t n_records;
	struct vg_machine_seen *items; // one a record; without a tag: not wanted
	struct vg_error **errors;      // one a record
	atomic_size_t next;
};

static const char *reason_off(int reason)
{
	switch (reason) {
	case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
		return "shut down by the guest";
	case VIR_DOMAIN_SHUTOFF_DESTROYED:
		return "stopped";
	case VIR_DOMAIN_SHUTOFF_CRASHED:
		return "the guest panicked or its emulator died";
	case VIR_DOMAIN_SHUTOFF_MIGRATED:
		return "moved to another host";
	case VIR_DOMAIN_SHUTOFF_SAVED:
		return "saved";
	case VIR_DOMAIN_SHUTOFF_FAILED:
		return "failed to start";
	case VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT:
		return "restored from a snapshot";
	case VIR_DOMAIN_SHUTOFF_DAEMON:
		return "its emulator ended while libvirtd was away";
	default:
		return "not started";
	}
}

static const char *reason_paused(int reason)
{
	switch (reason) {
	case VIR_DOMAIN_PAUSED_IOERROR:
		return "an I/O error of a disk";
	case VIR_DOMAIN_PAUSED_WATCHDOG:
		return "its watchdog";
	case VIR_DOMAIN_PAUSED_MIGRATION:
		return "being moved";
	case VIR_DOMAIN_PAUSED_SNAPSHOT:
		return "being copied";
	case VIR_DOMAIN_PAUSED_CRASHED:
		return "the guest panicked";
	case VIR_DOMAIN_PAUSED_STARTING_UP:
		return "starting";
	default:
		return "paused";
	}
}

static void set_state(struct vg_machine_seen *item, int state, int reason)
{
	switch (state) {
	case VIR_DOMAIN_PAUSED:
		item->state = reason == VIR_DOMAIN_PAUSED_CRASHED ? VG_MACHINE_CRASHED
								  : VG_MACHINE_PAUSED;
		item->reason = reason_paused(reason);
		break;
	case VIR_DOMAIN_PMSUSPENDED:
		item->state = VG_MACHINE_PAUSED;
		item->reason = "suspended by the guest";
		break;
	case VIR_DOMAIN_CRASHED:
		item->state = VG_MACHINE_CRASHED;
		item->reason = "the guest panicked";
		break;
	case VIR_DOMAIN_SHUTOFF:
		item->state = reason == VIR_DOMAIN_SHUTOFF_CRASHED ? VG_MACHINE_CRASHED
								   : VG_MACHINE_STOPPED;
		item->reason = reason_off(reason);
		break;
	default: // running, blocked, being shut down
		item->state = VG_MACHINE_RUNNING;
		item->reason = "";
		break;
	}
}

static int parameter(const virDomainStatsRecord *record, const char *name)
{
	int value = 0;
	if (virTypedParamsGetInt(record->params, record->nparams, name, &value) <= 0)
		return 0;
	return value;
}

static struct vg_error *look_at(struct looking *looking, size_t i)
{
	const virDomainStatsRecord *record = looking->records[i];
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	struct vg_error *error = vg_libvirt_read(looking->compute, record->dom, &seen);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_free(error); // it went away in between
		return NULL;
	}
	if (error || !vg_tag_is_of(seen.tag, looking->store, looking->grid))
		return error;
	char uuid[VIR_UUID_STRING_BUFLEN];
	if (virDomainGetUUIDString(record->dom, uuid) < 0)
		return vg_libvirt_error(looking->compute, record->dom, "reading its uuid");
	struct vg_machine_seen *item = &looking->items[i];
	item->tag = vg_take(seen.tag);
	item->uuid = vg_strdup(uuid);
	item->name = vg_strdup(virDomainGetName(record->dom));
	item->applied = vg_take(seen.applied);
	item->memory = seen.memory;
	item->cpu = seen.cpu;
	set_state(item, parameter(record, "state.state"), parameter(record, "state.reason"));
	return NULL;
}

static void *run_looking(void *data)
{
	struct looking *looking = data;
	for (size_t i; (i = atomic_fetch_add(&looking->next, 1)) < looking->n_records;)
		looking->errors[i] = look_at(looking, i);
	return NULL;
}

// This thread works too, so that no thread at all is no failure.
static void look_at_all(struct looking *looking)
{
	pthread_t threads[THREADS_MAX];
	size_t n_threads = 0;
	while (n_threads < THREADS_MAX &&
		(n_threads + 1) * DOMAINS_PER_THREAD < looking->n_records) {
		if (pthread_create(&threads[n_threads], NULL, run_looking, looking) != 0)
			break;
		n_threads++;
	}
	run_looking(looking);
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
}

// Moves what is wanted into *ret_seen, or yields the first error.
static struct vg_error *gather(struct looking *looking, struct vg_machines_seen *ret_seen)
{
	struct vg_machines_seen seen = {0};
	struct vg_error *first = NULL;
	for (size_t i = 0; i < looking->n_records; i++) {
		if (looking->items[i].tag)
			vg_append(seen.items, seen.n_items) = looking->items[i];
		if (!first)
			first = looking->errors[i];
		else
			vg_error_free(looking->errors[i]);
	}
	if (first)
		vg_machines_seen_done(&seen);
	else
		*ret_seen = seen;
	return first;
}

struct vg_error *vg_libvirt_observe(struct vg_compute *compute, const char *store, const char *grid,
	struct vg_machines_seen *ret_seen)
{
	struct looking looking = {.compute = compute, .store = store, .grid = grid};
	// NOWAIT: a machine whose emulator hangs does not hold up the others.
	int n_records = virConnectGetAllDomainStats(compute->connection, VIR_DOMAIN_STATS_STATE,
		&looking.records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	if (n_records < 0)
		return vg_libvirt_error(compute, NULL, "listing its machines");
	looking.n_records = (size_t)n_records;
	looking.items = vg_alloc((looking.n_records + 1) * sizeof(*looking.items));
	looking.errors = vg_alloc((looking.n_records + 1) * sizeof(struct vg_error *));
	look_at_all(&looking);
	struct vg_error *error = gather(&looking, ret_seen);
	free(looking.items);
	free(looking.errors);
	virDomainStatsRecordListFree(looking.records);
	return error;
}

struct vg_error *vg_libvirt_state(struct vg_compute *compute, const char *uuid,
	enum vg_machine_state *ret_state, const char **ret_reason)
{
	_auto(vg_domain_ref) virDomainPtr domain =
		virDomainLookupByUUIDString(compute->connection, uuid);
	if (!domain && vg_libvirt_code() == VIR_ERR_NO_DOMAIN) {
		*ret_state = VG_MACHINE_STOPPED;
		*ret_reason = "not defined";
		return NULL;
	}
	int state, reason;
	if (!domain || virDomainGetState(domain, &state, &reason, 0) < 0)
		return vg_libvirt_error(compute, domain, "reading its state");
	struct vg_machine_seen seen = {0};
	set_state(&seen, state, reason);
	*ret_state = seen.state;
	*ret_reason = seen.reason;
	return NULL;
}
