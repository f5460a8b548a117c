// SPDX-License-Identifier: Apache-2.0
//
// Virtio-serial ports. The ssh channel: while the host's side of VG_SSH_PORT is connected, an sshd
// talks through it; so a node is reached by ssh without any network of the host.
#include "images/guest/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void ports_link(void)
{
	DIR *folder = opendir("/sys/class/virtio-ports");
	const struct dirent *entry;
	mkdir("/dev/virtio-ports", 0755);
	while (folder && (entry = readdir(folder))) {
		char path[300], link[300], target[300];
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		char *name = file_read(path, NULL);
		if (name && *name != '\n' && *name && !strchr(name, '/')) {
			snprintf(link, sizeof(link), "/dev/virtio-ports/%s",
				strsep(&(char *){name}, "\n"));
			snprintf(target, sizeof(target), "../%s", entry->d_name);
			make_link(target, link);
		}
		free(name);
	}
	if (folder)
		closedir(folder);
}

static bool is_connected(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	return poll(&poll_fd, 1, 0) >= 0 && !(poll_fd.revents & (POLLHUP | POLLERR));
}

// The port sends SIGIO when the host connects or leaves; the timeout is for a signal that was
// missed.
static void wait_for_host(int fd, const sigset_t *signals)
{
	static const struct timespec nap = {.tv_sec = 2};
	while (!is_connected(fd))
		sigtimedwait(signals, NULL, &nap);
}

static void serve_once(int fd)
{
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~(O_ASYNC | O_NONBLOCK));
		int null = open("/dev/null", O_WRONLY);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(null, 2);
		execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-i", (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void ports_serve_ssh(void)
{
	static const struct timespec nap = {.tv_nsec = 200000000};
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGIO);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (;;) {
		// Opened anew for each connection: closing drops what the last one left.
		int fd = open("/dev/virtio-ports/" VG_SSH_PORT, O_RDWR | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			pause(); // a machine without the port
		if (fd >= 0) {
			fcntl(fd, F_SETOWN, getpid());
			fcntl(fd, F_SETFL, O_RDWR | O_ASYNC | O_NONBLOCK);
			wait_for_host(fd, &signals);
			serve_once(fd);
			close(fd);
		}
		nanosleep(&nap, NULL);
	}
}
