// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/text.h"

enum { OUTPUT_MAX = 1 << 20 };

extern char **environ;

// In the child, after fork: only async-signal-safe calls.
static void run_child(const char *const *argv, const char *const *environment,
	struct vg_process_files files, int report)
{
	int null = open("/dev/null", O_RDWR);
	int wanted[3] = {files.in, files.out, files.err};
	// First out of the way of 0..2, then into place.
	for (int i = 0; i < 3; i++)
		wanted[i] = fcntl(wanted[i] < 0 ? null : wanted[i], F_DUPFD, 3);
	report = fcntl(report, F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 3; i++)
		dup2(wanted[i], i);
	close_range(3, (unsigned)report - 1, 0);
	close_range((unsigned)report + 1, ~0U, 0);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (environment)
		environ = (char **)environment;
	execvp(argv[0], (char *const *)argv);
	int code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

struct vg_error *vg_process_start(const char *const *argv, const char *const *environment,
	struct vg_process_files files, pid_t *ret_pid)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0)
		return vg_error_errno(errno, "making a pipe");
	pid_t pid = fork();
	if (pid == 0)
		run_child(argv, environment, files, report[1]);
	int fork_code = errno;
	close(report[1]);
	int code = 0;
	ssize_t got = pid < 0 ? 0 : read(report[0], &code, sizeof(code));
	close(report[0]);
	if (pid < 0)
		return vg_error_errno(fork_code, "starting '%s'", argv[0]);
	if (got == (ssize_t)sizeof(code)) {
		waitpid(pid, NULL, 0);
		return vg_error_errno(code, "starting '%s'", argv[0]);
	}
	*ret_pid = pid;
	return NULL;
}

struct vg_error *vg_process_wait(pid_t pid, int *ret_status)
{
	int status;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return vg_error_errno(errno, "waiting for process %d", (int)pid);
	}
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return NULL;
}

// Reads to the end, keeps the first OUTPUT_MAX bytes.
static char *drain(int fd)
{
	struct vg_text text = {0};
	char buffer[16 * 1024];
	for (ssize_t got; (got = read(fd, buffer, sizeof(buffer))) != 0;) {
		if (got < 0 && errno != EINTR)
			break;
		if (got > 0 && text.length < OUTPUT_MAX)
			vg_text_add_bytes(&text, buffer, (size_t)got);
	}
	return vg_text_take(&text);
}

struct vg_error *vg_process_run(const char *const *argv, const char *const *environment,
	int *ret_status, char **ret_output)
{
	int output[2];
	if (pipe2(output, O_CLOEXEC) < 0)
		return vg_error_errno(errno, "making a pipe");
	pid_t pid;
	struct vg_error *error = vg_process_start(argv, environment,
		(struct vg_process_files){-1, output[1], output[1]}, &pid);
	close(output[1]);
	_auto(vg_string) char *text = error ? NULL : drain(output[0]);
	close(output[0]);
	if (!error)
		error = vg_process_wait(pid, ret_status);
	if (!error)
		*ret_output = vg_take(text);
	return error;
}

// Fields of /proc/PID/stat from the third on; the second may hold blanks and brackets.
static bool read_stat(pid_t pid, char *ret_state, uint64_t *ret_start_time)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/stat", (int)pid);
	_auto(vg_string) char *bytes = NULL;
	_auto(vg_error) struct vg_error *error = vg_file_read(path, 4096, &bytes, NULL);
	const char *tail = error ? NULL : strrchr(bytes, ')');
	unsigned long long start_time;
	if (!tail || sscanf(tail + 1,
			     " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
			     " %*d %*d %llu",
			     ret_state, &start_time) != 2)
		return false;
	*ret_start_time = start_time;
	return true;
}

uint64_t vg_process_start_time(pid_t pid)
{
	char state;
	uint64_t start_time;
	return read_stat(pid, &state, &start_time) ? start_time : 0;
}

bool vg_process_is(pid_t pid, uint64_t start_time)
{
	char state;
	uint64_t found;
	return pid > 0 && read_stat(pid, &state, &found) && found == start_time && state != 'Z' &&
	       state != 'X';
}
