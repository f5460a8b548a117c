// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "orchestrator/cli/command.h"

static volatile sig_atomic_t was_seen;
static int wake_fd = -1;

static void handle(int number)
{
	int code = errno;
	if (was_seen && number != SIGHUP)
		_exit(VG_EXIT_INTERRUPTED);
	was_seen = 1;
	uint64_t one = 1;
	if (wake_fd >= 0 && write(wake_fd, &one, sizeof(one)) < 0)
		was_seen = 1; // the flag alone has to do
	errno = code;
}

void vg_interrupt_catch(void)
{
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	// Without SA_RESTART: a blocking call ends, and its caller looks at the flag.
	struct sigaction action = {.sa_handler = handle};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	struct sigaction before;
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool vg_interrupt_was_seen(void *unused)
{
	(void)unused;
	return was_seen;
}

int vg_interrupt_fd(void)
{
	return wake_fd;
}
