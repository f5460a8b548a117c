// SPDX-License-Identifier: Apache-2.0
#include "compute/filter.h"

#include "base/memory.h"

struct vg_compute {
	struct vg_call_line line;
	const struct vg_compute_driver *below;
	struct vg_compute *compute; // of the driver below
	char *host;
};

// The arguments and results of any operation; each uses some. All are its own.
struct call {
	struct vg_call call;
	const struct vg_compute_driver *below;
	struct vg_compute *compute; // of an open(): its result
	char *uuid;
	char *text; // store, request or channel
	char *grid;
	uint64_t number; // timeout or offset
	size_t size_max;
	enum vg_machine_stop how;
	struct vg_arena *arena; // holds the two below
	const struct vg_machine *machine;
	const struct vg_compute_target *target;

	struct vg_machines_seen seen;
	enum vg_machine_state state;
	const char *reason;
	char *bytes;
	size_t size;
	uint64_t end;
	int fd;
	struct vg_compute_facts facts;
};

static struct call *call_of(struct vg_call *call)
{
	return (struct call *)call;
}

static void call_done(struct vg_call *base)
{
	struct call *call = call_of(base);
	if (call->target && call->compute)
		call->below->close(call->compute);
	vg_machines_seen_done(&call->seen);
	if (call->fd >= 0)
		close(call->fd);
	vg_arena_free(call->arena);
	free(call->uuid);
	free(call->text);
	free(call->grid);
	free(call->bytes);
	vg_compute_facts_done(&call->facts);
}

static struct vg_error *act_open(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->open(call->target, &call->compute);
}

static struct vg_error *act_observe(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->observe(call->compute, call->text, call->grid, &call->seen);
}

static struct vg_error *act_state(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->state(call->compute, call->uuid, &call->state, &call->reason);
}

static struct vg_error *act_define(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->define(call->compute, call->machine);
}

static struct vg_error *act_start(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->start(call->compute, call->uuid);
}

static struct vg_error *act_stop(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->stop(call->compute, call->uuid, call->how, call->number);
}

static struct vg_error *act_remove(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->remove(call->compute, call->uuid);
}

static struct vg_error *act_agent(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->agent(
		call->compute, call->uuid, call->text, (unsigned)call->number, &call->bytes);
}

static struct vg_error *act_console_log(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->console_log(call->compute, call->uuid, call->number, call->size_max,
		&call->bytes, &call->size, &call->end);
}

static struct vg_error *act_open_stream(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->open_stream(call->compute, call->uuid, call->text, &call->fd);
}

static struct vg_error *act_facts(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->facts(call->compute, &call->facts);
}

// A start has the emulator ask its CPU model and waits behind others; a removal undoes all of it. For
// the facts an emulator may have to be started for the first time.
#define OPERATION(name, limit_s, only_looks)                                                       \
	static const struct vg_operation name##_operation = {                                      \
		"compute." #name, "the hypervisor", limit_s, only_looks, act_##name}
OPERATION(open, 60, true);
OPERATION(observe, 60, true);
OPERATION(state, 60, true);
OPERATION(define, 60, false);
OPERATION(start, 180, false);
OPERATION(stop, 60, false);
OPERATION(remove, 120, false);
OPERATION(agent, 60, false);
OPERATION(console_log, 60, true);
OPERATION(open_stream, 60, true);
OPERATION(facts, 20, true);

static struct call *new_call(
	struct vg_compute *self, const struct vg_operation *operation, const char *who)
{
	struct call *call = vg_new(struct call);
	call->call = (struct vg_call){.operation = operation,
		.line = &self->line,
		.who = who ? vg_strdup(who) : NULL,
		.done = call_done};
	call->below = self->below;
	call->compute = self->compute;
	call->fd = -1;
	return call;
}

static void call_free(struct call *call)
{
	vg_call_free(call ? &call->call : NULL);
}
VG_AUTO(call);

// To a machine, which it is done to.
static struct call *new_machine_call(
	struct vg_compute *self, const struct vg_operation *operation, const char *uuid)
{
	struct call *call = new_call(self, operation, uuid);
	call->uuid = vg_strdup(uuid);
	return call;
}

static struct vg_error *make(struct call **call, uint64_t own_ms)
{
	struct vg_call *base = &(*call)->call;
	struct vg_error *error = vg_call_make(&base, own_ms);
	if (!base)
		*call = NULL;
	return error;
}

static void close_host(struct vg_compute *self)
{
	// Who comes back late finds everything as it was.
	if (!self || atomic_load(&self->line.n_owed))
		return;
	self->below->close(self->compute);
	free(self->host);
	free(self);
}

static const struct vg_compute_target *copy_target(
	struct vg_arena *arena, const struct vg_compute_target *target)
{
	struct vg_compute_target *copy = vg_arena_copy(arena, target, 1, sizeof(*target));
	const char **texts[] = {&copy->host, &copy->uri, &copy->folder, &copy->folder_seen};
	for (size_t i = 0; i < VG_LENGTH(texts); i++)
		*texts[i] = *texts[i] ? vg_arena_strdup(arena, *texts[i]) : NULL;
	return copy;
}

struct vg_error *vg_compute_filter_open(const struct vg_compute_driver *below,
	const struct vg_call_rules *rules, const struct vg_compute_target *target,
	struct vg_compute **ret)
{
	struct vg_compute *self = vg_new(struct vg_compute);
	self->host = vg_strdup(target->host);
	self->line = (struct vg_call_line){.rules = rules, .host = self->host};
	self->below = below;
	_auto(call) struct call *call = new_call(self, &open_operation, target->host);
	call->arena = vg_arena_new();
	call->target = copy_target(call->arena, target);
	struct vg_error *error = make(&call, 0);
	if (!error) {
		self->compute = vg_take(call->compute);
		*ret = self;
	} else if (call) {
		free(self->host);
		free(self);
	}
	return error;
}

static struct vg_error *observe(struct vg_compute *self, const char *store, const char *grid,
	struct vg_machines_seen *ret_seen)
{
	_auto(call) struct call *call = new_call(self, &observe_operation, grid);
	call->text = vg_strdup(store);
	call->grid = grid ? vg_strdup(grid) : NULL;
	struct vg_error *error = make(&call, 0);
	if (!error) {
		*ret_seen = call->seen;
		call->seen = (struct vg_machines_seen){0};
	}
	return error;
}

static struct vg_error *state(struct vg_compute *self, const char *uuid,
	enum vg_machine_state *ret_state, const char **ret_reason)
{
	_auto(call) struct call *call = new_machine_call(self, &state_operation, uuid);
	struct vg_error *error = make(&call, 0);
	if (!error) {
		*ret_state = call->state;
		*ret_reason = call->reason;
	}
	return error;
}

static struct vg_error *define(struct vg_compute *self, const struct vg_machine *machine)
{
	_auto(call) struct call *call = new_call(self, &define_operation, machine->name);
	call->arena = vg_arena_new();
	call->machine = vg_machine_copy(call->arena, machine);
	return vg_error_place(make(&call, 0), machine->place);
}

static struct vg_error *start(struct vg_compute *self, const char *uuid)
{
	_auto(call) struct call *call = new_machine_call(self, &start_operation, uuid);
	return make(&call, 0);
}

static struct vg_error *stop(
	struct vg_compute *self, const char *uuid, enum vg_machine_stop how, uint64_t timeout_ms)
{
	_auto(call) struct call *call = new_machine_call(self, &stop_operation, uuid);
	call->how = how;
	call->number = timeout_ms;
	return make(&call, how == VG_STOP_CLEAN ? timeout_ms : 0);
}

static struct vg_error *remove_machine(struct vg_compute *self, const char *uuid)
{
	_auto(call) struct call *call = new_machine_call(self, &remove_operation, uuid);
	return make(&call, 0);
}

static struct vg_error *agent(struct vg_compute *self, const char *uuid, const char *request,
	unsigned timeout_s, char **ret_reply)
{
	_auto(call) struct call *call = new_machine_call(self, &agent_operation, uuid);
	call->text = vg_strdup(request);
	call->number = timeout_s;
	struct vg_error *error = make(&call, timeout_s * 1000ull);
	if (!error)
		*ret_reply = vg_take(call->bytes);
	return error;
}

static struct vg_error *console_log(struct vg_compute *self, const char *uuid, uint64_t offset,
	size_t size_max, char **ret_bytes, size_t *ret_size, uint64_t *ret_end)
{
	_auto(call) struct call *call = new_machine_call(self, &console_log_operation, uuid);
	call->number = offset;
	call->size_max = size_max;
	struct vg_error *error = make(&call, 0);
	if (!error) {
		*ret_bytes = vg_take(call->bytes);
		*ret_size = call->size;
		*ret_end = call->end;
	}
	return error;
}

static struct vg_error *open_stream(
	struct vg_compute *self, const char *uuid, const char *channel, int *ret_fd)
{
	_auto(call) struct call *call = new_machine_call(self, &open_stream_operation, uuid);
	call->text = channel ? vg_strdup(channel) : NULL;
	struct vg_error *error = make(&call, 0);
	if (!error)
		*ret_fd = vg_take_fd(&call->fd);
	return error;
}

static struct vg_error *facts(struct vg_compute *self, struct vg_compute_facts *ret_facts)
{
	_auto(call) struct call *call = new_call(self, &facts_operation, self->host);
	struct vg_error *error = make(&call, 0);
	if (!error) {
		*ret_facts = call->facts;
		call->facts = (struct vg_compute_facts){0};
	}
	return error;
}

const struct vg_compute_driver vg_compute_filtered = {
	.name = "filter",
	.close = close_host,
	.observe = observe,
	.state = state,
	.define = define,
	.start = start,
	.stop = stop,
	.remove = remove_machine,
	.agent = agent,
	.console_log = console_log,
	.open_stream = open_stream,
	.facts = facts,
};
