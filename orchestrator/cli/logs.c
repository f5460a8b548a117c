// SPDX-License-Identifier: Apache-2.0
//
// `vgrid logs GRID [NODE...]`: what nodes have written to their consoles.
#include "orchestrator/cli/verbs.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "orchestrator/cli/interrupt.h"
#include "orchestrator/run/session.h"

enum { CHUNK = 1 << 20, LOOK_EVERY_MS = 300 };

struct log {
	const struct vg_node *node;
	struct vg_host *host;
	uint64_t offset;
	struct vg_text text; // read and not shown yet
};

// Reads all that is there now.
static struct vg_error *read_more(const struct vg_session *session, struct log *log)
{
	const struct vg_compute_driver *driver = session->site->drivers->compute;
	while (true) {
		_auto(vg_string) char *bytes = NULL;
		size_t size = 0;
		uint64_t end = log->offset;
		struct vg_error *error = driver->console_log(log->host->compute, log->node->uuid,
			log->offset, CHUNK, &bytes, &size, &end);
		if (error)
			return vg_error_while(error, "reading the log of '%s'", log->node->name);
		vg_text_add_bytes(&log->text, bytes, size);
		log->offset = end;
		if (!size)
			return NULL;
	}
}

static void keep_last_lines(struct vg_text *text, size_t n_lines)
{
	size_t at = text->length;
	// The newline at the very end closes a line and begins none.
	for (size_t seen = 0; at > 0; at--) {
		bool is_newline = text->bytes[at - 1] == '\n' && at < text->length;
		if (is_newline && ++seen == n_lines)
			break;
	}
	if (!n_lines)
		at = text->length;
	if (!text->bytes)
		return;
	memmove(text->bytes, text->bytes + at, text->length - at + 1);
	text->length -= at;
}

// Shows whole lines behind their node's name; the start of a line is kept for later.
static void show_lines(struct log *log, int width, bool is_last)
{
	char *line = log->text.bytes;
	size_t left = log->text.length;
	for (char *newline; left && (newline = memchr(line, '\n', left));) {
		size_t size = (size_t)(newline - line) + 1;
		printf("%-*s | ", width, log->node->name);
		fwrite(line, 1, size, stdout);
		line += size;
		left -= size;
	}
	if (left && is_last) {
		printf("%-*s | ", width, log->node->name);
		fwrite(line, 1, left, stdout);
		putchar('\n');
		left = 0;
	}
	if (left)
		memmove(log->text.bytes, line, left);
	log->text.length = left;
}

static void show(struct log *logs, size_t n_logs, bool is_last)
{
	int width = 0;
	for (size_t i = 0; i < n_logs; i++) {
		int length = (int)strlen(logs[i].node->name);
		width = length > width ? length : width;
	}
	for (size_t i = 0; i < n_logs; i++) {
		if (n_logs > 1) {
			show_lines(&logs[i], width, is_last);
			continue;
		}
		fwrite(logs[i].text.bytes, 1, logs[i].text.length, stdout);
		logs[i].text.length = 0;
	}
	fflush(stdout);
}

static struct vg_error *follow(const struct vg_session *session, struct log *logs, size_t n_logs)
{
	struct vg_error *error = NULL;
	while (!error && !vg_interrupt_was_seen(NULL) && !ferror(stdout)) {
		show(logs, n_logs, false);
		struct pollfd interrupt = {.fd = vg_interrupt_fd(), .events = POLLIN};
		poll(&interrupt, 1, LOOK_EVERY_MS);
		for (size_t i = 0; !error && i < n_logs; i++)
			error = read_more(session, &logs[i]);
	}
	return error;
}

static struct vg_error *read_count(const char *text, size_t *ret_n)
{
	char *end = NULL;
	errno = 0;
	unsigned long long n = text ? strtoull(text, &end, 10) : SIZE_MAX;
	if (text && (errno || *end || end == text || *text == '-'))
		return vg_error_of(VG_ERROR_USAGE, "'--lines' needs a number, not '%s'", text);
	*ret_n = (size_t)n;
	return NULL;
}

static struct vg_error *open_logs(struct vg_session *session, const char *const *names,
	size_t n_names, struct log **ret_logs, size_t *ret_n)
{
	const struct vg_grid *grid = session->record->grid;
	size_t n = n_names ? n_names : grid->n_nodes;
	struct log *logs = vg_alloc((n + 1) * sizeof(*logs));
	struct vg_error *error = NULL;
	for (size_t i = 0; !error && i < n; i++)
		error = vg_session_node(session, n_names ? names[i] : grid->nodes[i].name,
			&logs[i].node, &logs[i].host);
	if (error) {
		free(logs);
		return error;
	}
	*ret_logs = logs;
	*ret_n = n;
	return NULL;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	size_t n_names, n_logs = 0, n_lines = 0;
	const char *const *names = vg_cli_rest(cli, &n_names);
	struct log *logs = NULL;
	_auto(vg_session) struct vg_session *session = NULL;
	struct vg_error *error = read_count(vg_cli_option(cli, "lines"), &n_lines);
	if (!error)
		error = vg_session_open(context, vg_cli_operand(cli, 0), NULL, &session);
	if (!error)
		error = open_logs(session, names, n_names, &logs, &n_logs);
	for (size_t i = 0; !error && i < n_logs; i++) {
		error = read_more(session, &logs[i]);
		keep_last_lines(&logs[i].text, n_lines);
	}
	if (!error && vg_cli_flag(cli, "follow"))
		error = follow(session, logs, n_logs);
	else if (!error)
		show(logs, n_logs, true);
	for (size_t i = 0; i < n_logs; i++)
		vg_text_done(&logs[i].text);
	free(logs);
	return error;
}

static const struct vg_operand operands[] = {{.name = "GRID", .completion = VG_COMPLETE_GRID},
	{.name = "NODE", .is_optional = true, .is_rest = true, .completion = VG_COMPLETE_NODE},
	{0}};

static const struct vg_option options[] = {
	{.name = "follow", .letter = 'f', .help = "go on showing what comes, until Ctrl-C"},
	{.name = "lines",
		.letter = 'n',
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "N",
		.help = "only the last N lines of each node"},
	{0}};

const struct vg_command vg_verb_logs = {
	.verb = "logs",
	.summary = "show what nodes wrote to their consoles",
	.help = "Shows the logs of the serial consoles of the named nodes, or of all. Lines of "
		"several "
		"nodes stand behind their node's name.",
	.example = "$ vgrid logs hello head -n 20\n$ vgrid logs hello -f\n",
	.operands = operands,
	.options = options,
	.run = run,
};
