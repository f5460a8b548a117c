// SPDX-License-Identifier: Apache-2.0
//
// `vgrid ssh GRID NODE`: the system's ssh, through a virtio-serial channel of the node. No address
// of the node is reachable from here, and none is needed.
#include "orchestrator/cli/verbs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/process.h"
#include "base/text.h"
#include "orchestrator/cli/interrupt.h"
#include "orchestrator/cli/ssh_folder.h"
#include "orchestrator/state/store.h"

static struct vg_error *load(
	struct vg_context *context, const char *grid, struct vg_record **ret_record)
{
	_auto(vg_string) char *key = NULL;
	struct vg_error *error = vg_store_resolve(context, grid, &key);
	return error ? error : vg_store_load(context, key, ret_record);
}

static struct vg_error *find_node(
	const struct vg_grid *grid, const char *name, const struct vg_node **ret_node)
{
	*ret_node = vg_grid_node(grid, name);
	if (*ret_node)
		return NULL;
	const char **names = vg_alloc((grid->n_nodes + 1) * sizeof(*names));
	for (size_t i = 0; i < grid->n_nodes; i++)
		names[i] = grid->nodes[i].name;
	struct vg_error *error =
		vg_error_of(VG_ERROR_NOT_FOUND, "grid '%s' has no node '%.80s'", grid->name, name);
	const char *near = vg_text_nearest(name, names, grid->n_nodes);
	if (near)
		error = vg_error_hint(error, "did you mean '%s'?", near);
	free(names);
	return error;
}

// ssh hears Ctrl-C from the terminal itself; a signal to this process alone is passed on.
static struct vg_error *wait_for(pid_t pid, int *ret_status)
{
	_auto(vg_fd) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool has_told = false;
	while (fd >= 0) {
		struct pollfd polls[] = {{.fd = fd, .events = POLLIN},
			{.fd = has_told ? -1 : vg_interrupt_fd(), .events = POLLIN}};
		int n = poll(polls, VG_LENGTH(polls), -1);
		if (n > 0 && polls[0].revents)
			break;
		if (vg_interrupt_was_seen(NULL) && !has_told) {
			kill(pid, SIGTERM);
			has_told = true;
		}
	}
	return vg_process_wait(pid, ret_status);
}

static struct vg_error *run_ssh(const char *config, const char *node, const char *const *words,
	size_t n_words, int *ret_status)
{
	const char **argv = vg_alloc((n_words + 8) * sizeof(*argv));
	size_t n = 0;
	argv[n++] = "ssh";
	argv[n++] = "-F";
	argv[n++] = config;
	argv[n++] = "--";
	argv[n++] = node;
	for (size_t i = 0; i < n_words; i++)
		argv[n++] = words[i];
	pid_t pid;
	struct vg_error *error = vg_process_start(argv, NULL,
		(struct vg_process_files){STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, &pid);
	free(argv);
	if (error)
		return vg_error_hint(error, "sudo apt-get install -y openssh-client");
	return wait_for(pid, ret_status);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	size_t n_words;
	const char *const *words = vg_cli_rest(cli, &n_words);
	const struct vg_node *node;
	_auto(vg_record) struct vg_record *record = NULL;
	struct vg_ssh_folder folder;
	struct vg_error *error = load(context, vg_cli_operand(cli, 0), &record);
	if (!error)
		error = find_node(record->grid, vg_cli_operand(cli, 1), &node);
	if (!error)
		error = vg_ssh_folder_make(context->home, record, node, &folder);
	if (error)
		return error;
	// ssh-proxy is started by ssh, perhaps from another working directory.
	setenv("VGRID_HOME", context->home, 1);
	error = run_ssh(folder.config, node->name, words, n_words, ret_status);
	vg_ssh_folder_remove(&folder);
	return error;
}

static const struct vg_operand operands[] = {{.name = "GRID", .completion = VG_COMPLETE_GRID},
	{.name = "NODE", .completion = VG_COMPLETE_NODE},
	{.name = "CMD", .is_optional = true, .is_rest = true, .is_command = true}, {0}};

const struct vg_command vg_verb_ssh = {
	.verb = "ssh",
	.summary = "log in to a node by ssh",
	.help = "Opens a shell on the node, or runs a command there, as root, by the system's ssh "
		"with "
		"the grid's own key. It goes through a channel of the machine: no network of the "
		"node "
		"is reachable from here, and none is needed. A second session to the same node "
		"joins "
		"the first one's connection. As with ssh, the node's shell reads the command; "
		"`vgrid "
		"exec` has none between.",
	.example = "$ vgrid ssh hello head\n$ vgrid ssh hello head -- uptime\n",
	.operands = operands,
	.run = run,
};
