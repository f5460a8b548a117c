// SPDX-License-Identifier: Apache-2.0
//
// `vgrid console GRID NODE`: the node's serial console, on a terminal or between pipes.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>

#include "orchestrator/cli/interrupt.h"
#include "orchestrator/cli/relay.h"
#include "orchestrator/run/session.h"

enum { ESCAPE = 0x1d, LINGER_MS = 2000 }; // Ctrl-]

static struct vg_error *talk(const char *name, int fd)
{
	bool is_terminal = isatty(STDIN_FILENO);
	struct vg_relay relay = {.fd = fd,
		.escape = is_terminal ? ESCAPE : VG_RELAY_NO_ESCAPE,
		.linger_ms = LINGER_MS};
	if (is_terminal) {
		fprintf(stderr, "The console of '%s'. Enter gives a prompt, Ctrl-] leaves it.\n", name);
		vg_terminal_raw();
	}
	struct vg_error *error = vg_relay(&relay);
	vg_terminal_restore();
	if (is_terminal)
		fputs("\n", stderr);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	const char *name = vg_cli_operand(cli, 1);
	const struct vg_node *node;
	struct vg_host *host;
	_auto(vg_session) struct vg_session *session = NULL;
	_auto(vg_fd) int fd = -1;
	struct vg_error *error = vg_session_open(context, vg_cli_operand(cli, 0), NULL, &session);
	if (!error)
		error = vg_session_node(session, name, &node, &host);
	if (!error)
		error = vg_error_while(session->site->drivers->compute->open_stream(
					       host->compute, node->uuid, NULL, &fd),
			"opening the console of '%s'", name);
	return error ? error : talk(name, fd);
}

static const struct vg_operand operands[] = {{.name = "GRID", .completion = VG_COMPLETE_GRID},
	{.name = "NODE", .completion = VG_COMPLETE_NODE}, {0}};

const struct vg_command vg_verb_console = {
	.verb = "console",
	.summary = "open a node's serial console",
	.help = "Connects to the node's serial console; Ctrl-] leaves it. Who was connected before "
		"is "
		"disconnected. When standard input is piped, it is sent to the console, and the "
		"verb "
		"ends when the console has been silent for two seconds after the end of the input.",
	.example = "$ vgrid console hello head\n",
	.operands = operands,
	.run = run,
};
