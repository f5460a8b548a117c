// SPDX-License-Identifier: Apache-2.0
#include "compute/filter.h"

#include "base/filter_spec.h"
#include "base/memory.h"

struct vg_compute {
	const struct vg_compute_driver *below;
	struct vg_compute *compute; // of the driver below
	struct vg_filter *filter;
};

struct vg_error *vg_compute_filter_open(const struct vg_compute_driver *below,
	struct vg_filter *filter, const struct vg_compute_target *target, struct vg_compute **ret)
{
	struct vg_filter_call call;
	struct vg_compute *compute = NULL;
	struct vg_error *error = vg_filter_begin(filter, "compute.open", target->host, &call);
	if (!error)
		error = below->open(target, &compute);
	error = vg_filter_end(&call, error);
	if (error && compute)
		below->close(compute);
	if (error)
		return error;
	*ret = vg_new(struct vg_compute);
	**ret = (struct vg_compute){below, compute, filter};
	return NULL;
}

static void close_host(struct vg_compute *self)
{
	if (!self)
		return;
	self->below->close(self->compute);
	free(self);
}

static struct vg_error *observe(struct vg_compute *self, const char *store, const char *grid,
	struct vg_machines_seen *ret_seen)
{
	struct vg_filter_call call;
	struct vg_machines_seen seen = {0};
	struct vg_error *error = vg_filter_begin(self->filter, "compute.observe", grid, &call);
	if (!error)
		error = self->below->observe(self->compute, store, grid, &seen);
	error = vg_filter_end(&call, error);
	if (error)
		vg_machines_seen_done(&seen);
	else
		*ret_seen = seen;
	return error;
}

static struct vg_error *state(struct vg_compute *self, const char *uuid,
	enum vg_machine_state *ret_state, const char **ret_reason)
{
	struct vg_filter_call call;
	struct vg_error *error = vg_filter_begin(self->filter, "compute.state", uuid, &call);
	if (!error)
		error = self->below->state(self->compute, uuid, ret_state, ret_reason);
	return vg_filter_end(&call, error);
}

static struct vg_error *define(struct vg_compute *self, const struct vg_machine *machine)
{
	struct vg_filter_call call;
	struct vg_error *error =
		vg_filter_begin(self->filter, "compute.define", machine->name, &call);
	if (!error)
		error = self->below->define(self->compute, machine);
	return vg_error_place(vg_filter_end(&call, error), machine->place);
}

static struct vg_error *start(struct vg_compute *self, const char *uuid)
{
	struct vg_filter_call call;
	struct vg_error *error = vg_filter_begin(self->filter, "compute.start", uuid, &call);
	if (!error)
		error = self->below->start(self->compute, uuid);
	return vg_filter_end(&call, error);
}

static struct vg_error *stop(
	struct vg_compute *self, const char *uuid, enum vg_machine_stop how, uint64_t timeout_ms)
{
	struct vg_filter_call call;
	struct vg_error *error = vg_filter_begin(self->filter, "compute.stop", uuid, &call);
	if (!error)
		error = self->below->stop(self->compute, uuid, how, timeout_ms);
	return vg_filter_end(&call, error);
}

static struct vg_error *remove_machine(struct vg_compute *self, const char *uuid)
{
	struct vg_filter_call call;
	struct vg_error *error = vg_filter_begin(self->filter, "compute.remove", uuid, &call);
	if (!error)
		error = self->below->remove(self->compute, uuid);
	return vg_filter_end(&call, error);
}

static struct vg_error *agent(struct vg_compute *self, const char *uuid, const char *request,
	unsigned timeout_s, char **ret_reply)
{
	struct vg_filter_call call;
	_auto(vg_string) char *reply = NULL;
	struct vg_error *error = vg_filter_begin(self->filter, "compute.agent", uuid, &call);
	if (!error)
		error = self->below->agent(self->compute, uuid, request, timeout_s, &reply);
	error = vg_filter_end(&call, error);
	if (!error)
		*ret_reply = vg_take(reply);
	return error;
}

static struct vg_error *console_log(struct vg_compute *self, const char *uuid, uint64_t offset,
	size_t size_max, char **ret_bytes, size_t *ret_size, uint64_t *ret_end)
{
	struct vg_filter_call call;
	_auto(vg_string) char *bytes = NULL;
	struct vg_error *error = vg_filter_begin(self->filter, "compute.console_log", uuid, &call);
	if (!error)
		error = self->below->console_log(
			self->compute, uuid, offset, size_max, &bytes, ret_size, ret_end);
	error = vg_filter_end(&call, error);
	if (!error)
		*ret_bytes = vg_take(bytes);
	return error;
}

static struct vg_error *open_stream(
	struct vg_compute *self, const char *uuid, const char *channel, int *ret_fd)
{
	struct vg_filter_call call;
	_auto(vg_fd) int fd = -1;
	struct vg_error *error = vg_filter_begin(self->filter, "compute.open_stream", uuid, &call);
	if (!error)
		error = self->below->open_stream(self->compute, uuid, channel, &fd);
	error = vg_filter_end(&call, error);
	if (!error)
		*ret_fd = vg_take_fd(&fd);
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
};
