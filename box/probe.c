// SPDX-License-Identifier: Apache-2.0
#include "box/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "box/box.h"
#include "box/mapping.h"
#include "box/namespace.h"
#include "box/practice_switch.h"

enum { SYSCTL_SIZE_MAX = 256, STATUS_SIZE_MAX = 64 * 1024 };

// A kernel setting that forbids, and the value that allows.
struct forbidding {
	const char *name, *path, *forbids, *allows;
};

static const struct forbidding settings[] = {
	{"kernel.unprivileged_userns_clone", "kernel/unprivileged_userns_clone", "0", "1"},
	{"user.max_user_namespaces", "user/max_user_namespaces", "0", "15000"},
	{"kernel.apparmor_restrict_unprivileged_userns",
		"kernel/apparmor_restrict_unprivileged_userns", "1", "0"},
};

static bool setting_is(const char *root, const struct forbidding *setting)
{
	_auto(vg_string) char *path = vg_format("%s/proc/sys/%s", root, setting->path);
	_auto(vg_string) char *value = NULL;
	vg_error_ignore(vg_file_read(path, SYSCTL_SIZE_MAX, &value, NULL));
	if (!value)
		return false;
	value[strcspn(value, "\n")] = '\0';
	return strcmp(value, setting->forbids) == 0;
}

static bool is_container(const char *root)
{
	static const char *const marks[] = {"/.dockerenv", "/run/.containerenv"};
	for (size_t i = 0; i < VG_LENGTH(marks); i++) {
		_auto(vg_string) char *path = vg_format("%s%s", root, marks[i]);
		if (vg_file_exists(path))
			return true;
	}
	return false;
}

static bool has_seccomp_filter(const char *root)
{
	_auto(vg_string) char *path = vg_format("%s/proc/self/status", root);
	_auto(vg_string) char *status = NULL;
	vg_error_ignore(vg_file_read(path, STATUS_SIZE_MAX, &status, NULL));
	return status && strstr(status, "\nSeccomp:\t2");
}

struct vg_error *vg_probe_explain_namespace(const char *root, int errno_code, const char *attempt)
{
	struct vg_error *error = vg_error_errno(errno_code, "%s", attempt);
	for (size_t i = 0; i < VG_LENGTH(settings); i++) {
		const struct forbidding *setting = &settings[i];
		if (!setting_is(root, setting))
			continue;
		error = vg_error_while(error, "this machine forbids user namespaces (%s=%s)",
			setting->name, setting->forbids);
		return vg_error_hint(error,
			"sudo sysctl -w %s=%s\nto make it last: "
			"echo %s=%s | sudo tee /etc/sysctl.d/90-vgrid.conf",
			setting->name, setting->allows, setting->name, setting->allows);
	}
	if (is_container(root) || has_seccomp_filter(root)) {
		error = vg_error_while(
			error, "the container that vgrid runs in forbids user namespaces");
		return vg_error_hint(error,
			"start the container with: --security-opt seccomp=unconfined "
			"--security-opt apparmor=unconfined --security-opt systempaths=unconfined "
			"--device /dev/net/tun");
	}
	if (errno_code == ENOSPC || errno_code == EUSERS)
		return vg_error_hint(error, "sudo sysctl -w user.max_user_namespaces=15000 "
					    "(all that are allowed are in use)");
	return vg_error_hint(error, "a chroot, a container or a security module forbids it; "
				    "see what `unshare --user --map-root-user true` says");
}

struct vg_error *vg_probe_explain_tun(const char *root, int errno_code)
{
	_auto(vg_string) char *node = vg_format("%s/dev/net/tun", root);
	struct vg_error *error = vg_error_errno(errno_code, "opening '/dev/net/tun'");
	if (!vg_file_exists(node))
		return vg_error_hint(error,
			"sudo modprobe tun\nif that is not enough: sudo mkdir -p /dev/net && "
			"sudo mknod -m 0666 /dev/net/tun c 10 200");
	if (errno_code == EACCES || errno_code == EPERM)
		return vg_error_hint(error, "sudo chmod 0666 /dev/net/tun\nto make it last: "
					    "echo 'KERNEL==\"tun\", MODE=\"0666\"' | "
					    "sudo tee /etc/udev/rules.d/90-vgrid-tun.rules");
	return vg_error_hint(error, "sudo modprobe tun");
}

static bool has_program(const char *root, const char *path, const char *name)
{
	while (*path) {
		size_t length = strcspn(path, ":");
		_auto(vg_string) char *file = vg_format("%s%.*s/%s", root, (int)length, path, name);
		if (access(file, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static struct vg_error *find_programs(const char *root, const char *path, const char *packages,
	const char *const *programs, size_t n_programs)
{
	_auto(vg_text) struct vg_text missing = {0};
	for (size_t i = 0; i < n_programs; i++) {
		if (!has_program(root, path, programs[i]))
			vg_text_addf(&missing, "%s%s", missing.length ? ", " : "", programs[i]);
	}
	if (!missing.length)
		return NULL;
	return vg_error_hint(vg_error_new("not installed: %s", missing.bytes), "%s", packages);
}

struct vg_error *vg_probe_programs(const char *root, const char *path)
{
	static const char *const programs[] = {"libvirtd", "virtlogd", "qemu-system-x86_64"};
	return find_programs(root, path, vg_probe_packages(), programs, VG_LENGTH(programs));
}

struct vg_error *vg_probe_switch_programs(const char *root, const char *path)
{
	static const char *const programs[] = {
		"ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl"};
	return find_programs(root, path,
		"sudo apt-get install -y --no-install-recommends openvswitch-switch", programs,
		VG_LENGTH(programs));
}

const char *vg_probe_packages(void)
{
	return "sudo apt-get install -y --no-install-recommends libvirt-daemon "
	       "libvirt-daemon-driver-qemu qemu-system-x86";
}

struct vg_error *vg_box_probe_programs(void)
{
	return vg_probe_programs("", VG_BOX_PATH);
}

struct vg_error *vg_practice_probe_switch(void)
{
	return vg_probe_switch_programs("", VG_BOX_PATH);
}

// Runs in a child: only what is safe after a fork of a threaded process.
static _Noreturn void open_without_capabilities(const char *path)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	if (syscall(SYS_capset, &header, none) < 0)
		_exit(errno);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	_exit(fd < 0 ? errno : 0);
}

int vg_probe_device(const char *path)
{
	pid_t pid = fork();
	if (pid == 0)
		open_without_capabilities(path);
	int status;
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

struct vg_error *vg_namespace_probe_tun(void)
{
	int code = vg_probe_device("/dev/net/tun");
	return code ? vg_probe_explain_tun("", code) : NULL;
}

// What a box needs of the kernel, in order. In a child that reports how far it got.
static const char *const attempts[] = {"making a user namespace", "mapping its user",
	"making the namespaces of a box", "mounting a file system in them"};

struct outcome {
	int attempt, errno_code;
};

static struct outcome try_namespaces(void)
{
	struct vg_owner owner = {.uid = geteuid(), .gid = getegid()};
	if (unshare(CLONE_NEWUSER) < 0)
		return (struct outcome){0, errno};
	int code = vg_mapping_write_own(0, &owner);
	if (code)
		return (struct outcome){1, code};
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0)
		return (struct outcome){2, errno};
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("vgrid", "/proc", "tmpfs", 0, NULL) < 0)
		return (struct outcome){3, errno};
	return (struct outcome){0, 0};
}

struct vg_error *vg_namespace_probe(void)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0)
		return vg_error_errno(errno, "making a pipe");
	pid_t pid = fork();
	if (pid == 0) {
		struct outcome outcome = try_namespaces();
		_exit(write(report[1], &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1);
	}
	int fork_code = errno;
	close(report[1]);
	struct outcome outcome = {0, EIO};
	ssize_t got = pid < 0 ? 0 : read(report[0], &outcome, sizeof(outcome));
	close(report[0]);
	if (pid < 0)
		return vg_error_errno(fork_code, "starting a process");
	waitpid(pid, NULL, 0);
	if (got != (ssize_t)sizeof(outcome))
		return vg_error_new("trying a user namespace ended without a result");
	if (outcome.errno_code == 0)
		return NULL;
	return vg_probe_explain_namespace("", outcome.errno_code, attempts[outcome.attempt]);
}
