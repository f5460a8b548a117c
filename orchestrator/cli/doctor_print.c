// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/doctor_print.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "orchestrator/report/table.h"

enum { NAMED_MAX = 4 }; // hosts that are named in a row; the others are counted

// The verdicts that say the same of several hosts, or of several ways between them.
struct group {
	const struct vg_verdict *first;
	size_t n;
	struct vg_text where;
	struct vg_map *remedies; // its lines, each once
};

struct groups {
	struct group **items;
	size_t n_items;
	struct vg_map *by_words;
};

static struct group *group_of(struct groups *groups, const struct vg_verdict *verdict)
{
	_auto(vg_string) char *words = vg_format("%s\n%d\n%s\n%s", verdict->check,
		(int)verdict->grade, verdict->peer ? "peer" : "", verdict->detail);
	struct group *group = vg_map_get(groups->by_words, words);
	if (group)
		return group;
	group = vg_new(struct group);
	group->first = verdict;
	group->remedies = vg_map_new();
	vg_map_set(groups->by_words, words, group);
	vg_append(groups->items, groups->n_items) = group;
	return group;
}

static void add_remedy(struct group *group, const char *remedy)
{
	for (const char *line = remedy; line && *line;) {
		size_t length = strcspn(line, "\n");
		_auto(vg_string) char *copy = vg_strndup(line, length);
		vg_map_set(group->remedies, copy, group);
		line += length + (line[length] == '\n');
	}
}

static void add(struct groups *groups, const struct vg_verdict *verdict)
{
	struct group *group = group_of(groups, verdict);
	const char *comma = group->n ? ", " : "";
	if (verdict->host && group->n < NAMED_MAX)
		vg_text_addf(&group->where, "%s%s%s%s", comma, verdict->host,
			verdict->peer ? " to " : "", verdict->peer ? verdict->peer : "");
	group->n++;
	add_remedy(group, verdict->remedy);
}

static void name_groups(struct groups *groups, size_t n_hosts)
{
	for (size_t i = 0; i < groups->n_items; i++) {
		struct group *group = groups->items[i];
		size_t n_all = group->first->peer ? n_hosts * (n_hosts - 1) : n_hosts;
		if (!group->first->host)
			vg_text_add(&group->where, n_hosts ? "all" : "");
		if (group->n > 1 && group->n == n_all) {
			vg_text_done(&group->where);
			vg_text_add(&group->where, group->first->peer ? "each to each" : "all");
		} else if (group->n > NAMED_MAX) {
			vg_text_addf(&group->where, " and %zu more", group->n - NAMED_MAX);
		}
	}
}

static void print_table(const struct groups *groups, size_t n_hosts)
{
	static const struct vg_column columns[] = {{.title = "HOST"}, {.title = "CHECK"},
		{.title = "STATE"}, {.title = "DETAIL", .may_wrap = true}};
	size_t n_left_out = n_hosts ? 0 : 1;
	_auto(vg_table) struct vg_table *table =
		vg_table_new(columns + n_left_out, VG_LENGTH(columns) - n_left_out);
	for (size_t i = 0; i < groups->n_items; i++) {
		const struct vg_verdict *verdict = groups->items[i]->first;
		const char *const cells[] = {groups->items[i]->where.bytes, verdict->check,
			vg_verdict_name(verdict->grade), verdict->detail};
		vg_table_row(table, cells + n_left_out);
	}
	vg_table_print(table, stdout);
}

// Remedies stand by themselves, to be copied.
static void print_remedies(const struct groups *groups)
{
	for (size_t i = 0; i < groups->n_items; i++) {
		const struct group *group = groups->items[i];
		size_t n_lines = vg_map_size(group->remedies);
		if (!n_lines)
			continue;
		printf("\n%s%s%s: %s\n", group->where.length ? group->where.bytes : "",
			group->where.length ? ": " : "", group->first->check, group->first->detail);
		for (size_t k = 0; k < n_lines; k++)
			puts(vg_map_key_at(group->remedies, k));
	}
}

void vg_doctor_print(const struct vg_verdicts *verdicts, size_t n_hosts)
{
	struct groups groups = {.by_words = vg_map_new()};
	for (size_t i = 0; i < verdicts->n_items; i++)
		add(&groups, &verdicts->items[i]);
	name_groups(&groups, n_hosts);
	print_table(&groups, n_hosts);
	print_remedies(&groups);
	for (size_t i = 0; i < groups.n_items; i++) {
		vg_text_done(&groups.items[i]->where);
		vg_map_free(groups.items[i]->remedies);
		free(groups.items[i]);
	}
	free(groups.items);
	vg_map_free(groups.by_words);
}
