// SPDX-License-Identifier: Apache-2.0
//
// Bytes between this process's standard input and output and a stream to a machine. Used by console
// and ssh-proxy.
#pragma once

#include "base/error.h"

enum { VG_RELAY_NO_ESCAPE = -1, VG_RELAY_FOR_EVER = -1 };

struct vg_relay {
	int fd;        // the stream, a socket
	int escape;    // the byte on standard input that ends it, or VG_RELAY_NO_ESCAPE
	int linger_ms; // how long the stream may be silent once standard input has ended
};

// Returns when the stream ends, on the escape, on silence after the input's end, or, as an error of
// kind VG_ERROR_INTERRUPTED, on Ctrl-C.
struct vg_error *vg_relay(const struct vg_relay *relay) VG_MUST_CHECK;
