// SPDX-License-Identifier: Apache-2.0
//
// The life of a machine by libvirt: define, start, stop, remove.
#include "compute/libvirt.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "compute/domain_xml.h"

enum { PING_S = 2, LOOK_FIRST_MS = 20, LOOK_LAST_MS = 250 };

// A domain of this uuid must carry exactly this tag; none is fine.
static struct vg_error *check_owner(struct vg_compute *compute, const struct vg_machine *machine)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	_auto(vg_string) char *tag = NULL;
	struct vg_error *error = vg_libvirt_find(compute, machine->uuid, &hold, &tag);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_free(error);
		return NULL;
	}
	if (!error && strcmp(tag, machine->tag) != 0)
		error = vg_error_new("host '%s': domain '%s' has the uuid of this machine and"
				     " belongs to '%s'",
			compute->host, vg_libvirt.virDomainGetName(hold.domain), tag);
	return error;
}

static struct vg_error *define(struct vg_compute *compute, const struct vg_machine *machine)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	_auto(vg_string) char *xml = NULL;
	struct vg_error *error = vg_domain_xml(machine, &xml);
	if (!error)
		error = check_owner(compute, machine);
	if (!error)
		error = vg_libvirt_take(compute, &hold);
	if (error)
		return error;
	// A domain of this name with another uuid is refused by libvirt itself.
	hold.domain = vg_libvirt.virDomainDefineXMLFlags(hold.connection, xml, 0);
	if (hold.domain)
		return NULL;
	_auto(vg_string) char *doing = vg_format("machine '%s': defining", machine->name);
	return vg_libvirt_error(compute, NULL, doing);
}

struct vg_error *vg_libvirt_define(struct vg_compute *compute, const struct vg_machine *machine)
{
	return vg_error_place(define(compute, machine), machine->place);
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Looks until the domain is off or the time is there. To listen for its events would need a
// connection that two threads use.
static bool wait_until_off(virDomainPtr domain, uint64_t end_ms)
{
	uint64_t wait = LOOK_FIRST_MS;
	while (vg_libvirt.virDomainIsActive(domain) == 1) {
		uint64_t now = now_ms();
		if (now >= end_ms)
			return false;
		uint64_t ms = end_ms - now < wait ? end_ms - now : wait;
		nanosleep(&(struct timespec){0, (long)ms * 1000000}, NULL);
		wait = wait * 2 < LOOK_LAST_MS ? wait * 2 : LOOK_LAST_MS;
	}
	return true;
}

// Libvirt would wait a minute for an agent that is there and does not answer: so ask that first.
static bool shut_down_by_agent(virDomainPtr domain)
{
	_auto(vg_string) char *reply = vg_libvirt.virDomainQemuAgentCommand(
		domain, "{\"execute\":\"guest-ping\"}", PING_S, 0);
	return reply &&
	       vg_libvirt.virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT) == 0;
}

// First the guest agent; whoever does not follow, or has none, gets the power button after a third
// of the time.
static bool shut_down(virDomainPtr domain, uint64_t timeout_ms)
{
	uint64_t begin = now_ms();
	if (timeout_ms == 0)
		return false;
	if (shut_down_by_agent(domain) && wait_until_off(domain, begin + timeout_ms / 3))
		return true;
	vg_libvirt.virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
	return wait_until_off(domain, begin + timeout_ms);
}

static struct vg_error *destroy(struct vg_compute *compute, virDomainPtr domain)
{
	if (vg_libvirt.virDomainIsActive(domain) == 0 ||
		vg_libvirt.virDomainDestroyFlags(domain, 0) == 0)
		return NULL;
	struct vg_error *error = vg_libvirt_error(compute, domain, "stopping");
	bool is_gone = vg_error_kind(error) == VG_ERROR_NOT_FOUND;
	if (is_gone || vg_libvirt.virDomainIsActive(domain) == 0)
		vg_error_free(vg_take(error));
	return error;
}

// Who is paused goes on from where he was.
static struct vg_error *resume(struct vg_compute *compute, virDomainPtr domain, int state)
{
	if (state == VIR_DOMAIN_PAUSED && vg_libvirt.virDomainResume(domain) < 0)
		return vg_libvirt_error(compute, domain, "resuming");
	if (state == VIR_DOMAIN_PMSUSPENDED && vg_libvirt.virDomainPMWakeup(domain, 0) < 0)
		return vg_libvirt_error(compute, domain, "waking");
	return NULL;
}

static bool has_panicked(int state, int reason)
{
	return state == VIR_DOMAIN_CRASHED ||
	       (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_CRASHED);
}

static struct vg_error *start(struct vg_compute *compute, virDomainPtr domain)
{
	int state = VIR_DOMAIN_NOSTATE, reason = 0;
	// What an earlier life said must not pass for what this one says (`ready: {console: …}`).
	vg_libvirt_console_forget(compute, domain);
	// A start is a start: a saved state that somebody left behind is not resumed.
	if (vg_libvirt.virDomainCreateWithFlags(domain, VIR_DOMAIN_START_FORCE_BOOT) == 0)
		return NULL;
	struct vg_error *error = vg_libvirt_error(compute, domain, "starting");
	if (vg_libvirt.virDomainIsActive(domain) != 1 ||
		vg_libvirt.virDomainGetState(domain, &state, &reason, 0) < 0)
		return error;
	vg_error_free(error); // it runs already, or is paused
	return resume(compute, domain, state);
}

struct vg_error *vg_libvirt_start(struct vg_compute *compute, const char *uuid)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	int state = VIR_DOMAIN_NOSTATE, reason = 0;
	struct vg_error *error = vg_libvirt_find(compute, uuid, &hold, NULL);
	if (error)
		return error;
	if (vg_libvirt.virDomainIsActive(hold.domain) != 1)
		return start(compute, hold.domain);
	if (vg_libvirt.virDomainGetState(hold.domain, &state, &reason, 0) < 0)
		return vg_libvirt_error(compute, hold.domain, "reading its state");
	if (!has_panicked(state, reason))
		return resume(compute, hold.domain, state);
	error = destroy(compute, hold.domain);
	return error ? error : start(compute, hold.domain);
}

struct vg_error *vg_libvirt_stop(
	struct vg_compute *compute, const char *uuid, enum vg_machine_stop how, uint64_t timeout_ms)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	struct vg_error *error = vg_libvirt_find(compute, uuid, &hold, NULL);
	if (error)
		return error;
	if (vg_libvirt.virDomainIsActive(hold.domain) == 0)
		return NULL;
	if (how == VG_STOP_CLEAN && shut_down(hold.domain, timeout_ms))
		return NULL;
	return destroy(compute, hold.domain);
}

struct vg_error *vg_libvirt_remove(struct vg_compute *compute, const char *uuid)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	struct vg_error *error = vg_libvirt_find(compute, uuid, &hold, NULL);
	if (!error)
		error = destroy(compute, hold.domain);
	if (!error)
		vg_libvirt_console_forget(compute, hold.domain);
	if (!error &&
		vg_libvirt.virDomainUndefineFlags(hold.domain,
			VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
				VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA |
				VIR_DOMAIN_UNDEFINE_NVRAM) < 0)
		error = vg_libvirt_error(compute, hold.domain, "removing");
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND)
		vg_error_free(vg_take(error));
	return error;
}
