// SPDX-License-Identifier: Apache-2.0
//
// The program from argv to exit code: help, context, verb, error.
#include "orchestrator/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>

#include "base/call.h"
#include "base/text.h"
#include "orchestrator/cli/interrupt.h"
#include "orchestrator/report/progress.h"

// `vgrid: PLACE: message`, and below it what would mend it.
static void print_error(const struct vg_error *error)
{
	fprintf(stderr, "vgrid: %s\n", vg_error_text(error));
	for (const char *line = vg_error_remedy(error); line && *line;) {
		size_t length = strcspn(line, "\n");
		fprintf(stderr, "  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static int exit_code(const struct vg_error *error)
{
	switch (vg_error_kind(error)) {
	case VG_ERROR_USAGE:
		return VG_EXIT_USAGE;
	case VG_ERROR_INTERRUPTED:
		return VG_EXIT_INTERRUPTED;
	case VG_ERROR_FAILED:
	case VG_ERROR_NOT_FOUND:
	case VG_ERROR_TIMEOUT:
		break;
	}
	return VG_EXIT_FAILED;
}

static enum vg_progress_style style_of(const struct vg_cli *cli)
{
	const char *terminal = getenv("TERM");
	if (vg_cli_flag(cli, "quiet"))
		return VG_PROGRESS_QUIET;
	if (!isatty(STDERR_FILENO) || !terminal || strcmp(terminal, "dumb") == 0)
		return vg_cli_flag(cli, "verbose") ? VG_PROGRESS_VERBOSE : VG_PROGRESS_PLAIN;
	return VG_PROGRESS_LIVE;
}

static int run_verb(const struct vg_cli *cli)
{
	struct vg_context context;
	int status = VG_EXIT_DONE;
	_auto(vg_progress) struct vg_progress *progress = vg_progress_new(stderr, style_of(cli));
	_auto(vg_error) struct vg_error *error =
		vg_context_init(&context, vg_cli_command(cli)->verb);
	context.progress = progress;
	context.is_interrupted = vg_interrupt_was_seen;
	if (!error)
		error = vg_cli_command(cli)->run(cli, &context, &status);
	if (error)
		status = exit_code(error);
	vg_progress_pause(progress);
	if (error)
		print_error(error);
	vg_context_done(&context);
	return status;
}

// `vgrid`, `vgrid --help`, `vgrid VERB --help`, `vgrid --version`. False when a verb is to be run.
static bool answer_help(const struct vg_cli *cli, int *ret_status)
{
	const struct vg_command *command = vg_cli_command(cli);
	*ret_status = VG_EXIT_DONE;
	if (vg_cli_flag(cli, "help") && command)
		vg_help_command(command, stdout);
	else if (vg_cli_flag(cli, "help"))
		vg_help_overview(vg_commands, stdout);
	else if (vg_cli_flag(cli, "version"))
		puts("vgrid " VG_VERSION);
	else if (!command)
		vg_help_overview(vg_commands, stderr);
	else
		return false;
	if (!command && !vg_cli_flag(cli, "help") && !vg_cli_flag(cli, "version"))
		*ret_status = VG_EXIT_USAGE;
	return true;
}

// What could not be written is a failure; whoever closed the pipe knows it.
static int close_output(int status)
{
	// An earlier write may have failed, and what it failed with is forgotten: so write once
	// more.
	errno = 0;
	bool has_failed = ferror(stdout);
	if (has_failed)
		putchar('\n');
	if (fflush(stdout) == 0 && !has_failed)
		return status;
	if (errno != EPIPE)
		fprintf(stderr, "vgrid: writing the result: %s\n", strerror(errno));
	return status ? status : VG_EXIT_FAILED;
}

int vg_cli_main(int argc, char *argv[])
{
	// A closed 0, 1 or 2 would be taken by the first file that is opened.
	while (true) {
		_auto(vg_fd) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0 || fd > STDERR_FILENO)
			break;
		vg_take_fd(&fd);
	}
	setlocale(LC_CTYPE, ""); // widths of what the display shows
	// libvirt's client would write its log to standard error; what matters of it is in its
	// errors.
	setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", false);
	vg_interrupt_catch();
	_auto(vg_cli) struct vg_cli *cli = NULL;
	_auto(vg_error) struct vg_error *error = vg_cli_read(vg_commands, argc, argv, &cli);
	if (error) {
		print_error(error);
		return exit_code(error);
	}
	int status;
	if (!answer_help(cli, &status))
		status = run_verb(cli);
	status = close_output(status);
	// A thread that a driver still holds must not wake among what exit() takes apart.
	if (vg_call_is_owed())
		_exit(status);
	return status;
}
