// SPDX-License-Identifier: Apache-2.0
//
// What the files of the libvirt driver share; nobody else includes it. With compute/libvirt*.c the
// only door to libvirt.
//
// Connections: libvirt's client up to 10.3 may crash when two threads call over one connection at
// the same time (CVE-2024-4418), and a libvirtd serves five calls of a connection at once. So each
// operation takes a connection for itself out of a pool, and a stream keeps one until it ends. A
// connection that died is replaced: a libvirtd that was started again is reached by the next call.
//
// Timeouts: every connection sends keepalives (5 s, three of them), so that a call to a libvirtd
// that hangs or is cut off fails after 20 s; opening is bounded by a thread (30 s, or 10 s over a
// network), which enters the target's network namespace for it. A call that waits in a
// libvirtd which itself is alive (a QEMU that does not answer its monitor) ends by libvirt's own
// limit on jobs, 30 s.
#pragma once

#include <pthread.h>

#include "compute/domain_read.h"
#include "compute/driver.h"
#include "compute/libvirt_library.h"

struct vg_compute {
	char *host, *uri, *folder, *folder_seen;
	int namespace_fd; // where connections are opened; -1: here
	pthread_mutex_t lock;
	virConnectPtr *idle; // connections that nobody uses
	size_t n_idle;
};

// A connection taken for one operation, and its domain if it is about one. `{0}` is none.
struct vg_libvirt_hold {
	struct vg_compute *compute;
	virConnectPtr connection;
	virDomainPtr domain; // NULL: none
};

struct vg_error *vg_libvirt_take(
	struct vg_compute *compute, struct vg_libvirt_hold *ret_hold) VG_MUST_CHECK;
// Frees the domain and gives the connection back.
void vg_libvirt_hold_done(struct vg_libvirt_hold *hold);
static inline void vg_libvirt_hold_auto_free(struct vg_libvirt_hold *hold)
{
	vg_libvirt_hold_done(hold);
}

// Libvirt's last error in this thread as ours: "host 'H': machine 'NAME': <doing>: <libvirt's
// words>"; domain may be NULL. What a guest agent does not answer and what takes too long is
// VG_ERROR_TIMEOUT, a domain that is not there VG_ERROR_NOT_FOUND. No call to libvirt may lie
// between the one that failed and this: each wipes the last error.
struct vg_error *vg_libvirt_error(
	const struct vg_compute *compute, virDomainPtr domain, const char *doing) VG_MUST_CHECK;
// The code of libvirt's last error in this thread.
int vg_libvirt_code(void);

// Is the libvirtd of this URI reached over a network (scheme://HOST/…)?
bool vg_libvirt_is_remote(const char *uri);
// What would be right, for a connection that was refused with libvirt's `words`; NULL when nothing
// better is known. malloc'ed. libvirt_explain.c.
char *vg_libvirt_explain(const char *uri, const char *words);

// Takes a connection and finds the domain of this uuid if it has a tag of vgrid. *ret_tag (may be
// NULL) is malloc'ed. VG_ERROR_NOT_FOUND when there is none.
struct vg_error *vg_libvirt_find(struct vg_compute *compute, const char *uuid,
	struct vg_libvirt_hold *ret_hold, char **ret_tag) VG_MUST_CHECK;
// All that vgrid knows of a domain: of what runs, or with VIR_DOMAIN_XML_INACTIVE of what is
// defined.
struct vg_error *vg_libvirt_read(struct vg_compute *compute, virDomainPtr domain, unsigned flags,
	struct vg_domain_seen *ret_seen) VG_MUST_CHECK;

// The driver's operations by file: libvirt_machine.c, libvirt_observe.c, libvirt_console.c,
// libvirt_stream.c, libvirt_facts.c. Their contracts are the driver's.
struct vg_error *vg_libvirt_define(
	struct vg_compute *compute, const struct vg_machine *machine) VG_MUST_CHECK;
struct vg_error *vg_libvirt_start(struct vg_compute *compute, const char *uuid) VG_MUST_CHECK;
struct vg_error *vg_libvirt_stop(struct vg_compute *compute, const char *uuid,
	enum vg_machine_stop how, uint64_t timeout_ms) VG_MUST_CHECK;
struct vg_error *vg_libvirt_remove(struct vg_compute *compute, const char *uuid) VG_MUST_CHECK;
struct vg_error *vg_libvirt_observe(struct vg_compute *compute, const char *store, const char *grid,
	struct vg_machines_seen *ret_seen) VG_MUST_CHECK;
struct vg_error *vg_libvirt_state(struct vg_compute *compute, const char *uuid,
	enum vg_machine_state *ret_state, const char **ret_reason) VG_MUST_CHECK;
struct vg_error *vg_libvirt_agent(struct vg_compute *compute, const char *uuid, const char *request,
	unsigned timeout_s, char **ret_reply) VG_MUST_CHECK;
struct vg_error *vg_libvirt_console_log(struct vg_compute *compute, const char *uuid,
	uint64_t offset, size_t size_max, char **ret_bytes, size_t *ret_size,
	uint64_t *ret_end) VG_MUST_CHECK;
// Removes the log of a machine that does not run.
void vg_libvirt_console_forget(struct vg_compute *compute, virDomainPtr domain);
struct vg_error *vg_libvirt_open_stream(struct vg_compute *compute, const char *uuid,
	const char *channel, int *ret_fd) VG_MUST_CHECK;
struct vg_error *vg_libvirt_facts(
	struct vg_compute *compute, struct vg_compute_facts *ret_facts) VG_MUST_CHECK;
