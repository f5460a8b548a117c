// SPDX-License-Identifier: Apache-2.0
#include "box/strangers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

enum { STAT_SIZE_MAX = 4096, GENERATIONS_MAX = 64 };

// 0 if there is none, or if it is not ours to look at.
static ino_t pid_namespace(pid_t pid)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/ns/pid", (int)pid);
	struct stat status;
	return stat(path, &status) == 0 ? status.st_ino : 0;
}

// The command's name, malloc'ed, and the parent; NULL for one that is gone, or dead and not reaped.
static char *read_stat(pid_t pid, pid_t *ret_parent)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/stat", (int)pid);
	_auto(vg_string) char *text = NULL;
	vg_error_ignore(vg_file_read(path, STAT_SIZE_MAX, &text, NULL));
	char *begin = text ? strchr(text, '(') : NULL, *end = begin ? strrchr(begin, ')') : NULL;
	char state;
	int parent;
	if (!end || sscanf(end, ") %c %d", &state, &parent) != 2 || state == 'Z' || state == 'X')
		return NULL;
	*ret_parent = parent;
	return vg_strndup(begin + 1, (size_t)(end - begin - 1));
}

// Emulators and virtlogd leave libvirtd's family; they are known by their program.
static bool is_program_of_libvirt(pid_t pid)
{
	static const char *const names[] = {"libvirtd", "virtlogd", "virtlockd", "qemu-system-"};
	_auto(vg_string) char *path = vg_format("/proc/%d/exe", (int)pid);
	char target[4096] = {0};
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return false;
	const char *slash = strrchr(target, '/');
	for (size_t i = 0; slash && i < VG_LENGTH(names); i++) {
		if (vg_text_starts(slash + 1, names[i]))
			return true;
	}
	return false;
}

static bool is_of_libvirt(pid_t pid, ino_t namespace)
{
	for (int i = 0; i < GENERATIONS_MAX && pid > 1 && pid_namespace(pid) == namespace; i++) {
		pid_t parent = 0;
		if (is_program_of_libvirt(pid))
			return true;
		_auto(vg_string) char *name = read_stat(pid, &parent);
		pid = parent;
	}
	return false;
}

struct vg_error *vg_box_strangers(const struct vg_box *box, char ***ret_names, size_t *ret_n_names)
{
	char **names = NULL;
	size_t n_names = 0;
	ino_t namespace = pid_namespace(box->pid);
	DIR *folder = opendir("/proc");
	if (!folder)
		return vg_error_errno(errno, "reading '/proc'");
	for (struct dirent *entry; namespace && (entry = readdir(folder));) {
		pid_t parent, pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 0 || pid == box->pid || pid_namespace(pid) != namespace ||
			is_of_libvirt(pid, namespace))
			continue;
		_auto(vg_string) char *name = read_stat(pid, &parent);
		if (name)
			vg_append(names, n_names) = vg_format("%d (%s)", (int)pid, name);
	}
	closedir(folder);
	*ret_names = names;
	*ret_n_names = n_names;
	return NULL;
}
