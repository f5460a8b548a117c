// SPDX-License-Identifier: Apache-2.0
//
// The guest agent (qemu-ga's protocol) through a compute driver: run a program, write a file. Used
// by exec, test, refresh and the readiness probes. Replies are foreign bytes.
#pragma once

#include "compute/driver.h"

struct vg_agent {
	const struct vg_compute_driver *driver;
	struct vg_compute *compute;
	const char *uuid;
};

// Does it answer? VG_ERROR_TIMEOUT if not within timeout_s.
struct vg_error *vg_agent_ping(const struct vg_agent *agent, unsigned timeout_s) VG_MUST_CHECK;

struct vg_agent_result {
	int status; // as a shell would give it: 128 + signal
	char *out, *err;
	size_t out_size, err_size;
	bool is_cut; // output beyond 16 MiB was dropped
};

void vg_agent_result_done(struct vg_agent_result *result);
static inline void vg_agent_result_auto_free(struct vg_agent_result *result)
{
	vg_agent_result_done(result);
}

// Runs exactly these arguments, no shell between, and waits for the end, at most timeout_ms
// (0: for ever; then VG_ERROR_TIMEOUT, the program goes on). `in` may be NULL and has at most
// 48 KiB, output together at most about 3 MiB: each is one message (vg_agent_run() knows no such
// bounds). `stopped` (may be NULL) is asked between polls; true gives VG_ERROR_INTERRUPTED. Polls
// grow from 20 ms to 500 ms.
struct vg_error *vg_agent_exec(const struct vg_agent *agent, const char *const *argv,
	const void *in, size_t in_size, uint64_t timeout_ms, bool (*stopped)(void *data), void *data,
	struct vg_agent_result *ret_result) VG_MUST_CHECK;

// Is there such a file that can be read? No program is run in the guest. An error when the agent does
// not say (it may be told not to open files).
struct vg_error *vg_agent_has_file(
	const struct vg_agent *agent, const char *path, bool *ret_has) VG_MUST_CHECK;

// Writes a file beside it and renames it into place: `/bin/mv`, exactly these arguments.
struct vg_error *vg_agent_write_file(const struct vg_agent *agent, const char *path, unsigned mode,
	const void *bytes, size_t size) VG_MUST_CHECK;

// What a reply holds, for the fuzzer: the `return` value (borrowed from *ret_reply, which the caller
// frees), or the agent's error as ours.
struct vg_json;
struct vg_error *vg_agent_read_reply(const char *text, size_t size, struct vg_json **ret_reply,
	struct vg_json **ret_value) VG_MUST_CHECK;
