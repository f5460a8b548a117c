// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/ssh_folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "compute/facts.h"

enum { PARENT_LENGTH_MAX = 60 };

// ssh expands `%` and `~` in paths and parts words at blanks; a socket's path is short.
static bool is_plain(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-";
	return *path == '/' && strlen(path) <= PARENT_LENGTH_MAX && !path[strspn(path, plain)];
}

// A folder of this user's that no other can look into.
static struct vg_error *make_parent(char **ret_parent)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_auto(vg_string) char *parent =
		runtime && is_plain(runtime) && access(runtime, W_OK) == 0
			? vg_format("%s/vgrid-ssh", runtime)
			: vg_format("/tmp/vgrid-ssh-%u", (unsigned)geteuid());
	if (mkdir(parent, 0700) < 0 && errno != EEXIST)
		return vg_error_errno(errno, "making the folder '%s'", parent);
	struct stat status;
	if (lstat(parent, &status) < 0)
		return vg_error_errno(errno, "looking at '%s'", parent);
	bool is_ours =
		S_ISDIR(status.st_mode) && status.st_uid == geteuid() && !(status.st_mode & 077);
	if (!is_ours)
		return vg_error_hint(
			vg_error_new("'%s' is not a private folder of this user", parent),
			"it would hold an ssh key; remove it");
	*ret_parent = vg_take(parent);
	return NULL;
}

// Sessions' folders are named after their processes.
static void remove_stale(const char *parent)
{
	char **names;
	size_t n_names;
	_auto(vg_error) struct vg_error *error = vg_folder_list(parent, &names, &n_names);
	for (size_t i = 0; !error && i < n_names; i++) {
		int pid;
		unsigned long long start_time;
		if (sscanf(names[i], "session-%d-%llu", &pid, &start_time) != 2 ||
			vg_process_is((pid_t)pid, start_time))
			continue;
		_auto(vg_string) char *path = vg_format("%s/%s", parent, names[i]);
		vg_error_ignore(vg_folder_remove(path));
	}
	if (!error)
		vg_folder_list_free(names, n_names);
}

static struct vg_error *write_file(const char *folder, const char *name, const char *text)
{
	_auto(vg_string) char *path = vg_format("%s/%s", folder, name);
	return vg_file_write(path, 0600, text, strlen(text));
}

// ssh_config(5). The command by which ssh reaches the node holds nothing but a process number and
// names of [a-z0-9@-], since ssh hands it to a shell.
static char *make_config(const struct vg_ssh_folder *folder, const char *home,
	const struct vg_record *record, const char *node)
{
	_auto(vg_string) char *names = vg_format("%s %s %s", home, record->key, node);
	char hex[VG_SHA256_HEX];
	vg_sha256_hex(names, strlen(names), hex);
	return vg_format("Host *\n"
			 "User root\n"
			 "HostKeyAlias %s\n"
			 "IdentityFile %s/identity\n"
			 "IdentitiesOnly yes\n"
			 "IdentityAgent none\n"
			 "UserKnownHostsFile %s/known_hosts\n"
			 "GlobalKnownHostsFile /dev/null\n"
			 "StrictHostKeyChecking yes\n"
			 "UpdateHostKeys no\n"
			 "PreferredAuthentications publickey\n"
			 "LogLevel ERROR\n"
			 // Seconds until the node's server has answered and keys are exchanged: long,
			 // for an emulated CPU, and not for ever.
			 "ConnectTimeout 120\n"
			 // The default hybrid exchange is slow on an emulated CPU.
			 "KexAlgorithms curve25519-sha256\n"
			 "ControlMaster auto\n"
			 "ControlPath %s/%.12s\n"
			 "ProxyCommand /proc/%d/exe ssh-proxy %s %s\n",
		node, folder->path, folder->path, folder->parent, hex, (int)getpid(), record->key,
		node);
}

static struct vg_error *fill(const struct vg_ssh_folder *folder, const char *home,
	const struct vg_record *record, const struct vg_node *node)
{
	char *public_key, *private_key;
	vg_facts_grid_key(record->grid, record->secret, &public_key, &private_key);
	struct vg_error *error = write_file(folder->path, "identity", private_key);
	vg_secret_free(private_key);
	free(public_key);
	vg_facts_host_key(node->name, record->secret, &public_key, &private_key);
	vg_secret_free(private_key);
	_auto(vg_string) char *known = vg_format("%s %s\n", node->name, public_key);
	free(public_key);
	_auto(vg_string) char *config = make_config(folder, home, record, node->name);
	if (!error)
		error = write_file(folder->path, "known_hosts", known);
	return error ? error : write_file(folder->path, "config", config);
}

static bool is_safe_word(const char *word)
{
	return *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789@-")];
}

struct vg_error *vg_ssh_folder_make(const char *home, const struct vg_record *record,
	const struct vg_node *node, struct vg_ssh_folder *ret_folder)
{
	if (!is_safe_word(record->key) || !is_safe_word(node->name))
		return vg_error_new(
			"'%s' and '%s' are no names of a grid and a node", record->key, node->name);
	struct vg_ssh_folder folder = {0};
	struct vg_error *error = make_parent(&folder.parent);
	if (error)
		return error;
	remove_stale(folder.parent);
	folder.path = vg_format("%s/session-%d-%llu", folder.parent, (int)getpid(),
		(unsigned long long)vg_process_start_time(getpid()));
	folder.config = vg_format("%s/config", folder.path);
	error = vg_folder_make(folder.path, 0700);
	if (!error)
		error = fill(&folder, home, record, node);
	if (error)
		vg_ssh_folder_remove(&folder);
	else
		*ret_folder = folder;
	return error;
}

void vg_ssh_folder_remove(struct vg_ssh_folder *folder)
{
	if (folder->path)
		vg_error_ignore(vg_folder_remove(folder->path));
	if (folder->parent)
		rmdir(folder->parent); // only when it was the last
	free(folder->parent);
	free(folder->path);
	free(folder->config);
	*folder = (struct vg_ssh_folder){0};
}
