// SPDX-License-Identifier: Apache-2.0
//
// `vgrid exec GRID NODE -- CMD...`: a program on a node by the guest agent, no shell between.
#include "orchestrator/cli/verbs.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "compute/agent_run.h"
#include "orchestrator/cli/interrupt.h"
#include "orchestrator/run/session.h"

enum { INPUT_MAX = 16 << 20, PATIENCE_MS = 3000 };

static bool is_piped(void)
{
	struct stat status;
	return fstat(STDIN_FILENO, &status) == 0 &&
	       (S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode));
}

// All of standard input; Ctrl-C ends the wait. A pipe that somebody forgot to close is told of.
static struct vg_error *read_input(struct vg_text *input)
{
	int patience = PATIENCE_MS;
	while (true) {
		struct pollfd polls[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = vg_interrupt_fd(), .events = POLLIN}};
		int n_ready = poll(polls, VG_LENGTH(polls), patience);
		if (n_ready < 0 && errno != EINTR)
			return vg_error_errno(errno, "waiting for standard input");
		if (n_ready == 0) {
			fputs("vgrid: waiting for the end of standard input ('-n' passes none)\n",
				stderr);
			patience = -1;
		}
		if (vg_interrupt_was_seen(NULL))
			return vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
		if (!polls[0].revents)
			continue;
		char buffer[64 * 1024];
		ssize_t got = read(STDIN_FILENO, buffer, sizeof(buffer));
		if (got == 0)
			return NULL;
		if (got < 0 && errno != EINTR)
			return vg_error_errno(errno, "reading standard input");
		if (got > 0)
			vg_text_add_bytes(input, buffer, (size_t)got);
		if (input->length > INPUT_MAX)
			return vg_error_hint(vg_error_new("standard input is longer than 16 MiB"),
				"'exec' carries no more; use 'vgrid ssh' for it");
	}
}

static struct vg_error *put_out(const struct vg_agent_result *result)
{
	struct vg_error *error =
		vg_file_write_all(STDOUT_FILENO, "standard output", result->out, result->out_size);
	if (!error)
		error = vg_file_write_all(
			STDERR_FILENO, "standard error", result->err, result->err_size);
	if (!error && result->is_cut)
		fputs("vgrid: output beyond 16 MiB was dropped\n", stderr);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	const char *node = vg_cli_operand(cli, 1);
	size_t n_words;
	const char *const *words = vg_cli_rest(cli, &n_words); // ends with NULL, as argv does
	_auto(vg_session) struct vg_session *session = NULL;
	_auto(vg_text) struct vg_text input = {0};
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	struct vg_agent agent;
	// Standard input is read behind this: it may execute the program anew.
	struct vg_error *error = vg_session_open(context, vg_cli_operand(cli, 0), NULL, &session);
	if (!error)
		error = vg_session_agent(session, node, &agent);
	if (!error && !vg_cli_flag(cli, "no-input") && is_piped())
		error = read_input(&input);
	if (!error)
		error = vg_error_while(
			vg_agent_run(&agent, words, input.bytes, input.length, 0,
				context->is_interrupted, context->interrupted_data, &result),
			"running '%s' on '%s'", words[0], node);
	if (!error)
		error = put_out(&result);
	if (!error)
		*ret_status = result.status;
	return error;
}

static const struct vg_operand operands[] = {{.name = "GRID", .completion = VG_COMPLETE_GRID},
	{.name = "NODE", .completion = VG_COMPLETE_NODE},
	{.name = "CMD", .is_rest = true, .is_command = true}, {0}};

static const struct vg_option options[] = {
	{.name = "no-input",
		.letter = 'n',
		.help = "pass no standard input on, even if it is piped"},
	{0}};

const struct vg_command vg_verb_exec = {
	.verb = "exec",
	.summary = "run a program on a node",
	.help = "Runs exactly these arguments on the node, as root, with no shell between, and "
		"exits "
		"with the program's own status. It goes by the guest agent, out of band: no "
		"network "
		"and no ssh is needed. Output is collected and shown at the end, up to 16 MiB. "
		"Standard input is passed on when it is piped, up to 16 MiB; there is no terminal "
		"(`vgrid ssh` "
		"gives one).",
	.example = "$ vgrid exec hello head -- uname -a\n"
		   "$ vgrid exec hello worker-0 -- sh -c 'echo $HOSTNAME | tee /tmp/name'\n",
	.operands = operands,
	.options = options,
	.run = run,
};
