// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C: the first SIGINT, SIGTERM or SIGHUP sets a flag and wakes who waits; a second SIGINT or
// SIGTERM ends the process at once with 130. Used by main.c and by verbs that poll descriptors.
#pragma once

#include "base/defs.h"

// Catches the signals and ignores SIGPIPE.
void vg_interrupt_catch(void);
bool vg_interrupt_was_seen(void *unused); // as vg_context.is_interrupted
int vg_interrupt_fd(void);                // readable once it was seen

// The terminal of standard input byte by byte and unseen, until it is put back: by a call, or by a
// second signal that ends the process. Nothing where there is no terminal.
void vg_terminal_raw(void);
void vg_terminal_restore(void);
