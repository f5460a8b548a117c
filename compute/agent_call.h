// SPDX-License-Identifier: Apache-2.0
//
// Single requests to the guest agent, out of which compute/agent.c and compute/agent_run.c make
// theirs. Nobody else includes this.
#pragma once

#include "compute/agent.h"

enum {
	VG_AGENT_CALL_S = 10,       // for the agent's reply to one request
	VG_AGENT_CHUNK = 48 * 1024, // what one request carries to the guest; much more hangs agents
	VG_AGENT_READ_CHUNK = 1 << 20, // and back: libvirt carries strings of up to 4 MiB
};

struct vg_json;

// Takes over `arguments`, which may be NULL. ret_value is borrowed from ret_reply.
struct vg_error *vg_agent_call(const struct vg_agent *agent, const char *command,
	struct vg_json *arguments, unsigned timeout_s, struct vg_json **ret_reply,
	struct vg_json **ret_value) VG_MUST_CHECK;

// The two halves of vg_agent_exec(). An error of the first that is no VG_ERROR_TIMEOUT says that
// nothing was started.
struct vg_error *vg_agent_start(const struct vg_agent *agent, const char *const *argv,
	const void *in, size_t in_size, int64_t *ret_pid) VG_MUST_CHECK;

struct vg_agent_limits {
	uint64_t timeout_ms; // 0: none
	bool (*stopped)(void *data);
	void *data;
};

struct vg_error *vg_agent_wait(const struct vg_agent *agent, int64_t pid, const char *name,
	const struct vg_agent_limits *limits, struct vg_agent_result *ret_result) VG_MUST_CHECK;

// Runs a program of the guest that has to succeed.
struct vg_error *vg_agent_must(const struct vg_agent *agent, const char *const *argv) VG_MUST_CHECK;

// `mode` as fopen() has it. A chunk has at most VG_AGENT_CHUNK bytes.
struct vg_error *vg_agent_file_open(const struct vg_agent *agent, const char *path,
	const char *mode, int64_t *ret_handle) VG_MUST_CHECK;
struct vg_error *vg_agent_file_write(const struct vg_agent *agent, int64_t handle,
	const uint8_t *bytes, size_t size) VG_MUST_CHECK;
struct vg_error *vg_agent_file_close(const struct vg_agent *agent, int64_t handle) VG_MUST_CHECK;
