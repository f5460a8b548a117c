// SPDX-License-Identifier: Apache-2.0
#include "box/libvirtd.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/text.h"
#include "box/daemon.h"
#include "box/mapping.h"

#define CONFIGURATION VG_BOX_RUN "/etc"

// No security driver, namespaces or cgroups: none of them can be had here, and the box is all of
// these already. virtlogd writes the consoles' logs, so that they are rotated.
static const char qemu_conf[] = "security_driver = \"none\"\n"
				"namespaces = []\n"
				"cgroup_controllers = []\n"
				"stdio_handler = \"logd\"\n"
				"remember_owner = 0\n";
static const char virtlogd_conf[] = "max_clients = 1024\n"
				    "max_size = 2097152\n"
				    "max_backups = 3\n"
				    "log_outputs = \"3:file:" VG_BOX_RUN "/virtlogd.log\"\n";
// The host's uuid would else be random, and new at each start.
static const char libvirtd_conf[] = "unix_sock_ro_perms = \"0700\"\n"
				    "unix_sock_rw_perms = \"0700\"\n"
				    "unix_sock_admin_perms = \"0700\"\n"
				    "auth_unix_ro = \"none\"\n"
				    "auth_unix_rw = \"none\"\n"
				    "max_clients = 1024\n"
				    "log_outputs = \"3:stderr\"\n"
				    "host_uuid = \"%s\"\n";
// Every address of the box's own network namespace: those are its underlay's alone, and the
// underlay is there only after it.
static const char tls_conf[] = "listen_tls = 1\n"
			       "listen_tcp = 0\n"
			       "listen_addr = \"0.0.0.0\"\n"
			       "auth_tls = \"none\"\n"
			       "key_file = \"" VG_BOX_KEYS "/serverkey.pem\"\n"
			       "cert_file = \"" VG_BOX_KEYS "/servercert.pem\"\n"
			       "ca_file = \"" VG_BOX_KEYS "/cacert.pem\"\n";

static struct vg_error *write_text(const char *path, const char *text)
{
	return vg_file_write(path, 0600, text, strlen(text));
}

struct vg_error *vg_libvirtd_configure(const struct vg_box_spec *spec)
{
	// Logs of emulators are this box's own, the probed capabilities beside them everybody's.
	static const char log_folder[] = VG_BOX_CACHE "/libvirt/qemu/log";
	char uuid[VG_UUID_LENGTH];
	vg_uuid_derive("box", spec->tag, uuid);
	_auto(vg_text) struct vg_text libvirtd = {0};
	vg_text_addf(&libvirtd, libvirtd_conf, uuid);
	vg_text_add(&libvirtd, spec->keys ? tls_conf : "");
	struct vg_error *error = vg_folder_make(CONFIGURATION "/libvirt", 0700);
	if (!error)
		error = write_text(CONFIGURATION "/libvirt/qemu.conf", qemu_conf);
	if (!error)
		error = write_text(CONFIGURATION "/libvirt/virtlogd.conf", virtlogd_conf);
	if (!error)
		error = write_text(CONFIGURATION "/libvirt/libvirtd.conf", libvirtd.bytes);
	if (!error)
		error = vg_folder_make(log_folder, 0700);
	if (!error && mount("vgrid", log_folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
		error = vg_error_errno(errno, "mounting a file system on '%s'", log_folder);
	return error;
}

// As uid 0 of a namespace of one uid libvirtd fails ("cannot set supplemental groups"): it tries to
// be the system's. As an ordinary uid it is content to be a user's.
_Noreturn void vg_libvirtd_execute(const struct vg_box_spec *spec)
{
	char *argv[] = {"libvirtd", spec->keys ? "--listen" : NULL, NULL};
	static char *const environment[] = {"PATH=" VG_BOX_PATH, "LANG=C.UTF-8", "HOME=" VG_BOX_RUN,
		"USER=vgrid", "XDG_RUNTIME_DIR=" VG_BOX_RUN, "XDG_CONFIG_HOME=" CONFIGURATION,
		"XDG_CACHE_HOME=" VG_BOX_CACHE, "XDG_DATA_HOME=" VG_BOX_RUN "/data", NULL};
	struct vg_owner owner = {.uid = 0, .gid = 0};
	if (unshare(CLONE_NEWUSER) < 0 || vg_mapping_write_own(VG_BOX_UID, &owner) != 0)
		_exit(126);
	vg_daemon_execute(argv, environment);
}
