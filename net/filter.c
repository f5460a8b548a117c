// SPDX-License-Identifier: Apache-2.0
#include "net/filter.h"

#include "base/memory.h"

struct vg_net {
	struct vg_call_line line;
	const struct vg_net_driver *below;
	struct vg_net *net; // of the driver below
	char *host;
};

// The arguments and results of any operation; each uses some. All are its own.
struct call {
	struct vg_call call;
	const struct vg_net_driver *below;
	struct vg_net *net; // of an open(): its result
	char *store, *grid, *endpoint, *key, *certificate, *authority;
	struct vg_net_target target;
	bool is_open;
	struct vg_net_facts facts;
	struct vg_net_peer *peers;
	size_t n_peers;
	unsigned size, *mtus;
	struct vg_slice *slice; // wanted, or seen
	char **grids;
	size_t n_grids;
};

static struct call *call_of(struct vg_call *call)
{
	return (struct call *)call;
}

static void call_done(struct vg_call *base)
{
	struct call *call = call_of(base);
	if (call->is_open && call->net)
		call->below->close(call->net);
	vg_slice_free(call->slice);
	for (size_t i = 0; i < call->n_grids; i++)
		free(call->grids[i]);
	free(call->grids);
	free(call->store);
	free(call->grid);
	free(call->endpoint);
	free(call->key);
	free(call->certificate);
	free(call->authority);
	vg_net_facts_done(&call->facts);
	for (size_t i = 0; i < call->n_peers; i++)
		free((char *)call->peers[i].host);
	free(call->peers);
	free(call->mtus);
}

static struct vg_error *act_open(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->open(&call->target, &call->net);
}

static struct vg_error *act_converge(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->converge(call->net, call->slice);
}

static struct vg_error *act_observe(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->observe(call->net, call->store, call->grid, &call->slice);
}

static struct vg_error *act_owners(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->owners(call->net, call->store, &call->grids, &call->n_grids);
}

static struct vg_error *act_facts(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->facts(call->net, &call->facts);
}

static struct vg_error *act_reach(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->reach(
		call->net, call->peers, call->n_peers, call->size, &call->mtus);
}

// A thousand overlays in one batch take their time.
#define OPERATION(name, limit_s, only_looks)                                                       \
	static const struct vg_operation name##_operation = {                                      \
		"net." #name, "the network", limit_s, only_looks, act_##name}
OPERATION(open, 60, true);
OPERATION(converge, 300, false);
OPERATION(observe, 60, true);
OPERATION(owners, 60, true);
OPERATION(facts, 60, true);
OPERATION(reach, 20, true);

static struct call *new_call(struct vg_net *self, const struct vg_operation *operation)
{
	struct call *call = vg_new(struct call);
	call->call = (struct vg_call){.operation = operation,
		.line = &self->line,
		.who = vg_strdup(self->host),
		.done = call_done};
	call->below = self->below;
	call->net = self->net;
	return call;
}

static void call_free(struct call *call)
{
	vg_call_free(call ? &call->call : NULL);
}
VG_AUTO(call);

static struct vg_error *make(struct call **call)
{
	struct vg_call *base = &(*call)->call;
	struct vg_error *error = vg_call_make(&base, 0);
	if (!base)
		*call = NULL;
	return error;
}

static void close_host(struct vg_net *self)
{
	// Who comes back late finds everything as it was.
	if (!self || atomic_load(&self->line.n_owed))
		return;
	self->below->close(self->net);
	free(self->host);
	free(self);
}

static char *copy(const char *text)
{
	return text ? vg_strdup(text) : NULL;
}

struct vg_error *vg_net_filter_open(const struct vg_net_driver *below,
	const struct vg_call_rules *rules, const struct vg_net_target *target, struct vg_net **ret)
{
	struct vg_net *self = vg_new(struct vg_net);
	self->host = vg_strdup(target->host);
	self->line = (struct vg_call_line){.rules = rules, .host = self->host};
	self->below = below;
	_auto(call) struct call *call = new_call(self, &open_operation);
	call->is_open = true;
	call->endpoint = copy(target->endpoint);
	call->key = copy(target->tls.key);
	call->certificate = copy(target->tls.certificate);
	call->authority = copy(target->tls.authority);
	call->target = *target;
	call->target.host = self->host;
	call->target.endpoint = call->endpoint;
	call->target.tls = (struct vg_tls_files){call->key, call->certificate, call->authority};
	struct vg_error *error = make(&call);
	if (!error) {
		self->net = vg_take(call->net);
		*ret = self;
	} else if (call) {
		free(self->host);
		free(self);
	}
	return error;
}

static struct vg_error *converge(struct vg_net *self, const struct vg_slice *wanted)
{
	_auto(call) struct call *call = new_call(self, &converge_operation);
	call->slice = vg_slice_copy(wanted);
	struct vg_error *error = make(&call);
	return wanted->n_overlays ? vg_error_place(error, wanted->overlays[0].place) : error;
}

static struct vg_error *observe(
	struct vg_net *self, const char *store, const char *grid, struct vg_slice **ret_seen)
{
	_auto(call) struct call *call = new_call(self, &observe_operation);
	call->store = vg_strdup(store);
	call->grid = vg_strdup(grid);
	struct vg_error *error = make(&call);
	if (!error)
		*ret_seen = vg_take(call->slice);
	return error;
}

static struct vg_error *owners(
	struct vg_net *self, const char *store, char ***ret_grids, size_t *ret_n_grids)
{
	_auto(call) struct call *call = new_call(self, &owners_operation);
	call->store = vg_strdup(store);
	struct vg_error *error = make(&call);
	if (error)
		return error;
	*ret_n_grids = call->n_grids;
	*ret_grids = vg_take(call->grids);
	call->n_grids = 0;
	return NULL;
}

static struct vg_error *facts(struct vg_net *self, struct vg_net_facts *ret_facts)
{
	if (!self->below->facts) {
		*ret_facts = (struct vg_net_facts){.datapath = "system",
			.why_not = vg_strdup("the driver neither guards ports nor limits rates")};
		return NULL;
	}
	_auto(call) struct call *call = new_call(self, &facts_operation);
	struct vg_error *error = make(&call);
	if (error)
		return error;
	*ret_facts = call->facts;
	call->facts = (struct vg_net_facts){0};
	return NULL;
}

static struct vg_error *reach(struct vg_net *self, const struct vg_net_peer *peers, size_t n_peers,
	unsigned size, unsigned **ret_mtus)
{
	_auto(call) struct call *call = new_call(self, &reach_operation);
	for (size_t i = 0; i < n_peers; i++)
		vg_append(call->peers, call->n_peers) =
			(struct vg_net_peer){vg_strdup(peers[i].host), peers[i].address};
	call->size = size;
	struct vg_error *error = make(&call);
	if (!error)
		*ret_mtus = vg_take(call->mtus);
	return error;
}

const struct vg_net_driver vg_net_filtered = {
	.name = "filter",
	.close = close_host,
	.converge = converge,
	.observe = observe,
	.owners = owners,
	.facts = facts,
	.reach = reach,
};
