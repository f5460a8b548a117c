// SPDX-License-Identifier: Apache-2.0
//
// The guest program's way through a boot, and the loop that follows it for ever. By the name of
// `shutdown`, `poweroff`, `halt` or `reboot` it only tells process 1, and by that of `vgrid-run` it
// runs a program for `vgrid exec`.
#include "images/guest/guest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIGNALS, SSH, BUTTONS, BUTTONS_MAX = 4 };

static void boot(struct setup *ret_setup)
{
	umask(022);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	mount_kernel_folders();
	console_open();
	load_modules();
	if (!switch_to_root_disk() && access("/bin/sh", X_OK) < 0)
		fault("no root disk"); // an initrd with a shell stands for itself
	net_loopback();
	ports_link();
	if (!seed_apply(ret_setup))
		fault("no seed");
}

static int open_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGUSR1); // halt, as busybox has it
	sigaddset(&signals, SIGUSR2); // power off
	sigaddset(&signals, SIGTERM); // reboot
	sigaddset(&signals, SIGINT);  // Ctrl-Alt-Del
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum power read_signals(int fd)
{
	struct signalfd_siginfo info;
	enum power power = POWER_ON;
	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			power = POWER_REBOOT;
		else if (info.ssi_signo != SIGCHLD)
			power = POWER_OFF;
	}
	return power;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	if (strcmp(argv[0], VG_RUN_PROGRAM) == 0)
		return run_command(argc, argv);
	if (getpid() != 1)
		return power_command(name, argc, argv);

	struct setup setup = {0};
	struct pollfd fds[BUTTONS + BUTTONS_MAX] = {0};
	fds[SIGNALS] = (struct pollfd){.fd = open_signals(), .events = POLLIN};
	boot(&setup);
	services_start();
	fds[SSH] = (struct pollfd){.fd = ssh_listen(), .events = POLLIN};
	size_t n_fds = BUTTONS + power_buttons(fds + BUTTONS, BUTTONS_MAX);
	setup_start(&setup);
	for (;;) {
		poll(fds, n_fds, services_timeout());
		enum power power = read_signals(fds[SIGNALS].fd);
		for (size_t i = BUTTONS; i < n_fds; i++)
			if (power_is_pressed(fds[i].fd))
				power = POWER_OFF;
		if (power != POWER_ON)
			power_down(power);
		if (fds[SSH].revents & POLLIN)
			ssh_accept(fds[SSH].fd);
		services_reap();
		services_start();
	}
}
