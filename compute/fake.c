// SPDX-License-Identifier: Apache-2.0
//
// The fake compute driver: machines in a world of JSON (compute/fake_world.h), so that plans,
// scenarios and simulations of thousands of hosts run anywhere.
#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/tag.h"
#include "base/text.h"
#include "compute/driver.h"
#include "compute/fake_world.h"

struct vg_compute {
	struct vg_fake_world *world;
	char *host;
};

// What an operation works on while the world is taken.
struct held {
	struct vg_json *root, *machines, *names; // borrowed
	struct vg_json *machine;                 // NULL: there is none
	const struct vg_json *knobs;             // NULL: none
};

// Takes the world and finds the machine. A knob that lets this operation fail does so here.
static struct vg_error *hold(
	struct vg_compute *compute, const char *uuid, const char *operation, struct held *ret_held)
{
	struct held held = {0};
	struct vg_error *error = vg_fake_world_lock(compute->world, &held.root);
	if (error)
		return error;
	struct vg_json *hosts = vg_fake_object(held.root, "hosts");
	struct vg_json *host = vg_fake_object(hosts, compute->host);
	held.machines = vg_fake_object(host, "machines");
	held.names = vg_fake_object(host, "names");
	held.machine = uuid ? vg_json_get(held.machines, uuid) : NULL;
	held.knobs = vg_fake_knobs(held.root, compute->host, held.machine);
	const char *message = vg_json_get_string(vg_json_get(held.knobs, "fail"), operation, NULL);
	if (message) {
		error = vg_error_new("host '%s': %s: %s", compute->host, operation, message);
		vg_error_ignore(vg_fake_world_unlock(compute->world, false));
		return error;
	}
	*ret_held = held;
	return NULL;
}

// Lets the world go; nothing of it is saved after an error.
static struct vg_error *let_go(struct vg_compute *compute, struct vg_error *error, bool is_changed)
{
	struct vg_error *save_error = vg_fake_world_unlock(compute->world, is_changed && !error);
	if (!error)
		return save_error;
	vg_error_ignore(save_error);
	return error;
}

// As hold(), for a machine that must be there.
static struct vg_error *hold_machine(
	struct vg_compute *compute, const char *uuid, const char *operation, struct held *ret_held)
{
	struct vg_error *error = hold(compute, uuid, operation, ret_held);
	if (error || ret_held->machine)
		return error;
	error = vg_error_of(VG_ERROR_NOT_FOUND, "host '%s': machine '%s': there is no such machine",
		compute->host, uuid);
	return let_go(compute, error, false);
}

static bool is_running(const struct vg_json *machine)
{
	return strcmp(vg_json_get_string(machine, "state", ""),
		       vg_machine_state_name(VG_MACHINE_RUNNING)) == 0;
}

static void set_state(struct vg_json *machine, enum vg_machine_state state, const char *reason)
{
	vg_json_set_string(machine, "state", vg_machine_state_name(state));
	vg_json_set_string(machine, "reason", reason);
	if (state == VG_MACHINE_STOPPED)
		vg_json_delete(machine, "now");
}

static struct vg_error *open_host(const struct vg_compute_target *target, struct vg_compute **ret)
{
	struct vg_compute *compute = vg_new(struct vg_compute);
	compute->host = vg_strdup(target->host);
	struct held held;
	struct vg_error *error = vg_fake_world_open(target->uri, &compute->world);
	if (!error)
		error = hold(compute, NULL, "open", &held);
	if (!error)
		error = let_go(compute, NULL, false);
	if (error) {
		vg_fake_world_close(compute->world);
		free(compute->host);
		free(compute);
		return error;
	}
	*ret = compute;
	return NULL;
}

static void close_host(struct vg_compute *compute)
{
	if (!compute)
		return;
	vg_fake_world_close(compute->world);
	free(compute->host);
	free(compute);
}

// The reasons have to be constants, as a hypervisor's are.
static const char *constant_reason(const char *reason)
{
	static const char *const reasons[] = {"not started", "switched off from outside",
		"the guest powered itself off", "the guest panicked or its emulator died",
		"the guest panicked", "its emulator died", "from outside"};
	for (size_t i = 0; i < VG_LENGTH(reasons); i++) {
		if (strcmp(reasons[i], reason) == 0)
			return reasons[i];
	}
	return "";
}

static enum vg_machine_state read_state(const struct vg_json *machine)
{
	const char *name = vg_json_get_string(machine, "state", "");
	for (enum vg_machine_state state = 0; state <= VG_MACHINE_CRASHED; state++) {
		if (strcmp(vg_machine_state_name(state), name) == 0)
			return state;
	}
	return VG_MACHINE_STOPPED;
}

// Of a path its last part, by which volumes are told apart.
static char **read_names(const struct vg_json *array, size_t *ret_n_names)
{
	char **names = NULL;
	size_t n_names = 0;
	for (size_t i = 0; i < vg_json_length(array); i++) {
		const char *text = vg_json_text(vg_json_at(array, i), "");
		const char *slash = strrchr(text, '/');
		vg_append(names, n_names) = vg_strdup(slash ? slash + 1 : text);
	}
	*ret_n_names = n_names;
	return names;
}

// Empty of what is not there.
static struct vg_machine_form read_form(const struct vg_json *config)
{
	uint64_t memory = (uint64_t)vg_json_get_integer(config, "memory", 0);
	unsigned cpu = (unsigned)vg_json_get_integer(config, "cpu", 0);
	struct vg_machine_form form = {memory, memory, cpu, cpu, NULL, 0, NULL, 0};
	form.links = read_names(vg_json_get(config, "links"), &form.n_links);
	form.disks = read_names(vg_json_get(config, "disks"), &form.n_disks);
	return form;
}

struct observing {
	const char *store, *grid;
	struct vg_machines_seen seen;
};

static void observe_one(const char *uuid, struct vg_json *machine, void *data)
{
	struct observing *observing = data;
	const char *tag = vg_json_get_string(machine, "tag", "");
	if (!vg_tag_is_of(tag, observing->store, NULL))
		vg_append(observing->seen.foreign, observing->seen.n_foreign) =
			vg_strdup(vg_json_get_string(machine, "name", uuid));
	if (!vg_tag_is_of(tag, observing->store, observing->grid))
		return;
	struct vg_json *now = vg_json_get(machine, "now"), *next = vg_json_get(machine, "next");
	const char *applied = vg_json_get_string(now ? now : next, "applied", NULL);
	vg_append(observing->seen.items, observing->seen.n_items) = (struct vg_machine_seen){
		.tag = vg_strdup(tag),
		.uuid = vg_strdup(uuid),
		.name = vg_strdup(vg_json_get_string(machine, "name", "")),
		.state = read_state(machine),
		.reason = constant_reason(vg_json_get_string(machine, "reason", "")),
		.applied = applied ? vg_strdup(applied) : NULL,
		.is_active = now != NULL,
		.is_defined = next != NULL,
		.now = read_form(now),
		.next = read_form(next),
	};
}

static struct vg_error *observe(struct vg_compute *compute, const char *store, const char *grid,
	struct vg_machines_seen *ret_seen)
{
	struct held held;
	struct vg_error *error = hold(compute, NULL, "observe", &held);
	if (error)
		return error;
	struct observing observing = {.store = store, .grid = grid};
	vg_json_each(held.machines, observe_one, &observing);
	error = let_go(compute, NULL, false);
	if (error)
		vg_machines_seen_done(&observing.seen);
	else
		*ret_seen = observing.seen;
	return error;
}

static struct vg_error *look_at_state(struct vg_compute *compute, const char *uuid,
	enum vg_machine_state *ret_state, const char **ret_reason)
{
	struct held held;
	struct vg_error *error = hold(compute, uuid, "state", &held);
	if (error)
		return error;
	enum vg_machine_state state = held.machine ? read_state(held.machine) : VG_MACHINE_STOPPED;
	const char *reason =
		constant_reason(vg_json_get_string(held.machine, "reason", "not defined"));
	error = let_go(compute, NULL, false);
	if (error)
		return error;
	*ret_state = state;
	*ret_reason = reason;
	return NULL;
}

static struct vg_json *config_of(const struct vg_machine *machine)
{
	struct vg_json *config = vg_json_object();
	vg_json_set_integer(config, "cpu", machine->cpu);
	vg_json_set_integer(config, "cpu_limit", machine->cpu_limit);
	vg_json_set_integer(config, "memory", (int64_t)machine->memory);
	vg_json_set_string(config, "kernel", machine->kernel);
	vg_json_set_string(config, "applied", machine->applied);
	struct vg_json *disks = vg_json_array();
	for (size_t i = 0; i < machine->n_disks; i++)
		vg_json_push(disks, vg_json_string(machine->disks[i].path));
	vg_json_set(config, "disks", disks);
	struct vg_json *links = vg_json_array();
	for (size_t i = 0; i < machine->n_nics; i++)
		vg_json_push(links, vg_json_string(machine->nics[i].link));
	vg_json_set(config, "links", links);
	return config;
}

static struct vg_error *check_owner(
	struct vg_compute *compute, const struct held *held, const struct vg_machine *machine)
{
	const char *tag = vg_json_get_string(held->machine, "tag", "");
	if (held->machine && strcmp(tag, machine->tag) != 0)
		return vg_error_new("host '%s': domain '%s' has the uuid of this machine and"
				    " belongs to '%s'",
			compute->host, vg_json_get_string(held->machine, "name", ""), tag);
	const char *uuid = vg_json_get_string(held->names, machine->name, NULL);
	if (uuid && strcmp(uuid, machine->uuid) != 0)
		return vg_error_new("host '%s': machine '%s': defining: the name has the machine of"
				    " uuid %s",
			compute->host, machine->name, uuid);
	return NULL;
}

static void put_machine(struct held *held, const struct vg_machine *machine)
{
	if (!held->machine) {
		held->machine = vg_json_object();
		vg_json_set(held->machines, machine->uuid, held->machine);
		set_state(held->machine, VG_MACHINE_STOPPED, "not started");
	}
	const char *old = vg_json_get_string(held->machine, "name", NULL);
	if (old && strcmp(old, machine->name) != 0)
		vg_json_delete(held->names, old);
	vg_json_set_string(held->names, machine->name, machine->uuid);
	vg_json_set_string(held->machine, "name", machine->name);
	vg_json_set_string(held->machine, "node", machine->node);
	vg_json_set_string(held->machine, "tag", machine->tag);
	vg_json_set(held->machine, "next", config_of(machine));
}

static struct vg_error *define(struct vg_compute *compute, const struct vg_machine *machine)
{
	struct held held;
	struct vg_error *error = hold(compute, machine->uuid, "define", &held);
	if (!error) {
		error = check_owner(compute, &held, machine);
		if (!error)
			put_machine(&held, machine);
		error = let_go(compute, error, true);
	}
	return vg_error_place(error, machine->place);
}

static struct vg_error *start(struct vg_compute *compute, const char *uuid)
{
	struct held held;
	struct vg_error *error = hold_machine(compute, uuid, "start", &held);
	if (error)
		return error;
	struct vg_json *machine = held.machine;
	if (is_running(machine))
		return let_go(compute, NULL, false);
	if (read_state(machine) == VG_MACHINE_PAUSED) {
		set_state(machine, VG_MACHINE_RUNNING, "");
		return let_go(compute, NULL, true);
	}
	int64_t boots = vg_json_get_integer(machine, "boots", 0) + 1;
	_auto(vg_string) char *boot = vg_format("boot %" PRId64, boots);
	char boot_id[VG_UUID_LENGTH];
	vg_uuid_derive(uuid, boot, boot_id);
	bool is_ready = !vg_json_get_boolean(held.knobs, "never_ready", false);
	_auto(vg_string) char *console = vg_format("%svgrid: %s\n",
		vg_json_get_string(machine, "console", ""), is_ready ? "ready" : "starting");
	vg_json_set(machine, "now", vg_json_copy(vg_json_get(machine, "next")));
	vg_json_set_integer(machine, "boots", boots);
	vg_json_set_string(machine, "boot_id", boot_id);
	vg_json_set_string(machine, "console", console);
	set_state(machine, VG_MACHINE_RUNNING, "");
	return let_go(compute, NULL, true);
}

static struct vg_error *stop(
	struct vg_compute *compute, const char *uuid, enum vg_machine_stop how, uint64_t timeout_ms)
{
	(void)timeout_ms;
	struct held held;
	struct vg_error *error = hold_machine(compute, uuid, "stop", &held);
	if (error)
		return error;
	bool was_active = read_state(held.machine) != VG_MACHINE_STOPPED;
	if (was_active)
		set_state(held.machine, VG_MACHINE_STOPPED,
			how == VG_STOP_CLEAN ? "the guest powered itself off"
					     : "switched off from outside");
	return let_go(compute, NULL, was_active);
}

static struct vg_error *remove_machine(struct vg_compute *compute, const char *uuid)
{
	struct held held;
	struct vg_error *error = hold(compute, uuid, "remove", &held);
	if (error)
		return error;
	if (held.machine) {
		vg_json_delete(held.names, vg_json_get_string(held.machine, "name", ""));
		vg_json_delete(held.machines, uuid);
	}
	return let_go(compute, NULL, held.machine);
}

static struct vg_error *ask_agent(struct vg_compute *compute, const char *uuid, const char *request,
	unsigned timeout_s, char **ret_reply)
{
	(void)timeout_s;
	struct held held;
	bool is_changed = false;
	struct vg_error *error = hold_machine(compute, uuid, "agent", &held);
	if (error)
		return error;
	if (!is_running(held.machine))
		error = vg_error_new("host '%s': machine '%s': it does not run", compute->host,
			vg_json_get_string(held.machine, "name", ""));
	else if (vg_json_get_boolean(held.knobs, "never_ready", false))
		error = vg_error_of(VG_ERROR_TIMEOUT,
			"host '%s': machine '%s': the guest agent does not answer", compute->host,
			vg_json_get_string(held.machine, "name", ""));
	else
		error = vg_fake_agent(held.machine, held.knobs, request, ret_reply,
			&is_changed);
	return let_go(compute, error, is_changed);
}

static struct vg_error *console_log(struct vg_compute *compute, const char *uuid, uint64_t offset,
	size_t size_max, char **ret_bytes, size_t *ret_size, uint64_t *ret_end)
{
	struct held held;
	struct vg_error *error = hold_machine(compute, uuid, "console_log", &held);
	if (error)
		return error;
	const char *text = vg_json_get_string(held.machine, "console", "");
	size_t length = strlen(text);
	size_t begin = offset < length ? (size_t)offset : length;
	size_t size = length - begin < size_max ? length - begin : size_max;
	*ret_bytes = vg_strndup(text + begin, size);
	*ret_size = size;
	*ret_end = begin + size;
	return let_go(compute, NULL, false);
}

static struct vg_error *open_stream(
	struct vg_compute *compute, const char *uuid, const char *channel, int *ret_fd)
{
	struct held held;
	struct vg_error *error = hold_machine(compute, uuid, "open_stream", &held);
	if (error)
		return error;
	if (!is_running(held.machine))
		return let_go(compute,
			vg_error_new("host '%s': machine '%s': it does not run", compute->host,
				vg_json_get_string(held.machine, "name", "")),
			false);
	char *greeting = vg_strdup(channel ? "" : vg_json_get_string(held.machine, "console", ""));
	error = let_go(compute, NULL, false);
	if (error) {
		free(greeting);
		return error;
	}
	return vg_fake_stream(greeting, ret_fd);
}

static char *copy_text(const struct vg_json *object, const char *key)
{
	const char *text = vg_json_get_string(object, key, NULL);
	return text ? vg_strdup(text) : NULL;
}

static uint64_t amount(const struct vg_json *object, const char *key)
{
	int64_t value = vg_json_get_integer(object, key, -1);
	return value < 0 ? UINT64_MAX : (uint64_t)value;
}

static struct vg_error *look_at_facts(
	struct vg_compute *compute, struct vg_compute_facts *ret_facts)
{
	struct held held;
	struct vg_error *error = hold(compute, NULL, "facts", &held);
	if (error)
		return error;
	const struct vg_json *known = vg_json_get(vg_json_get(held.root, "facts"), compute->host);
	bool limits_cpu = vg_json_get_boolean(known, "limits_cpu", true);
	struct vg_compute_facts facts = {
		.manager = copy_text(known, "libvirt"),
		.emulator = copy_text(known, "qemu"),
		.has_kvm = vg_json_get_boolean(known, "kvm", true),
		.cores = amount(known, "cores"),
		.memory = amount(known, "memory"),
		.limits_cpu = limits_cpu ? VG_ABILITY_YES : VG_ABILITY_NO,
		.why_not = limits_cpu ? NULL : vg_strdup("it has no cgroups"),
		.has_clock = true,
		.clock_ahead_ms = vg_json_get_integer(known, "clock_ahead_ms", 0),
	};
	error = let_go(compute, NULL, false);
	if (error)
		vg_compute_facts_done(&facts);
	else
		*ret_facts = facts;
	return error;
}

const struct vg_compute_driver vg_compute_fake = {
	.name = "fake",
	.open = open_host,
	.close = close_host,
	.observe = observe,
	.state = look_at_state,
	.define = define,
	.start = start,
	.stop = stop,
	.remove = remove_machine,
	.agent = ask_agent,
	.console_log = console_log,
	.open_stream = open_stream,
	.facts = look_at_facts,
};
