// SPDX-License-Identifier: Apache-2.0
//
// What the live tests of boxes share (test_box.c, box_underlay.c): a home of their own, boxes
// started in it, and looks at the machine's processes.
#pragma once

#include "tests/unit/test.h"

#include <sys/types.h>

#include "box/box.h"

#define STORE "5f0c7a3e-0000-4000-8000-000000000001"
#define GRID "5f0c7a3e-0000-4000-8000-000000000002"
#define TAG(n) "vgrid:" STORE ":" GRID "/host/" #n

enum { HOME_LENGTH = 200 };

extern char *world_home;

// A folder of its own, whose path is long and has blanks. malloc'ed.
char *world_make_home(void);
void world_remove_home(void);

// Fails the test with the error's words.
void world_ok(struct vg_error *error);

// A folder of this name in the home. malloc'ed.
char *world_folder(const char *name);
struct vg_box *world_start(const char *tag, const char *name, bool has_hypervisor);
size_t world_count_boxes(void);
void world_assert_nothing_registered(void);

// The inode of a process's namespace of this kind; 0: not to be seen.
ino_t world_namespace(pid_t pid, const char *kind);
// The living processes of a pid namespace, of this name unless NULL; the first one's pid.
size_t world_count_processes(ino_t namespace, const char *name, pid_t *ret_first);
void world_wait_for_end(int pidfd);

// box_underlay.c
void boxes_of_a_site_reach_each_other_also_when_one_is_replaced(void **state);
