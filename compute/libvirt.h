// SPDX-License-Identifier: Apache-2.0
//
// What the files of the libvirt driver share; nobody else includes it. With compute/libvirt*.c the
// only door to libvirt.
//
// Timeouts: every connection sends keepalives (5 s, three of them), so that a call to a libvirtd
// that hangs or is cut off fails after 20 s; opening is bounded by a thread. A call that waits in a
// libvirtd which itself is alive (a QEMU that does not answer its monitor) ends by libvirt's own
// limit on jobs, 30 s.
#pragma once

#include <libvirt/libvirt.h>
#include <pthread.h>

#include "compute/domain_read.h"
#include "compute/driver.h"

struct vg_compute {
	virConnectPtr connection;
	char *host, *folder, *folder_seen;
	int events; // the registration for lifecycle events, -1: none
	pthread_mutex_t lock;
	pthread_cond_t changed; // some machine of the host changed its state; a hint
};

// Libvirt's last error in this thread as ours: "host 'H': machine 'NAME': <doing>: <libvirt's
// words>"; domain may be NULL. What a guest agent does not answer and what takes too long is
// VG_ERROR_TIMEOUT, a domain that is not there VG_ERROR_NOT_FOUND. No call to libvirt may lie
// between the one that failed and this: each wipes the last error.
struct vg_error *vg_libvirt_error(
	const struct vg_compute *compute, virDomainPtr domain, const char *doing) VG_MUST_CHECK;
// The code of libvirt's last error in this thread.
int vg_libvirt_code(void);

// The domain of this uuid if it has a tag of vgrid, to be freed with virDomainFree(). *ret_tag (may
// be NULL) is malloc'ed. VG_ERROR_NOT_FOUND when there is none.
struct vg_error *vg_libvirt_find(struct vg_compute *compute, const char *uuid,
	virDomainPtr *ret_domain, char **ret_tag) VG_MUST_CHECK;
// All that vgrid knows of a domain.
struct vg_error *vg_libvirt_read(struct vg_compute *compute, virDomainPtr domain,
	struct vg_domain_seen *ret_seen) VG_MUST_CHECK;

static inline void vg_domain_ref_auto_free(virDomainPtr *domain)
{
	if (*domain)
		virDomainFree(*domain);
}

// The driver's operations by file: libvirt_machine.c, libvirt_observe.c, libvirt_console.c,
// libvirt_stream.c. Their contracts are the driver's.
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
struct vg_error *vg_libvirt_open_stream(struct vg_compute *compute, const char *uuid,
	const char *channel, int *ret_fd) VG_MUST_CHECK;
