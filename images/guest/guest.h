// SPDX-License-Identifier: Apache-2.0
//
// The guest program: /init of the `tiny` image's initrd, process 1 from then on. It reads the
// seed, makes the node what the seed says, runs the services and `setup`, and says when the node
// is ready. One process, one thread; the only ones that include this are the files beside it.
//
// What goes wrong is said once (fault()), kept, and boot goes on: a node that can be looked into
// helps more than one that hangs. Strings live for ever: the program's memory is small and bounded
// by the seed.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compute/seed_format.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// ---- report.c: what the console and /run/vgrid learn

void console_open(void); // (again, once /dev is there)
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Says it and keeps the first one: the node will not be ready.
void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Writes ready or failed, on the console too. Later faults change nothing.
void report_outcome(void);
bool outcome_is_known(void);

// ---- files.c

// A whole file, NUL behind it; NULL if it cannot be read (errno says why).
char *file_read(const char *path, size_t *ret_size);
// Writes a file beside it and renames; false (with errno) on failure.
bool file_write(const char *path, mode_t mode, const void *bytes, size_t size);
bool put_text(const char *path, const char *text); // into /proc and /sys: no rename
void make_folders(const char *path, mode_t mode);  // mkdir -p
void make_parents(const char *path);
void make_link(const char *target, const char *path); // a symbolic one

// ---- disks.c

void mount_kernel_folders(void);
// `/dev/vdX` of the disk with this serial, or NULL.
const char *disk_find(const char *serial);
// Mounts the root disk if there is one and makes it `/`. False: there is none, the node is
// stateless.
bool switch_to_root_disk(void);
void mount_data_disk(const char *serial, const char *path);
// Everything but / and the kernel's folders; / becomes read-only.
void unmount_all(void);

// ---- modules.c

void load_modules(void); // those of /modules/list, in this order

// ---- seed.c

struct setup {
	const char *script; // NULL: none
	size_t size;
};

// Applies the seed. False: there is none.
bool seed_apply(struct setup *ret_setup);
// Notes on the root disk that this seed's files are written: once that, and setup, are done.
void seed_remember(void);

// ---- net.c

void net_loopback(void);
void net_configure(const char *mac, const char *mtu, char *address);

// ---- ports.c: virtio-serial

// Makes /dev/virtio-ports/NAME for each port, as udev would.
void ports_link(void);
// The body of the process that serves ssh over VG_SSH_PORT; does not return.
void ports_serve_ssh(void) __attribute__((noreturn));

// ---- service.c: child processes

// Starts the services that do not run; call again when services_timeout() has passed.
void services_start(void);
int services_timeout(void); // milliseconds, -1: none is due
void setup_start(const struct setup *setup);
// Reaps all children that ended.
void services_reap(void);
// A connection on the ssh socket: an sshd of its own.
int ssh_listen(void);
void ssh_accept(int socket);

// ---- power.c

enum power { POWER_ON, POWER_OFF, POWER_REBOOT };

// Descriptors of the power buttons, at most `room`.
size_t power_buttons(struct pollfd *ret_fds, size_t room);
bool power_is_pressed(int fd);
// Ends all processes, unmounts, and goes down.
void power_down(enum power power) __attribute__((noreturn));
// `shutdown`, `poweroff`, `halt`, `reboot`: tells process 1.
int power_command(const char *name, int argc, char **argv);

// ---- run.c

// `vgrid-run FOLDER file|- PROGRAM [ARG]...`, what compute/agent_run.c starts: see there.
int run_command(int argc, char **argv);
