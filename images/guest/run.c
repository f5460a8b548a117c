// SPDX-License-Identifier: Apache-2.0
#include "images/guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELD_MAX = 512 << 10, KEPT_MAX = 16 << 20, N_STREAMS = 2 };

struct stream {
	const char *name;
	int file;  // -1: all is held
	int fault; // errno: the file failed
	uint64_t size;
	char held[HELD_MAX];
};

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t put = write(fd, bytes, size);
		if (put < 0 && errno != EINTR)
			return false;
		bytes += put > 0 ? put : 0;
		size -= put > 0 ? (size_t)put : 0;
	}
	return true;
}

// What is held goes to a file, and what comes will follow it. A folder that is gone was removed by
// a vgrid that waits no longer.
static void spill(struct stream *stream, int folder)
{
	if (stream->file >= 0 || stream->fault)
		return;
	stream->file = openat(folder, stream->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (stream->file < 0 || !write_all(stream->file, stream->held, stream->size))
		stream->fault = errno;
}

// What comes behind the first 16 MiB, or after a fault, is only counted: the program goes on.
static void take(struct stream *stream, int folder, const char *bytes, size_t size)
{
	if (stream->size + size > HELD_MAX)
		spill(stream, folder);
	size_t room = stream->size < KEPT_MAX ? KEPT_MAX - stream->size : 0;
	if (stream->size + size <= HELD_MAX)
		memcpy(stream->held + stream->size, bytes, size);
	else if (!stream->fault && !write_all(stream->file, bytes, size < room ? size : room))
		stream->fault = errno;
	stream->size += size;
}

static void collect(struct stream streams[N_STREAMS], int folder, const int ends[N_STREAMS])
{
	struct pollfd fds[N_STREAMS] = {
		{.fd = ends[0], .events = POLLIN}, {.fd = ends[1], .events = POLLIN}};
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		poll(fds, N_STREAMS, -1);
		for (size_t i = 0; i < N_STREAMS; i++) {
			char bytes[64 << 10];
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			ssize_t got = read(fds[i].fd, bytes, sizeof(bytes));
			if (got > 0)
				take(&streams[i], folder, bytes, (size_t)got);
			else if (got == 0 || errno != EINTR)
				fds[i].fd = -1;
		}
	}
}

// Does not return.
static void become(char **words, int out, int err)
{
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execvp(words[0], words);
	int code = errno;
	dprintf(STDERR_FILENO, "vgrid: cannot run '%s': %s\n", words[0], strerror(code));
	_exit(code == ENOENT ? 127 : 126);
}

// Runs the program to its end, and that of its outputs; false with errno.
static bool run(char **words, struct stream streams[N_STREAMS], int folder, int *ret_status)
{
	int out[2], err[2];
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return false;
	pid_t pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0)
		become(words, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	collect(streams, folder, (const int[]){out[0], err[0]});
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

static bool answer(struct stream streams[N_STREAMS], int folder, int status)
{
	bool is_here = streams[0].size <= HELD_MAX && streams[1].size <= HELD_MAX;
	for (size_t i = 0; i < N_STREAMS && !is_here; i++) {
		spill(&streams[i], folder);
		errno = streams[i].fault;
		if (errno)
			return false;
	}
	dprintf(STDOUT_FILENO, "%d %llu %llu %s\n", status, (unsigned long long)streams[0].size,
		(unsigned long long)streams[1].size, is_here ? "here" : "files");
	for (size_t i = 0; i < N_STREAMS && is_here; i++)
		if (!write_all(STDOUT_FILENO, streams[i].held, streams[i].size))
			return false;
	return true;
}

// The folder is there if it holds standard input, else it is made.
static bool open_folder(const char *path, bool has_input, int *ret_folder)
{
	if (!has_input && mkdir(path, 0700) < 0)
		return false;
	*ret_folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int in = has_input ? openat(*ret_folder, "in", O_RDONLY | O_CLOEXEC) : -1;
	return *ret_folder >= 0 && (!has_input || (dup2(in, STDIN_FILENO) == STDIN_FILENO &&
							  unlinkat(*ret_folder, "in", 0) == 0));
}

int run_command(int argc, char **argv)
{
	static struct stream streams[N_STREAMS] = {
		{.name = "out", .file = -1}, {.name = "err", .file = -1}};
	if (argc < 4) {
		fprintf(stderr, "usage: %s FOLDER file|- PROGRAM [ARG]...\n", argv[0]);
		return 1;
	}
	int folder = -1, status = 0;
	bool is_good = open_folder(argv[1], strcmp(argv[2], "file") == 0, &folder) &&
		       run(argv + 3, streams, folder, &status) && answer(streams, folder, status);
	if (!is_good)
		fprintf(stderr, "'%s': %s\n", argv[1], strerror(errno));
	rmdir(argv[1]); // stays where the answer is in it
	return is_good ? 0 : 1;
}
