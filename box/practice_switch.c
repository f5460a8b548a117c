// SPDX-License-Identifier: Apache-2.0
#include "box/practice_switch.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "base/text.h"
#include "box/daemon.h"
#include "box/openvswitch.h"
#include "box/underlay.h"
#include "net/link.h"

static char version[16]; // of Open vSwitch here

// As ovs-ctl does where a distribution starts the daemons: they do not note it themselves. The same
// for all boxes of this machine.
static void read_version(void)
{
	int status = 0;
	_auto(vg_string) char *output = NULL;
	vg_error_ignore(vg_process_run(
		(const char *const[]){"ovs-vsctl", "--version", NULL}, NULL, &status, &output));
	if (!output || sscanf(output, "ovs-vsctl (Open vSwitch) %15[0-9.]", version) != 1)
		strcpy(version, "unknown");
}

// In one transaction; waits until ovs-vswitchd has applied it.
static struct vg_error *configure(const struct vg_box *box, size_t host)
{
	struct vg_mac mac = vg_underlay_mac(host);
	char text[VG_MAC_LENGTH];
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, read_version);
	vg_mac_write(&mac, text);
	_auto(vg_string) char *socket = vg_box_path(box, VG_OVSDB_SOCKET);
	_auto(vg_string) char *database = vg_format("--db=unix:%s", socket);
	_auto(vg_string) char *address = vg_format("other_config:hwaddr=%s", text);
	// Of its own accord the bridge does not follow a port with a larger one.
	_auto(vg_string) char *mtu = vg_format("mtu_request=%d", VG_UNDERLAY_MTU);
	_auto(vg_string) char *known = vg_format("ovs-version=%s", version);
	int status = 0;
	_auto(vg_string) char *output = NULL;
	struct vg_error *error = vg_process_run(
		(const char *const[]){"ovs-vsctl", database, "--timeout=20", "--", "set-ssl",
			VG_BOX_KEYS "/serverkey.pem", VG_BOX_KEYS "/servercert.pem",
			VG_BOX_KEYS "/cacert.pem", "--", "--may-exist", "add-br",
			VG_PRACTICE_BRIDGE, "--", "set", "bridge", VG_PRACTICE_BRIDGE,
			"datapath_type=netdev", "fail_mode=standalone", address, "--",
			"--may-exist", "add-port", VG_PRACTICE_BRIDGE, VG_LINK_UNDERLAY, "--",
			"set", "interface", VG_PRACTICE_BRIDGE, mtu, "--", "set", "Open_vSwitch",
			".", known, NULL},
		NULL, &status, &output);
	if (!error && status != 0)
		error = vg_error_new("ovs-vsctl: %.*s", (int)strcspn(output, "\n"), output);
	return error;
}

struct vg_error *vg_practice_switch(
	struct vg_box *box, size_t host, uint64_t timeout_ms, const char **ret_restarted)
{
	bool was_database = false, was_switch = false;
	struct vg_error *error = vg_box_await(box, VG_BOX_OVSDB, timeout_ms, &was_database);
	if (!error)
		error = vg_box_await(box, VG_BOX_VSWITCHD, timeout_ms, &was_switch);
	if (!error)
		error = configure(box, host);
	if (!error)
		*ret_restarted = was_database ? vg_daemons[VG_BOX_OVSDB].program
				 : was_switch ? vg_daemons[VG_BOX_VSWITCHD].program
					      : NULL;
	return vg_error_while(error, "setting up Open vSwitch on '%s'", box->name);
}
