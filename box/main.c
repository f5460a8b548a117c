// SPDX-License-Identifier: Apache-2.0
//
// The processes of a box itself. vg_box_start() executes vgrid again as the *maker*, which makes
// the namespaces, forks process 1 into them and leaves. Process 1 makes the mounts, starts its
// daemons, says that it is ready, and from then on only reaps, looks whether its folder is still
// there, and starts dead daemons again when SIGUSR1 asks for it.
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "box/arguments.h"
#include "box/daemon.h"
#include "box/launch.h"
#include "box/mounts.h"

struct holder {
	struct vg_box_spec spec;
	int folder_fd, run_fd;           // kept to see them vanish
	pid_t daemons[VG_BOX_N_DAEMONS]; // 0: it does not run
	unsigned n_starts[VG_BOX_N_DAEMONS];
};

bool vg_box_is_main(int argc, char *const argv[])
{
	struct vg_box_spec spec;
	return vg_box_arguments_read(argc, argv, &spec);
}

static _Noreturn void leave_with(struct vg_error *error)
{
	_auto(vg_string) char *text = vg_format("E%s", vg_error_text(error));
	vg_error_ignore(vg_file_write_all(VG_LAUNCH_REPORT_FD, "the report", text, strlen(text)));
	_exit(1);
}

static struct vg_error *bring_up_loopback(void)
{
	_auto(vg_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return vg_error_errno(errno, "bringing 'lo' up");
	return NULL;
}

static struct vg_error *keep_folders(struct holder *holder)
{
	_auto(vg_string) char *run = vg_format("%s/run", holder->spec.home);
	holder->folder_fd = open(holder->spec.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (holder->folder_fd < 0)
		return vg_error_errno(errno, "opening the folder '%s'", holder->spec.folder);
	holder->run_fd = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (holder->run_fd < 0)
		return vg_error_errno(errno, "opening the folder '%s'", run);
	return NULL;
}

static bool has_vanished(int fd)
{
	struct stat status;
	return fstat(fd, &status) < 0 || status.st_nlink == 0;
}

static struct vg_error *configure_daemons(const struct holder *holder)
{
	struct vg_error *error = NULL;
	for (size_t i = 0; i < VG_BOX_N_DAEMONS && !error; i++) {
		if (vg_daemons[i].is_wanted(&holder->spec) && vg_daemons[i].configure)
			error = vg_daemons[i].configure(&holder->spec);
	}
	return error;
}

// Those that are wanted and do not run.
static struct vg_error *start_daemons(struct holder *holder)
{
	struct vg_error *error = NULL;
	for (size_t i = 0; i < VG_BOX_N_DAEMONS && !error; i++) {
		if (vg_daemons[i].is_wanted(&holder->spec) && !holder->daemons[i])
			error = vg_daemon_start(&vg_daemons[i], &holder->spec,
				++holder->n_starts[i], &holder->daemons[i]);
	}
	return error;
}

static struct vg_error *make_box(struct holder *holder)
{
	struct vg_error *error = keep_folders(holder);
	if (!error && sethostname(holder->spec.name, strlen(holder->spec.name)) < 0)
		error = vg_error_errno(errno, "setting the hostname '%s'", holder->spec.name);
	if (!error)
		error = bring_up_loopback();
	if (!error)
		error = vg_mounts_make(&holder->spec);
	if (!error)
		error = configure_daemons(holder);
	if (!error)
		error = start_daemons(holder);
	return error;
}

static void reap(struct holder *holder)
{
	for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
		for (size_t i = 0; i < VG_BOX_N_DAEMONS; i++) {
			if (pid == holder->daemons[i])
				holder->daemons[i] = 0;
		}
	}
}

// Until the folder vanishes. All signals are blocked and taken one by one, so none is lost between
// a look and the wait; those of terminals are taken and forgotten.
static void hold(struct holder *holder)
{
	static const struct timespec second = {.tv_sec = 1};
	sigset_t all;
	sigfillset(&all);
	while (!has_vanished(holder->folder_fd) && !has_vanished(holder->run_fd)) {
		int number = sigtimedwait(&all, NULL, &second);
		reap(holder);
		// What goes wrong here is seen by the one who asked: no socket, and the log.
		if (number == SIGUSR1)
			vg_error_ignore(start_daemons(holder));
	}
}

static _Noreturn void run_first_process(struct holder *holder)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	umask(022);
	struct vg_error *error = make_box(holder);
	if (error)
		leave_with(error);
	close(VG_LAUNCH_LOCK_FD);
	// A starter that has died meanwhile hears nothing; the box goes on (SIGPIPE is blocked).
	vg_error_ignore(vg_file_write_all(VG_LAUNCH_REPORT_FD, "the report", "R", 1));
	close(VG_LAUNCH_REPORT_FD);
	hold(holder);
	_exit(0);
}

_Noreturn void vg_box_main(int argc, char *argv[])
{
	struct holder holder = {.folder_fd = -1, .run_fd = -1};
	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_NAME, "vgrid-box");
	fcntl(VG_LAUNCH_REPORT_FD, F_SETFD, FD_CLOEXEC);
	fcntl(VG_LAUNCH_LOCK_FD, F_SETFD, FD_CLOEXEC);
	if (!vg_box_arguments_read(argc, argv, &holder.spec))
		_exit(2);
	// All but the mount namespace, which process 1 makes: its network namespace is the box's
	// from its first moment on, so that nobody can take the machine's for it.
	if (unshare(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
		leave_with(vg_error_errno(errno, "making its namespaces"));
	pid_t pid = fork();
	if (pid < 0)
		leave_with(vg_error_errno(errno, "starting its first process"));
	if (pid == 0)
		run_first_process(&holder);
	_exit(0);
}
