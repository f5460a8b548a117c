// SPDX-License-Identifier: Apache-2.0
#include "tests/live/box_world.h"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"

enum { ENDING_MS = 10 * 1000 };

char *world_home;

void world_ok(struct vg_error *error)
{
	if (error)
		fail_msg("%s (%s)", vg_error_text(error),
			vg_error_remedy(error) ? vg_error_remedy(error) : "no hint");
}

char *world_folder(const char *name)
{
	char *folder = vg_format("%s/%s", world_home, name);
	world_ok(vg_folder_make(folder, 0700));
	return folder;
}

struct vg_box *world_start(const char *tag, const char *name, bool has_hypervisor)
{
	_auto(vg_string) char *folder = world_folder(name);
	struct vg_box_spec spec = {.home = world_home,
		.tag = tag,
		.name = name,
		.folder = folder,
		.has_hypervisor = has_hypervisor};
	struct vg_box *box = NULL;
	world_ok(vg_box_start(&spec, &box));
	return box;
}

size_t world_count_boxes(void)
{
	struct vg_box_list list;
	world_ok(vg_box_list(world_home, STORE, GRID, &list));
	size_t n_boxes = list.n_items;
	vg_box_list_done(&list);
	return n_boxes;
}

void world_assert_nothing_registered(void)
{
	_auto(vg_string) char *boxes = vg_format("%s/run/boxes", world_home);
	char **names;
	size_t n_names;
	world_ok(vg_folder_list(boxes, &names, &n_names));
	vg_folder_list_free(names, n_names);
	assert_int_equal(n_names, 0);
}

ino_t world_namespace(pid_t pid, const char *kind)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/ns/%s", (int)pid, kind);
	struct stat status;
	return stat(path, &status) == 0 ? status.st_ino : 0;
}

// The processes of a pid namespace, of this name unless NULL; the first one's pid.
size_t world_count_processes(ino_t namespace, const char *name, pid_t *ret_first)
{
	size_t n_found = 0;
	DIR *folder = opendir("/proc");
	for (struct dirent *entry; (entry = readdir(folder));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 0 || world_namespace(pid, "pid") != namespace ||
			!vg_process_is(pid, vg_process_start_time(pid))) // a zombie is gone
			continue;
		_auto(vg_string) char *path = vg_format("/proc/%d/comm", (int)pid);
		_auto(vg_string) char *comm = NULL;
		vg_error_ignore(vg_file_read(path, 64, &comm, NULL));
		if (!comm || (name && strncmp(comm, name, strlen(name)) != 0))
			continue;
		if (n_found++ == 0 && ret_first)
			*ret_first = pid;
	}
	closedir(folder);
	return n_found;
}

void world_wait_for_end(int pidfd)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	assert_int_equal(poll(&end, 1, ENDING_MS), 1);
}

// A folder of its own, whose path is long and has blanks.
char *world_make_home(void)
{
	char scratch[] = "/tmp/vgrid box XXXXXX";
	if (!mkdtemp(scratch))
		abort();
	struct vg_text path = {0};
	vg_text_addf(&path, "%s/", scratch);
	while (path.length < HOME_LENGTH)
		vg_text_add(&path, path.length % 50 == 49 ? "/" : "x");
	return vg_text_take(&path);
}

void world_remove_home(void)
{
	char *slash = strchr(world_home + strlen("/tmp/"), '/');
	*slash = '\0';
	vg_error_ignore(vg_folder_remove(world_home));
}
