// SPDX-License-Identifier: Apache-2.0
#include "templates/bind.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/regex.h"
#include "base/text.h"
#include "templates/reference.h"

// Bounds on what references can blow a small template up to, in bytes.
enum { TEXT_SIZE_MAX = 16 << 20, GRID_SIZE_MAX = 1 << 30 };

static const char *parameter_value(const struct vg_grid *grid, const char *name)
{
	for (size_t i = 0; i < grid->n_parameters; i++) {
		if (strcmp(grid->parameters[i].name, name) == 0)
			return grid->parameters[i].value;
	}
	return NULL;
}

static const struct vg_nic_binding *nic_on(
	const struct vg_grid *grid, const struct vg_node *node, const char *network)
{
	const struct vg_role *role = vg_node_role(grid, node);
	for (size_t i = 0; node->nics && i < role->n_nics; i++) {
		if (strcmp(grid->networks[role->nics[i].network].name, network) == 0)
			return &node->nics[i];
	}
	return NULL;
}

static struct vg_error *no_meaning(
	const struct vg_phrase *phrase, const struct vg_reference *part, const char *why)
{
	return vg_error_at(phrase->place, "'%.*s' %s", part->length > 60 ? 60 : (int)part->length,
		part->text, why);
}

// Names or addresses of all nodes of a role, with spaces between.
static struct vg_error *add_nodes(const struct vg_grid *grid, const struct vg_phrase *phrase,
	const struct vg_reference *part, struct vg_text *text)
{
	const struct vg_role *role = vg_grid_role(grid, part->subject);
	if (!role)
		return no_meaning(phrase, part, "names no role");
	if (part->kind == VG_REFERENCE_ROLE_COUNT) {
		vg_text_addf(text, "%u", role->count);
		return NULL;
	}
	if (part->kind == VG_REFERENCE_ROLE_IP && role->count != 1)
		return no_meaning(phrase, part, "is the address of a role that has not one node");
	for (unsigned i = 0; i < role->count; i++) {
		const struct vg_node *node = &grid->nodes[role->first_node + i];
		char address[VG_IP_LENGTH];
		if (i)
			vg_text_add(text, " ");
		if (part->kind == VG_REFERENCE_ROLE_NAMES) {
			vg_text_add(text, node->name);
			continue;
		}
		const struct vg_nic_binding *nic = nic_on(grid, node, part->network);
		if (!nic)
			return no_meaning(phrase, part, "names a network the role is not on");
		vg_ip_write(&nic->address, address);
		vg_text_add(text, address);
	}
	return NULL;
}

static struct vg_error *add_part(const struct vg_grid *grid, const struct vg_node *node,
	const struct vg_phrase *phrase, const struct vg_reference *part, struct vg_text *text)
{
	const char *value;
	switch (part->kind) {
	case VG_REFERENCE_LITERAL:
		vg_text_add_bytes(text, part->text, part->length);
		return NULL;
	case VG_REFERENCE_PARAMETER:
		value = parameter_value(grid, part->subject);
		if (!value)
			return no_meaning(phrase, part, "names no parameter");
		vg_text_add(text, value);
		return NULL;
	case VG_REFERENCE_GRID_NAME:
		vg_text_add(text, grid->name);
		return NULL;
	case VG_REFERENCE_GRID_UUID:
		vg_text_add(text, grid->uuid);
		return NULL;
	case VG_REFERENCE_NODE_NAME:
		if (!node)
			return no_meaning(phrase, part, "has no meaning here: no node is meant");
		vg_text_add(text, node->name);
		return NULL;
	case VG_REFERENCE_NODE_INDEX:
		if (!node)
			return no_meaning(phrase, part, "has no meaning here: no node is meant");
		vg_text_addf(text, "%u", node->index);
		return NULL;
	case VG_REFERENCE_ROLE_COUNT:
	case VG_REFERENCE_ROLE_NAMES:
	case VG_REFERENCE_ROLE_IP:
	case VG_REFERENCE_ROLE_IPS:
		return add_nodes(grid, phrase, part, text);
	case VG_REFERENCE_UNKNOWN:
		return no_meaning(phrase, part, "is no reference");
	}
	return NULL;
}

struct vg_error *vg_grid_expand(const struct vg_grid *grid, const struct vg_node *node,
	const struct vg_phrase *phrase, char **ret_text)
{
	_auto(vg_text) struct vg_text text = {0};
	struct vg_reference part;
	for (const char *at = phrase->text; at && vg_reference_next(&at, &part);) {
		struct vg_error *error = add_part(grid, node, phrase, &part, &text);
		if (error)
			return error;
		if (text.length > TEXT_SIZE_MAX)
			return vg_error_at(phrase->place, "the text becomes larger than 16 MiB");
	}
	*ret_text = vg_text_take(&text);
	return NULL;
}

// The phrase for every node of a role. One that is the same for all is expanded once and shared:
// `${worker.names}` in the environment of ten thousand workers must not take their square.
struct shared {
	const struct vg_phrase *phrase;
	const char *text; // NULL: differs from node to node
};

static struct vg_error *into_arena(struct vg_grid *grid, const struct vg_node *node,
	const struct vg_phrase *phrase, const char **ret_text)
{
	_auto(vg_string) char *text = NULL;
	struct vg_error *error = vg_grid_expand(grid, node, phrase, &text);
	if (error)
		return error;
	if (vg_arena_size(grid->arena) > GRID_SIZE_MAX)
		return vg_error_at(phrase->place, "all texts together become larger than 1 GiB");
	*ret_text = vg_arena_strdup(grid->arena, text);
	return NULL;
}

static struct vg_error *share(
	struct vg_grid *grid, const struct vg_phrase *phrase, struct shared *ret_shared)
{
	*ret_shared = (struct shared){.phrase = phrase};
	if (!phrase->text || vg_reference_in_node(phrase->text))
		return NULL;
	return into_arena(grid, NULL, phrase, &ret_shared->text);
}

static struct vg_error *text_of(struct vg_grid *grid, const struct vg_node *node,
	const struct shared *shared, const char **ret_text)
{
	*ret_text = shared->text;
	if (shared->text || !shared->phrase->text)
		return NULL;
	return into_arena(grid, node, shared->phrase, ret_text);
}

// All phrases of a role in a row: environment, contents, setup, ready.
static size_t gather(const struct vg_role *role, const struct vg_phrase **phrases)
{
	size_t n = 0;
	for (size_t i = 0; i < role->n_environment; i++)
		phrases[n++] = &role->environment[i].value;
	for (size_t i = 0; i < role->n_files; i++)
		phrases[n++] = &role->files[i].content;
	phrases[n++] = &role->setup;
	phrases[n++] = &role->ready.text;
	return n;
}

static struct vg_error *bind_node(struct vg_grid *grid, const struct vg_role *role,
	struct vg_node *node, const struct shared *shared)
{
	char uuid[VG_UUID_LENGTH];
	size_t n_texts = role->n_environment + role->n_files;
	_auto(vg_string) char *name = vg_format("machine/%s", node->name);
	vg_uuid_derive(grid->identity, name, uuid);
	node->uuid = vg_arena_strdup(grid->arena, uuid);
	node->environment = vg_arena_alloc(grid->arena, n_texts * sizeof(*node->environment));
	node->contents = node->environment + role->n_environment;
	struct vg_error *error = NULL;
	for (size_t i = 0; i < n_texts && !error; i++)
		error = text_of(grid, node, &shared[i], &node->environment[i]);
	if (!error)
		error = text_of(grid, node, &shared[n_texts], &node->setup);
	if (!error)
		error = text_of(grid, node, &shared[n_texts + 1], &node->ready);
	return error;
}

static struct vg_error *bind_role(struct vg_grid *grid, const struct vg_role *role)
{
	size_t room = role->n_environment + role->n_files + 2;
	const struct vg_phrase **phrases = vg_alloc(room * sizeof(*phrases));
	struct shared *shared = vg_alloc(room * sizeof(*shared));
	struct vg_error *error = NULL;
	size_t n = gather(role, phrases);
	for (size_t i = 0; i < n && !error && role->count; i++)
		error = share(grid, phrases[i], &shared[i]);
	for (unsigned i = 0; i < role->count && !error; i++)
		error = bind_node(grid, role, &grid->nodes[role->first_node + i], shared);
	free(phrases);
	free(shared);
	return vg_error_while(error, "role '%s'", role->name);
}

struct vg_error *vg_grid_bind(struct vg_grid *grid, const char *uuid, const char *identity)
{
	grid->uuid = vg_arena_strdup(grid->arena, uuid);
	grid->identity = vg_arena_strdup(grid->arena, identity);
	for (size_t i = 0; i < grid->n_roles; i++) {
		struct vg_error *error = bind_role(grid, &grid->roles[i]);
		if (error)
			return error;
	}
	return NULL;
}

static struct vg_error *check_regex(const struct vg_grid *grid, const struct vg_role *role,
	const struct vg_phrase *phrase, const char *field)
{
	const unsigned tried[] = {0, role->count - 1};
	bool is_in_node = vg_reference_in_node(phrase->text);
	for (size_t i = 0; role->count && i < (is_in_node ? VG_LENGTH(tried) : 1); i++) {
		const struct vg_node *node = &grid->nodes[role->first_node + tried[i]];
		_auto(vg_string) char *text = NULL;
		_auto(vg_regex) struct vg_regex *regex = NULL;
		struct vg_error *error = vg_grid_expand(grid, node, phrase, &text);
		if (!error)
			error = vg_error_place(
				vg_error_while(vg_regex_make(text, &regex), "'%s' of '%s'", field,
					node->name),
				phrase->place);
		if (error)
			return error;
	}
	return NULL;
}

struct vg_error *vg_grid_check_regexes(const struct vg_grid *grid)
{
	struct vg_error *error = NULL;
	for (size_t i = 0; i < grid->n_roles && !error; i++) {
		const struct vg_role *role = &grid->roles[i];
		if (role->ready.kind == VG_READY_CONSOLE)
			error = check_regex(grid, role, &role->ready.text, "console");
	}
	for (size_t i = 0; i < grid->n_tests && !error; i++) {
		const struct vg_test *test = &grid->tests[i];
		if (test->expect.text)
			error = check_regex(
				grid, &grid->roles[test->role], &test->expect, "expect");
	}
	return error;
}
