// SPDX-License-Identifier: Apache-2.0
#include "net/filter.h"

#include "base/filter_spec.h"
#include "base/memory.h"

struct vg_net {
	const struct vg_net_driver *below;
	struct vg_net *net; // of the driver below
	struct vg_filter *filter;
	char *host; // what the operations are done to
};

struct vg_error *vg_net_filter_open(const struct vg_net_driver *below, struct vg_filter *filter,
	const struct vg_net_target *target, struct vg_net **ret)
{
	struct vg_filter_call call;
	struct vg_net *net = NULL;
	struct vg_error *error = vg_filter_begin(filter, "net.open", target->host, &call);
	if (!error)
		error = below->open(target, &net);
	error = vg_filter_end(&call, error);
	if (error && net)
		below->close(net);
	if (error)
		return error;
	*ret = vg_new(struct vg_net);
	**ret = (struct vg_net){below, net, filter, vg_strdup(target->host)};
	return NULL;
}

static void close_host(struct vg_net *self)
{
	if (!self)
		return;
	self->below->close(self->net);
	free(self->host);
	free(self);
}

static struct vg_error *converge(struct vg_net *self, const struct vg_slice *wanted)
{
	struct vg_filter_call call;
	struct vg_error *error = vg_filter_begin(self->filter, "net.converge", self->host, &call);
	if (!error)
		error = self->below->converge(self->net, wanted);
	error = vg_filter_end(&call, error);
	return wanted->n_overlays ? vg_error_place(error, wanted->overlays[0].place) : error;
}

static struct vg_error *observe(
	struct vg_net *self, const char *store, const char *grid, struct vg_slice **ret_seen)
{
	struct vg_filter_call call;
	_auto(vg_slice) struct vg_slice *seen = NULL;
	struct vg_error *error = vg_filter_begin(self->filter, "net.observe", self->host, &call);
	if (!error)
		error = self->below->observe(self->net, store, grid, &seen);
	error = vg_filter_end(&call, error);
	if (!error)
		*ret_seen = vg_take(seen);
	return error;
}

static struct vg_error *owners(
	struct vg_net *self, const char *store, char ***ret_grids, size_t *ret_n_grids)
{
	struct vg_filter_call call;
	char **grids = NULL;
	size_t n_grids = 0;
	struct vg_error *error = vg_filter_begin(self->filter, "net.owners", self->host, &call);
	if (!error)
		error = self->below->owners(self->net, store, &grids, &n_grids);
	error = vg_filter_end(&call, error);
	for (size_t i = 0; error && i < n_grids; i++)
		free(grids[i]);
	if (error) {
		free(grids);
		return error;
	}
	*ret_grids = grids;
	*ret_n_grids = n_grids;
	return NULL;
}

const struct vg_net_driver vg_net_filtered = {
	.name = "filter",
	.close = close_host,
	.converge = converge,
	.observe = observe,
	.owners = owners,
};
