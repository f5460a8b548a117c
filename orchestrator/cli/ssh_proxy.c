// SPDX-License-Identifier: Apache-2.0
//
// `vgrid ssh-proxy GRID NODE`: ssh's ProxyCommand (ssh.c). Standard input and output are the
// connection.
#include "orchestrator/cli/verbs.h"

#include <poll.h>

#include "compute/seed_format.h"
#include "orchestrator/cli/interrupt.h"
#include "orchestrator/cli/relay.h"
#include "orchestrator/run/session.h"

enum { TRIES = 20, PAUSE_MS = 250 };

// A channel that is in use now may be free in a moment: the session before was just closed.
static struct vg_error *open_channel(const struct vg_session *session, const struct vg_node *node,
	struct vg_host *host, int *ret_fd)
{
	struct vg_error *error = NULL;
	for (size_t i = 0; i < TRIES; i++) {
		vg_error_free(error);
		error = session->site->drivers->compute->open_stream(
			host->compute, node->uuid, VG_SSH_PORT, ret_fd);
		if (!error || vg_interrupt_was_seen(NULL))
			break;
		struct pollfd interrupt = {.fd = vg_interrupt_fd(), .events = POLLIN};
		poll(&interrupt, 1, PAUSE_MS);
	}
	return vg_error_hint(error, "is another ssh session to '%s' open?", node->name);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	const struct vg_node *node;
	struct vg_host *host;
	_auto(vg_session) struct vg_session *session = NULL;
	_auto(vg_fd) int fd = -1;
	struct vg_error *error = vg_session_open(context, vg_cli_operand(cli, 0), NULL, &session);
	if (!error)
		error = vg_session_node(session, vg_cli_operand(cli, 1), &node, &host);
	if (!error)
		error = open_channel(session, node, host, &fd);
	struct vg_relay relay = {
		.fd = fd, .escape = VG_RELAY_NO_ESCAPE, .linger_ms = VG_RELAY_FOR_EVER};
	if (error)
		return error;
	// ssh ends its ProxyCommand by a signal.
	error = vg_relay(&relay);
	if (error && vg_error_kind(error) == VG_ERROR_INTERRUPTED)
		vg_error_ignore(vg_take(error));
	return error;
}

static const struct vg_operand operands[] = {{.name = "GRID"}, {.name = "NODE"}, {0}};

const struct vg_command vg_verb_ssh_proxy = {
	.verb = "ssh-proxy",
	.help = "Connects standard input and output to a node's ssh server.",
	.operands = operands,
	.run = run,
};
