// SPDX-License-Identifier: Apache-2.0
//
// The owned machines of a host, in one go.
//
// Libvirt has a bulk call for the states of all domains, and none that brings their metadata with
// it. So: one call for the states, and one light call a domain for the rest. Where there are many,
// several threads share them, each over a connection of its own.
#include "compute/libvirt.h"

#include <string.h>

#include "base/memory.h"
#include "base/tag.h"

enum { THREADS_MAX = 4, DOMAINS_PER_THREAD = 24 };

// One thread's share: the domains whose uuid falls to it.
struct share {
	struct vg_compute *compute;
	const char *store, *grid;
	unsigned n_shares, number;
	struct vg_machines_seen seen;
	struct vg_error *error;
};

static const char *reason_off(int reason)
{
	switch (reason) {
	case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
		return "the guest powered itself off";
	case VIR_DOMAIN_SHUTOFF_DESTROYED:
		return "switched off from outside";
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
		return "from outside";
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
	if (vg_libvirt.virTypedParamsGetInt(record->params, record->nparams, name, &value) <= 0)
		return 0;
	return value;
}

// What runs, which `seen` is of if the domain is active, and what its next start would make.
static struct vg_error *add_forms(struct vg_compute *compute, virDomainPtr domain,
	struct vg_domain_seen *seen, struct vg_machine_seen *item)
{
	item->is_active = seen->is_active;
	item->is_defined = !seen->is_active || vg_libvirt.virDomainIsPersistent(domain) == 1;
	struct vg_machine_form *form = seen->is_active ? &item->now : &item->next;
	*form = seen->form;
	seen->form = (struct vg_machine_form){0};
	if (!seen->is_active || !item->is_defined)
		return NULL;
	_auto(vg_domain_seen) struct vg_domain_seen next = {0};
	struct vg_error *error = vg_libvirt_read(compute, domain, VIR_DOMAIN_XML_INACTIVE, &next);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND)
		vg_error_free(vg_take(error));
	item->next = next.form;
	next.form = (struct vg_machine_form){0};
	return error;
}

static struct vg_error *look_at(struct share *share, const virDomainStatsRecord *record)
{
	unsigned char uuid[VIR_UUID_BUFLEN];
	char uuid_text[VIR_UUID_STRING_BUFLEN];
	if (vg_libvirt.virDomainGetUUID(record->dom, uuid) < 0 ||
		vg_libvirt.virDomainGetUUIDString(record->dom, uuid_text) < 0)
		return vg_libvirt_error(share->compute, record->dom, "reading its uuid");
	if (uuid[0] % share->n_shares != share->number)
		return NULL;
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	struct vg_error *error = vg_libvirt_read(share->compute, record->dom, 0, &seen);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_free(error); // it went away in between
		return NULL;
	}
	bool is_ours = !error && vg_tag_is_of(seen.tag, share->store, NULL);
	if (!error && !is_ours)
		vg_append(share->seen.foreign, share->seen.n_foreign) =
			vg_strdup(vg_libvirt.virDomainGetName(record->dom));
	if (error || !is_ours || !vg_tag_is_of(seen.tag, share->store, share->grid))
		return error;
	struct vg_machine_seen item = {
		.tag = vg_take(seen.tag),
		.uuid = vg_strdup(uuid_text),
		.name = vg_strdup(vg_libvirt.virDomainGetName(record->dom)),
		.applied = vg_take(seen.applied),
	};
	set_state(&item, parameter(record, "state.state"), parameter(record, "state.reason"));
	if (seen.keeps_crashed && item.state == VG_MACHINE_CRASHED && !seen.is_active)
		item.reason = "its emulator died";
	error = add_forms(share->compute, record->dom, &seen, &item);
	vg_append(share->seen.items, share->seen.n_items) = item;
	return error;
}

// NOWAIT: a machine whose emulator hangs does not hold up the others.
static struct vg_error *list(struct vg_compute *compute, virConnectPtr connection,
	virDomainStatsRecordPtr **ret_records, size_t *ret_n_records)
{
	int n_records = vg_libvirt.virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_STATE,
		ret_records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	if (n_records < 0)
		return vg_libvirt_error(compute, NULL, "listing its machines");
	*ret_n_records = (size_t)n_records;
	return NULL;
}

static struct vg_error *look_at_all(
	struct share *share, virDomainStatsRecordPtr *records, size_t n_records)
{
	struct vg_error *error = NULL;
	for (size_t i = 0; i < n_records && !error; i++)
		error = look_at(share, records[i]);
	return error;
}

static void *run_share(void *data)
{
	struct share *share = data;
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	virDomainStatsRecordPtr *records = NULL;
	size_t n_records = 0;
	share->error = vg_libvirt_take(share->compute, &hold);
	if (!share->error)
		share->error = list(share->compute, hold.connection, &records, &n_records);
	if (!share->error)
		share->error = look_at_all(share, records, n_records);
	vg_libvirt.virDomainStatsRecordListFree(records);
	return NULL;
}

// Appends what was seen and frees the rest; yields the share's error.
static struct vg_error *gather(struct share *share, struct vg_machines_seen *seen)
{
	for (size_t i = 0; i < share->seen.n_items; i++)
		vg_append(seen->items, seen->n_items) = share->seen.items[i];
	for (size_t i = 0; i < share->seen.n_foreign; i++)
		vg_append(seen->foreign, seen->n_foreign) = share->seen.foreign[i];
	free(share->seen.items);
	free(share->seen.foreign);
	return share->error;
}

// The first share is this thread's; a thread that cannot be started is no failure.
static struct vg_error *share_out(const struct share *whole, virDomainStatsRecordPtr *records,
	size_t n_records, struct vg_machines_seen *ret_seen)
{
	struct share shares[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	bool is_started[THREADS_MAX] = {false};
	size_t n_shares = n_records / DOMAINS_PER_THREAD + 1;
	if (n_shares > THREADS_MAX)
		n_shares = THREADS_MAX;
	for (unsigned i = 0; i < n_shares; i++) {
		shares[i] = *whole;
		shares[i].n_shares = (unsigned)n_shares;
		shares[i].number = i;
		if (i > 0)
			is_started[i] =
				pthread_create(&threads[i], NULL, run_share, &shares[i]) == 0;
	}
	_auto(vg_machines_seen) struct vg_machines_seen seen = {0};
	struct vg_error *error = NULL;
	for (size_t i = 0; i < n_shares; i++) {
		if (is_started[i])
			pthread_join(threads[i], NULL);
		else
			shares[i].error = look_at_all(&shares[i], records, n_records);
		struct vg_error *its = gather(&shares[i], &seen);
		if (!error)
			error = its;
		else
			vg_error_free(its);
	}
	if (!error) {
		*ret_seen = seen;
		seen = (struct vg_machines_seen){0};
	}
	return error;
}

struct vg_error *vg_libvirt_observe(struct vg_compute *compute, const char *store, const char *grid,
	struct vg_machines_seen *ret_seen)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	virDomainStatsRecordPtr *records = NULL;
	size_t n_records = 0;
	struct vg_error *error = vg_libvirt_take(compute, &hold);
	if (!error)
		error = list(compute, hold.connection, &records, &n_records);
	if (error)
		return error;
	const struct share whole = {.compute = compute, .store = store, .grid = grid};
	error = share_out(&whole, records, n_records, ret_seen);
	vg_libvirt.virDomainStatsRecordListFree(records);
	return error;
}

struct vg_error *vg_libvirt_state(struct vg_compute *compute, const char *uuid,
	enum vg_machine_state *ret_state, const char **ret_reason)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	struct vg_error *error = vg_libvirt_take(compute, &hold);
	if (error)
		return error;
	hold.domain = vg_libvirt.virDomainLookupByUUIDString(hold.connection, uuid);
	if (!hold.domain && vg_libvirt_code() == VIR_ERR_NO_DOMAIN) {
		*ret_state = VG_MACHINE_STOPPED;
		*ret_reason = "not defined";
		return NULL;
	}
	int state, reason;
	if (!hold.domain || vg_libvirt.virDomainGetState(hold.domain, &state, &reason, 0) < 0)
		return vg_libvirt_error(compute, hold.domain, "reading its state");
	struct vg_machine_seen seen = {0};
	set_state(&seen, state, reason);
	*ret_state = seen.state;
	*ret_reason = seen.reason;
	return NULL;
}
