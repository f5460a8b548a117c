// SPDX-License-Identifier: Apache-2.0
//
// A question on the terminal (command.h).
#include "orchestrator/cli/command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "orchestrator/report/progress.h"

bool vg_cli_can_ask(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool vg_cli_ask(struct vg_context *context, const char *format, ...)
{
	if (!vg_cli_can_ask())
		return false;
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *question = vg_vformat(format, arguments);
	va_end(arguments);
	vg_progress_pause(context->progress);
	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	char answer[16];
	ssize_t got = read(STDIN_FILENO, answer, sizeof(answer) - 1);
	if (got <= 0) {
		fputc('\n', stderr);
		return false;
	}
	answer[got] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
