// SPDX-License-Identifier: Apache-2.0
//
// Programs with much input or output by the guest agent, for `vgrid exec`. One message to or from
// the agent carries little, so what does not fit goes by files in the guest. To that end the
// program is started by another: by vgrid-run where the guest has it (images/guest/run.c), else by
// a constant script of ours that gets the user's words as arguments and parses none of them. Either
// is called
//
//	STARTER FOLDER file|- PROGRAM [ARG]...
//
// with a FOLDER below /run that only root can enter; it holds standard input (`in`) if the second
// word is `file`. The starter answers on its standard output with one line
//
//	STATUS OUT_SIZE ERR_SIZE here|files
//
// and behind it, with `here`, both outputs; with `files` they are in FOLDER as `out` and `err`,
// each up to 16 MiB. An ending without that line is the starter's own failure.
#pragma once

#include "compute/agent.h"

// Like vg_agent_exec(), with any number of bytes of input and up to 16 MiB of each output; what
// comes behind is dropped (is_cut). A program that cannot be started is no error: it ends with
// status 127 or 126 and a message on its standard error, as in a shell. Nothing is left in the
// guest, but a program that goes on after a timeout or an interruption keeps what it writes until
// it ends.
struct vg_error *vg_agent_run(const struct vg_agent *agent, const char *const *argv, const void *in,
	size_t in_size, uint64_t timeout_ms, bool (*stopped)(void *data), void *data,
	struct vg_agent_result *ret_result) VG_MUST_CHECK;
