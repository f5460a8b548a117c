// SPDX-License-Identifier: Apache-2.0
#include "box/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "box/libvirtd.h"
#include "box/openvswitch.h"

// libvirt's RPC protocol: seven big-endian words: length, program (remote), version, procedure
// (REMOTE_PROC_AUTH_LIST, which has no arguments), type (call), serial, status.
static const uint8_t libvirt_request[28] = {0, 0, 0, 28, 0x20, 0, 0x80, 0x86, 0, 0, 0, 1, 0, 0, 0,
	66, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
// JSON-RPC 1.0, as in RFC 7047 and in Open vSwitch's control sockets.
static const char ovsdb_request[] = "{\"id\":0,\"method\":\"echo\",\"params\":[]}";
static const char vswitchd_request[] = "{\"id\":0,\"method\":\"version\",\"params\":[]}";

static bool wants_hypervisor(const struct vg_box_spec *spec)
{
	return spec->has_hypervisor;
}

static bool wants_switch(const struct vg_box_spec *spec)
{
	return spec->has_switch;
}

const struct vg_daemon vg_daemons[VG_BOX_N_DAEMONS] = {
	[VG_BOX_LIBVIRTD] = {"libvirtd", VG_LIBVIRTD_SOCKET, libvirt_request,
		sizeof(libvirt_request), wants_hypervisor, vg_libvirtd_configure,
		vg_libvirtd_execute},
	[VG_BOX_OVSDB] = {"ovsdb-server", VG_OVSDB_SOCKET, ovsdb_request, sizeof(ovsdb_request) - 1,
		wants_switch, vg_ovsdb_configure, vg_ovsdb_execute},
	[VG_BOX_VSWITCHD] = {"ovs-vswitchd", VG_VSWITCHD_SOCKET, vswitchd_request,
		sizeof(vswitchd_request) - 1, wants_switch, NULL, vg_vswitchd_execute},
};

char *vg_daemon_log(const struct vg_daemon *daemon)
{
	return vg_format(VG_BOX_RUN "/%s.log", daemon->program);
}

char *vg_daemon_starts(const struct vg_daemon *daemon)
{
	return vg_format(VG_BOX_RUN "/%s.starts", daemon->program);
}

static _Noreturn void run_child(
	const struct vg_daemon *daemon, const struct vg_box_spec *spec, const char *log_path)
{
	int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(077);
	daemon->execute(spec);
	_exit(126);
}

struct vg_error *vg_daemon_start(const struct vg_daemon *daemon, const struct vg_box_spec *spec,
	unsigned n_starts, pid_t *ret_pid)
{
	_auto(vg_string) char *starts = vg_daemon_starts(daemon);
	_auto(vg_string) char *log = vg_daemon_log(daemon);
	_auto(vg_string) char *count = vg_format("%u", n_starts);
	struct vg_error *error = vg_file_write(starts, 0600, count, strlen(count));
	if (error)
		return error;
	pid_t pid = fork();
	if (pid < 0)
		return vg_error_errno(errno, "starting '%s'", daemon->program);
	if (pid == 0)
		run_child(daemon, spec, log);
	*ret_pid = pid;
	return NULL;
}

_Noreturn void vg_daemon_execute(char *const argv[], char *const environment[])
{
	execvpe(argv[0], argv, environment);
	dprintf(STDERR_FILENO, "executing '%s': %s\n", argv[0], strerror(errno));
	_exit(127);
}
