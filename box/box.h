// SPDX-License-Identifier: Apache-2.0
//
// Boxes: hosts made on this machine out of namespaces, rootless. A box is mount, pid, uts, ipc and
// network namespaces below the user namespace of its home, held by process 1, a tiny holder of ours
// that reaps, starts the box's daemons, and leaves when its folder vanishes. Ending process 1 is
// the teardown. All functions are called inside vg_namespace_enter().
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/ip.h"

// Where a box looks for programs; it has no other environment of its caller's.
#define VG_BOX_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct vg_box_spec {
	const char *home;   // VGRID_HOME, absolute
	const char *tag;    // …/host/0
	const char *name;   // its hostname
	const char *folder; // becomes /v, writable
	const char *images; // becomes /i, read-only; NULL: none
	const char *keys;   // becomes /k, read-only: cacert.pem, serverkey.pem and servercert.pem,
			  // with which its daemons serve TLS as well; NULL: none
	bool has_hypervisor; // libvirtd; without any daemon it is only a network namespace
	bool has_switch;     // Open vSwitch
};

enum vg_box_daemon { VG_BOX_LIBVIRTD, VG_BOX_OVSDB, VG_BOX_VSWITCHD, VG_BOX_N_DAEMONS };

struct vg_box {
	char *home, *tag, *name, *folder;
	pid_t pid; // of process 1, as seen from this process
	uint64_t start_time;
	bool has_libvirtd; // was made with a hypervisor, whether it runs right now or not
	int net_fd; // its network namespace
};

void vg_box_free(struct vg_box *box);
VG_AUTO(vg_box);

struct vg_box_list {
	struct vg_box **items;
	size_t n_items;
};

void vg_box_list_done(struct vg_box_list *list);

// Finds the running box of this tag or starts it; returns when its namespaces and mounts are there
// (its daemons may still be starting).
struct vg_error *vg_box_start(
	const struct vg_box_spec *spec, struct vg_box **ret_box) VG_MUST_CHECK;
// NULL in *ret_box when it does not run.
struct vg_error *vg_box_find(
	const char *home, const char *tag, struct vg_box **ret_box) VG_MUST_CHECK;
// All running boxes of this home whose tag is of this store and, unless NULL, this grid; found by
// their processes, so that lost registrations do not matter.
struct vg_error *vg_box_list(const char *home, const char *store, const char *grid,
	struct vg_box_list *ret_list) VG_MUST_CHECK;
// Kills process 1 and with it everything in the box; waits until it is gone.
struct vg_error *vg_box_stop(struct vg_box *box) VG_MUST_CHECK;

// Returns once the daemon, which the box must have, answers; a killed one is started again (guests
// run on and are re-adopted by libvirtd). timeout_ms bounds the wait; the error shows the last
// lines of its log. *ret_was_restarted (may be NULL) says whether one had died.
struct vg_error *vg_box_await(struct vg_box *box, enum vg_box_daemon daemon, uint64_t timeout_ms,
	bool *ret_was_restarted) VG_MUST_CHECK;
// Does it listen right now? Changes nothing.
bool vg_box_runs(const struct vg_box *box, enum vg_box_daemon daemon);
// A path of the box, as this process finds it; malloc'ed.
char *vg_box_path(const struct vg_box *box, const char *path);

// The box's libvirt URI once its libvirtd answers; malloc'ed. The rest as above.
struct vg_error *vg_box_hypervisor(struct vg_box *box, uint64_t timeout_ms, char **ret_uri,
	bool *ret_was_restarted) VG_MUST_CHECK;
// Is its libvirtd running right now? Changes nothing.
bool vg_box_has_hypervisor(const struct vg_box *box);

// Are the programs installed that a box with a hypervisor runs? NULL, or what is missing with the
// exact remedy as hint.
struct vg_error *vg_box_probe_programs(void) VG_MUST_CHECK;

// The entry point of process 1: `vgrid` re-executed by vg_box_start(). Does not return.
_Noreturn void vg_box_main(int argc, char *argv[]);
// Is this process such a re-execution? Checked first of all in main().
bool vg_box_is_main(int argc, char *const argv[]);
