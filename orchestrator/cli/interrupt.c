// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <termios.h>

#include "orchestrator/cli/command.h"

static atomic_bool was_seen; // set by a signal, read by every thread
static int wake_fd = -1;
static struct termios cooked;
static volatile sig_atomic_t is_raw;

static void handle(int number)
{
	int code = errno;
	if (atomic_load(&was_seen) && number != SIGHUP) {
		vg_terminal_restore();
		_exit(VG_EXIT_INTERRUPTED);
	}
	atomic_store(&was_seen, true);
	uint64_t one = 1;
	if (wake_fd >= 0 && write(wake_fd, &one, sizeof(one)) < 0)
		errno = 0; // the flag alone has to do
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
	return atomic_load(&was_seen);
}

int vg_interrupt_fd(void)
{
	return wake_fd;
}

void vg_terminal_raw(void)
{
	if (tcgetattr(STDIN_FILENO, &cooked) < 0)
		return;
	struct termios raw = cooked;
	cfmakeraw(&raw);
	is_raw = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void vg_terminal_restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
	is_raw = 0;
}
