// SPDX-License-Identifier: Apache-2.0
#include "images/guest/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

size_t power_buttons(struct pollfd *ret_fds, size_t room)
{
	size_t n_fds = 0;
	DIR *folder = opendir("/dev/input");
	const struct dirent *entry;
	while (folder && n_fds < room && (entry = readdir(folder))) {
		unsigned char keys[KEY_MAX / 8 + 1] = {0};
		char path[300];
		if (strncmp(entry->d_name, "event", 5) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/input/%s", entry->d_name);
		int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) > 0 &&
			(keys[KEY_POWER / 8] & 1 << KEY_POWER % 8))
			ret_fds[n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
		else if (fd >= 0)
			close(fd);
	}
	if (folder)
		closedir(folder);
	return n_fds;
}

bool power_is_pressed(int fd)
{
	struct input_event event;
	bool is_pressed = false;
	while (read(fd, &event, sizeof(event)) == sizeof(event))
		is_pressed |= event.type == EV_KEY && event.code == KEY_POWER && event.value == 1;
	return is_pressed;
}

// Waits until there is no child left, which for process 1 means no process; at most so long.
static void wait_for_all(int milliseconds)
{
	static const struct timespec nap = {.tv_nsec = 10000000};
	for (; milliseconds > 0; milliseconds -= 10) {
		pid_t pid;
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		nanosleep(&nap, NULL);
	}
}

void power_down(enum power power)
{
	say(power == POWER_REBOOT ? "rebooting" : "powering off");
	kill(-1, SIGTERM);
	kill(-1, SIGHUP); // interactive shells heed no SIGTERM
	kill(-1, SIGCONT);
	wait_for_all(1000);
	kill(-1, SIGKILL);
	wait_for_all(500);
	unmount_all();
	sync();
	reboot(power == POWER_REBOOT ? RB_AUTOBOOT : RB_POWER_OFF);
	for (;;)
		pause();
}

int power_command(const char *name, int argc, char **argv)
{
	bool is_reboot = strcmp(name, "reboot") == 0;
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-r") == 0 || strcmp(argv[i], "--reboot") == 0)
			is_reboot = true;
	if (kill(1, is_reboot ? SIGTERM : SIGUSR2) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", name, strerror(errno));
	return 1;
}
