// SPDX-License-Identifier: Apache-2.0
#include "box/openvswitch.h"

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "box/daemon.h"

#define DATABASE VG_OVS_RUN "/conf.db"
// The schema as Debian installs it.
#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"

static char *const environment[] = {"PATH=" VG_BOX_PATH, "LANG=C.UTF-8", "HOME=" VG_OVS_RUN,
	"OVS_RUNDIR=" VG_OVS_RUN, "OVS_LOGDIR=" VG_OVS_RUN, "OVS_DBDIR=" VG_OVS_RUN,
	"OVS_SYSCONFDIR=" VG_OVS_RUN, NULL};

struct vg_error *vg_ovsdb_configure(const struct vg_box_spec *spec)
{
	(void)spec;
	int status = 0;
	_auto(vg_string) char *output = NULL;
	struct vg_error *error = vg_folder_make(VG_OVS_RUN, 0700);
	if (!error)
		error = vg_process_run(
			(const char *const[]){"ovsdb-tool", "create", DATABASE, SCHEMA, NULL},
			(const char *const *)environment, &status, &output);
	if (!error && status != 0)
		error = vg_error_new("%s", output);
	return vg_error_while(error, "making the database of Open vSwitch");
}

// Its log is its standard error.
#define QUIET "--verbose=console:warn", "--verbose=syslog:off", "--verbose=file:off"

_Noreturn void vg_ovsdb_execute(const struct vg_box_spec *spec)
{
	// The port that IANA gives to OVSDB (RFC 7047), on every address: the box has its
	// underlay's.
	char *with_keys[] = {"ovsdb-server", DATABASE, "--remote=punix:" VG_OVSDB_SOCKET,
		"--unixctl=" VG_OVS_RUN "/ovsdb.ctl", QUIET, "--remote=pssl:6640:0.0.0.0",
		"--private-key=" VG_BOX_KEYS "/serverkey.pem",
		"--certificate=" VG_BOX_KEYS "/servercert.pem",
		"--ca-cert=" VG_BOX_KEYS "/cacert.pem", NULL};
	char *bare[] = {"ovsdb-server", DATABASE, "--remote=punix:" VG_OVSDB_SOCKET,
		"--unixctl=" VG_OVS_RUN "/ovsdb.ctl", QUIET, NULL};
	vg_daemon_execute(spec->keys ? with_keys : bare, environment);
}

_Noreturn void vg_vswitchd_execute(const struct vg_box_spec *spec)
{
	(void)spec;
	char *argv[] = {"ovs-vswitchd", "unix:" VG_OVSDB_SOCKET, "--unixctl=" VG_VSWITCHD_SOCKET,
		QUIET, NULL};
	vg_daemon_execute(argv, environment);
}
