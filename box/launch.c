// SPDX-License-Identifier: Apache-2.0
#include "box/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/text.h"
#include "box/arguments.h"

enum { SPARE_FD = 10 };

// After a fork of a process that may have threads: only async-signal-safe calls.
static _Noreturn void execute(pid_t starter, char *const argv[], int report, int lock)
{
	// Until it is the box's own process, which a look through /proc finds, it dies with its
	// starter. Cleared again in vg_box_main().
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != starter)
		_exit(1);
	int null = open("/dev/null", O_RDWR);
	null = fcntl(null, F_DUPFD, SPARE_FD);
	report = fcntl(report, F_DUPFD, SPARE_FD);
	lock = fcntl(lock, F_DUPFD, SPARE_FD);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	dup2(report, VG_LAUNCH_REPORT_FD);
	dup2(lock, VG_LAUNCH_LOCK_FD);
	close_range(VG_LAUNCH_LOCK_FD + 1, ~0U, 0);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	static char *const environment[] = {"PATH=" VG_BOX_PATH, "LANG=C.UTF-8", NULL};
	execve("/proc/self/exe", argv, environment);
	_exit(127);
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Reads until the other side has closed the pipe: what it said, malloc'ed, "" when the time is up.
static char *read_report(int fd, uint64_t timeout_ms)
{
	struct vg_text text = {0};
	uint64_t end = now_ms() + timeout_ms;
	for (;;) {
		uint64_t now = now_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int n_ready = now < end ? poll(&ready, 1, (int)(end - now)) : 0;
		char buffer[1024];
		ssize_t got = n_ready > 0 ? read(fd, buffer, sizeof(buffer)) : n_ready;
		if (got > 0)
			vg_text_add_bytes(&text, buffer, (size_t)got);
		else if (got == 0 || errno != EINTR)
			return vg_text_take(&text);
	}
}

struct vg_error *vg_launch(const struct vg_box_spec *spec, int lock, uint64_t timeout_ms)
{
	char *argv[VG_BOX_ARGC + 1];
	vg_box_arguments_make(spec, argv);
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0)
		return vg_error_errno(errno, "making a pipe");
	pid_t starter = getpid(), pid = fork();
	if (pid == 0)
		execute(starter, argv, report[1], lock);
	int code = errno;
	close(report[1]);
	_auto(vg_string) char *answer = pid < 0 ? NULL : read_report(report[0], timeout_ms);
	close(report[0]);
	if (pid < 0)
		return vg_error_errno(code, "starting a process");
	// The child is only the maker: it leaves as soon as process 1 is there.
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (answer[0] == 'R')
		return NULL;
	if (answer[0] == 'E')
		return vg_error_new("%s", answer + 1);
	return vg_error_new("its first process ended, or hung, without a word");
}
