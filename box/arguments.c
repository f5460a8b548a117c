// SPDX-License-Identifier: Apache-2.0
#include "box/arguments.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

enum { COMMAND_LINE_SIZE_MAX = 64 * 1024, STATUS_SIZE_MAX = 64 * 1024 };

static const char program[] = "vgrid-box";

// What runs in it, by has_hypervisor and has_switch.
static const char *const contents[2][2] = {{"bare", "switch"}, {"hypervisor", "hypervisor+switch"}};

void vg_box_arguments_make(const struct vg_box_spec *spec, char *ret_argv[VG_BOX_ARGC + 1])
{
	const char *const argv[VG_BOX_ARGC + 1] = {program, spec->home, spec->tag, spec->name,
		spec->folder, spec->images ? spec->images : "",
		contents[spec->has_hypervisor][spec->has_switch], spec->keys, NULL};
	memcpy(ret_argv, argv, sizeof(argv));
}

bool vg_box_arguments_read(int argc, char *const argv[], struct vg_box_spec *ret_spec)
{
	if ((argc != VG_BOX_ARGC && argc != VG_BOX_ARGC - 1) || strcmp(argv[0], program) != 0)
		return false;
	*ret_spec = (struct vg_box_spec){
		.home = argv[1],
		.tag = argv[2],
		.name = argv[3],
		.folder = argv[4],
		.images = *argv[5] ? argv[5] : NULL,
		.keys = argc == VG_BOX_ARGC ? argv[7] : NULL,
		.has_hypervisor = vg_text_starts(argv[6], contents[1][0]),
		.has_switch = vg_text_ends(argv[6], contents[0][1]),
	};
	return true;
}

void vg_box_process_done(struct vg_box_process *process)
{
	free(process->bytes);
	*process = (struct vg_box_process){0};
}

// The numbers of a process in its pid namespaces, from ours inwards (proc_pid_status(5), NSpid).
static void read_role(struct vg_box_process *process)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/status", (int)process->pid);
	_auto(vg_string) char *status = NULL;
	vg_error_ignore(vg_file_read(path, STATUS_SIZE_MAX, &status, NULL));
	const char *line = status ? strstr(status, "\nNSpid:") : NULL;
	if (!line)
		return;
	line += strlen("\nNSpid:");
	size_t n_numbers = 0;
	long last = 0;
	while (*line && *line != '\n') {
		char *end;
		last = strtol(line, &end, 10);
		if (end == line)
			break;
		n_numbers++;
		line = end;
	}
	process->is_first = n_numbers > 1 && last == 1;
	process->is_maker = n_numbers == 1;
}

bool vg_box_process_read(pid_t pid, struct vg_box_process *ret_process)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/cmdline", (int)pid);
	_auto(vg_string) char *bytes = NULL;
	size_t size = 0;
	uint64_t start_time = vg_process_start_time(pid);
	vg_error_ignore(vg_file_read(path, COMMAND_LINE_SIZE_MAX, &bytes, &size));
	if (!start_time || !bytes || size < sizeof(program) ||
		memcmp(bytes, program, sizeof(program)) != 0)
		return false;
	char *argv[VG_BOX_ARGC + 1] = {0};
	int argc = 0;
	for (char *at = bytes; at < bytes + size; at += strlen(at) + 1) {
		if (argc == VG_BOX_ARGC)
			return false;
		argv[argc++] = at;
	}
	struct vg_box_process process = {.pid = pid, .start_time = start_time};
	read_role(&process);
	// What was read must all be of one process.
	if (!vg_box_arguments_read(argc, argv, &process.spec) || !vg_process_is(pid, start_time))
		return false;
	process.bytes = vg_take(bytes);
	*ret_process = process;
	return true;
}

struct vg_error *vg_box_process_each(
	bool (*visit)(struct vg_box_process *process, void *data), void *data)
{
	DIR *folder = opendir("/proc");
	if (!folder)
		return vg_error_errno(errno, "reading '/proc'");
	bool goes_on = true;
	for (struct dirent *entry; goes_on && (entry = readdir(folder));) {
		struct vg_box_process process;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && vg_box_process_read(pid, &process)) {
			goes_on = visit(&process, data);
			vg_box_process_done(&process);
		}
	}
	closedir(folder);
	return NULL;
}
