// SPDX-License-Identifier: Apache-2.0
//
// A library for LD_PRELOAD that breaks the disk under a vgrid: it counts the calls that change
// files below a folder, and at the N-th kills the process, or lets it and all later ones fail. Used
// by tests/scenario/disk.py. Only what is called through the C library is seen, which is all that
// vgrid does itself; programs that it starts are left alone.
//
//	BROKEN_DISK=HOW:N:FOLDER   HOW is kill (before the call), killed (behind it), ENOSPC, EROFS,
// EIO 	                           or none 	BROKEN_DISK_TRACE=FILE     a line for each call: its
// number, its name, its path 	BROKEN_DISK_ONLY=TEXT      calls whose path does not hold this are not
//counted
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[PATH_MAX], only[PATH_MAX];
static long at;  // the N-th; 0: none
static int code; // errno to fail with, 0: kill
static bool kills_behind;
static int trace = -1;
static atomic_long n_calls;

// One call of ours: what becomes of it.
struct turn {
	bool fails, is_last;
};

static const struct {
	const char *name;
	int code;
} codes[] = {{"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EIO", EIO}};

__attribute__((constructor)) static void begin(void)
{
	char program[PATH_MAX], how[16], path[PATH_MAX];
	const char *rule = getenv("BROKEN_DISK"), *done = getenv("BROKEN_DISK_DONE");
	const char *part = getenv("BROKEN_DISK_ONLY"), *file = getenv("BROKEN_DISK_TRACE");
	ssize_t length = syscall(SYS_readlink, "/proc/self/exe", program, sizeof(program) - 1);
	program[length > 0 ? length : 0] = '\0';
	const char *slash = strrchr(program, '/');
	if (!rule || !slash || strcmp(slash, "/vgrid") != 0)
		return;
	if (sscanf(rule, "%15[a-zA-Z]:%ld:%4095s", how, &at, path) != 3)
		abort();
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (strcmp(codes[i].name, how) == 0)
			code = codes[i].code;
	}
	kills_behind = strcmp(how, "killed") == 0;
	if (strcmp(how, "none") == 0)
		at = 0;
	snprintf(only, sizeof(only), "%s", part ? part : "");
	atomic_store(&n_calls, done ? atol(done) : 0);
	if (file)
		trace = (int)syscall(SYS_openat, AT_FDCWD, file,
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(folder, sizeof(folder), "%s", path);
}

// Counts a call on this path, and decides.
static struct turn count(const char *name, const char *path)
{
	struct turn turn = {false, false};
	size_t length = strlen(folder);
	if (!length || strncmp(path, folder, length) != 0 ||
		(path[length] && path[length] != '/') || !strstr(path, only))
		return turn;
	long number = atomic_fetch_add(&n_calls, 1) + 1;
	char line[PATH_MAX + 64];
	int size = snprintf(line, sizeof(line), "%ld %s %s\n", number, name, path);
	if (trace >= 0)
		syscall(SYS_write, trace, line,
			size < (int)sizeof(line) ? size : (int)sizeof(line));
	turn.fails = at && code && number >= at;
	turn.is_last = at && !code && number == at;
	if (turn.is_last && !kills_behind)
		raise(SIGKILL);
	return turn;
}

static struct turn count_at(const char *name, int at_fd, const char *path)
{
	char whole[2 * PATH_MAX], link[64], above[PATH_MAX];
	if (*path == '/')
		return count(name, path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", at_fd);
	ssize_t length = syscall(SYS_readlink, at_fd == AT_FDCWD ? "/proc/self/cwd" : link, above,
		sizeof(above) - 1);
	above[length > 0 ? length : 0] = '\0';
	snprintf(whole, sizeof(whole), "%s%s%s", above, *path ? "/" : "", path);
	return count(name, whole);
}

static struct turn count_fd(const char *name, int fd)
{
	return folder[0] ? count_at(name, fd, "") : (struct turn){false, false};
}

static long end(struct turn turn, long result)
{
	if (turn.is_last)
		raise(SIGKILL);
	return result;
}

static long fail(void)
{
	errno = code;
	return -1;
}

// A call of the C library, by its system call: nothing of anybody else's is needed for it.
#define BREAK(decided, ...)                                                                        \
	do {                                                                                       \
		struct turn turn_ = (decided);                                                     \
		return turn_.fails ? fail() : end(turn_, syscall(__VA_ARGS__));                    \
	} while (0)

static int open_at(int at_fd, const char *path, int flags, mode_t mode)
{
	struct turn turn = {false, false};
	if ((flags & O_CREAT) || (flags & O_ACCMODE) != O_RDONLY)
		turn = count_at("open", at_fd, path);
	return turn.fails ? (int)fail()
			  : (int)end(turn, syscall(SYS_openat, at_fd, path, flags, mode));
}

// The mode is only there with O_CREAT (or O_TMPFILE), as in the C library.
#define TAKE_MODE(flags, mode)                                                                     \
	mode_t mode = 0;                                                                           \
	if ((flags) & (O_CREAT | O_TMPFILE)) {                                                     \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		mode = va_arg(arguments, mode_t);                                                  \
		va_end(arguments);                                                                 \
	}

int open(const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at_fd, const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_at(at_fd, path, flags, mode);
}

int openat64(int at_fd, const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_at(at_fd, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	BREAK(count_fd("write", fd), SYS_write, fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	BREAK(count_fd("pwrite", fd), SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	BREAK(count_fd("pwrite", fd), SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t copy_file_range(
	int from, off_t *from_offset, int to, off_t *to_offset, size_t size, unsigned flags)
{
	BREAK(count_fd("copy_file_range", to), SYS_copy_file_range, from, from_offset, to,
		to_offset, size, flags);
}

int ftruncate(int fd, off_t size)
{
	BREAK(count_fd("ftruncate", fd), SYS_ftruncate, fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	BREAK(count_fd("fallocate", fd), SYS_fallocate, fd, mode, offset, size);
}

int fsync(int fd)
{
	BREAK(count_fd("fsync", fd), SYS_fsync, fd);
}

int fdatasync(int fd)
{
	BREAK(count_fd("fdatasync", fd), SYS_fdatasync, fd);
}

int fchmod(int fd, mode_t mode)
{
	BREAK(count_fd("fchmod", fd), SYS_fchmod, fd, mode);
}

int mkdir(const char *path, mode_t mode)
{
	struct stat status; // mkdir -p asks for each folder above
	if (syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) == 0)
		return (int)syscall(SYS_mkdir, path, mode);
	BREAK(count_at("mkdir", AT_FDCWD, path), SYS_mkdir, path, mode);
}

int rmdir(const char *path)
{
	BREAK(count_at("rmdir", AT_FDCWD, path), SYS_rmdir, path);
}

int unlink(const char *path)
{
	BREAK(count_at("unlink", AT_FDCWD, path), SYS_unlink, path);
}

int unlinkat(int at_fd, const char *path, int flags)
{
	BREAK(count_at("unlinkat", at_fd, path), SYS_unlinkat, at_fd, path, flags);
}

int rename(const char *from, const char *to)
{
	BREAK(count_at("rename", AT_FDCWD, to), SYS_rename, from, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	BREAK(count_at("renameat2", to_fd, to), SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int symlink(const char *target, const char *path)
{
	BREAK(count_at("symlink", AT_FDCWD, path), SYS_symlink, target, path);
}

int link(const char *from, const char *to)
{
	BREAK(count_at("link", AT_FDCWD, to), SYS_link, from, to);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	BREAK(count_at("linkat", to_fd, to), SYS_linkat, from_fd, from, to_fd, to, flags);
}

// The program may start itself anew, and goes on counting then.
int execv(const char *path, char *const argv[])
{
	extern char **environ;
	char done[32];
	snprintf(done, sizeof(done), "%ld", atomic_load(&n_calls));
	setenv("BROKEN_DISK_DONE", done, 1);
	return (int)syscall(SYS_execve, path, argv, environ);
}
