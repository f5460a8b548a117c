// SPDX-License-Identifier: Apache-2.0
#include "images/guest/guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RESPAWN_MS = 1000, SSH_MAX = 256, DRAIN_MS = 1000 };

static void run_agent(void);
static void run_shell(void);

static struct service {
	void (*run)(void);
	pid_t pid;
	int64_t due; // when it may start
} services[] = {{.run = run_agent}, {.run = ports_serve_ssh}, {.run = run_shell}};

static pid_t setup_pid, tee_pid;
static int64_t drained_by; // setup has ended: its output is waited for until then
static int setup_status;
static int n_ssh;

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// A child with a session of its own and no signal blocked.
static pid_t spawn(void)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	return 0;
}

static void redirect(const char *path, int flags)
{
	int fd = open(path, flags);
	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static void run_agent(void)
{
	redirect("/dev/null", O_RDWR);
	execl("/usr/sbin/qemu-ga", "qemu-ga", "-m", "virtio-serial", "-p",
		"/dev/virtio-ports/" VG_AGENT_PORT, "-t", "/run", (char *)NULL);
}

// A shell on the terminal that is the kernel's console, once somebody has typed a line there: until
// then no prompt shares a line with what the node has to say (`ready: {console: ^…}`).
static void run_shell(void)
{
	char path[64] = "/dev/console";
	char *active = file_read("/sys/class/tty/console/active", NULL);
	if (active && *active) {
		active[strcspn(active, "\n")] = '\0';
		const char *last = strrchr(active, ' ');
		snprintf(path, sizeof(path), "/dev/%.50s", last ? last + 1 : active);
	}
	redirect(path, O_RDWR);
	ioctl(0, TIOCSCTTY, 1);
	while (poll(&(struct pollfd){.fd = 0, .events = POLLIN}, 1, -1) < 0 && errno == EINTR)
		continue;
	if (chdir("/root") < 0 && chdir("/") < 0)
		_exit(127);
	setenv("HOME", "/root", 1);
	setenv("TERM", "vt102", 0);
	execl("/bin/sh", "-sh", (char *)NULL);
}

void services_start(void)
{
	for (size_t i = 0; i < LENGTH(services); i++) {
		struct service *service = &services[i];
		if (service->pid > 0 || service->due > now())
			continue;
		service->due = now() + RESPAWN_MS;
		service->pid = spawn();
		if (service->pid == 0) {
			service->run();
			_exit(127);
		}
	}
}

int services_timeout(void)
{
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < LENGTH(services); i++)
		if (services[i].pid <= 0 && services[i].due < next)
			next = services[i].due;
	if (drained_by && !outcome_is_known() && drained_by < next)
		next = drained_by;
	if (next == INT64_MAX)
		return -1;
	int64_t wait = next - now();
	return wait < 0 ? 0 : (int)wait;
}

// Copies what setup prints to the console and the log until all ends of the pipe are closed.
static void copy_output(int from)
{
	char bytes[4096];
	ssize_t n;
	int console = open("/dev/console", O_WRONLY | O_NOCTTY);
	int log = open("/var/log/vgrid-setup.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
	while ((n = read(from, bytes, sizeof(bytes))) > 0) {
		if (write(log, bytes, (size_t)n) < 0 || write(console, bytes, (size_t)n) < 0)
			continue; // a full disk must not stop setup
	}
	_exit(0);
}

static void exec_setup(int out)
{
	redirect("/dev/null", O_RDONLY);
	dup2(out, 1);
	dup2(out, 2);
	setenv("HOME", "/root", 1);
	if (chdir("/root") < 0 && chdir("/") < 0)
		_exit(127);
	execl("/bin/sh", "sh", "/run/vgrid/setup", (char *)NULL);
	_exit(127);
}

static void setup_judge(int status)
{
	if (status != 0)
		fault(status < 0 ? "setup was ended by signal %d" : "setup exited with status %d",
			abs(status));
}

// Once per root disk: its exit status stays there. A boot that was cut off in the middle of setup
// runs it again.
void setup_start(const struct setup *setup)
{
	char *seen = file_read(VG_STATE_FOLDER "/setup-status", NULL);
	int pipe_fds[2];
	if (!setup->script || seen) {
		setup_judge(seen ? atoi(seen) : 0);
		free(seen);
		seed_remember();
		report_outcome();
		return;
	}
	make_folders("/var/log", 0755);
	if (!file_write("/run/vgrid/setup", 0700, setup->script, setup->size) ||
		pipe2(pipe_fds, O_CLOEXEC) < 0) {
		fault("starting setup: %s", strerror(errno));
		report_outcome();
		return;
	}
	if ((tee_pid = spawn()) == 0) {
		close(pipe_fds[1]);
		copy_output(pipe_fds[0]);
	}
	if ((setup_pid = spawn()) == 0)
		exec_setup(pipe_fds[1]);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void setup_ended(int status)
{
	char text[32];
	setup_pid = 0;
	setup_status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	seed_remember();
	make_folders(VG_STATE_FOLDER, 0755);
	int n = snprintf(text, sizeof(text), "%d\n", setup_status);
	sync(); // setup's work before the mark that says it is done, and that before `ready`
	file_write(VG_STATE_FOLDER "/setup-status", 0644, text, (size_t)n);
	sync();
	unlink("/run/vgrid/setup");
	drained_by = now() + DRAIN_MS;
}

void services_reap(void)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == setup_pid)
			setup_ended(status);
		if (pid == tee_pid)
			tee_pid = 0;
		for (size_t i = 0; i < LENGTH(services); i++)
			if (services[i].pid == pid)
				services[i].pid = 0;
		// What is no service and not setup is an sshd, or an orphan: counting down too
		// often only allows more.
		n_ssh -= n_ssh > 0;
	}
	// The last words of setup stand before `ready`, unless something it left behind holds its
	// output open.
	if (drained_by && !outcome_is_known() && (tee_pid == 0 || now() >= drained_by)) {
		setup_judge(setup_status);
		report_outcome();
	}
}

int ssh_listen(void)
{
	static const int on = 1;
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(22)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, 128) < 0)
		fault("listening for ssh: %s", strerror(errno));
	return fd;
}

void ssh_accept(int socket)
{
	int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	pid_t pid = n_ssh < SSH_MAX ? spawn() : -1;
	if (pid == 0) {
		redirect("/dev/null", O_RDWR);
		dup2(fd, 0);
		dup2(fd, 1);
		execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-i", (char *)NULL);
		_exit(127);
	}
	n_ssh += pid > 0;
	close(fd);
}
