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
	int file; // -1: all is held
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

// What is held goes to a file, and what comes will follow it.
static bool spill(struct stream *stream, const char *folder)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, stream->name);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return false;
	stream->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return stream->file >= 0 && write_all(stream->file, stream->held, stream->size);
}

// What comes behind the first 16 MiB is counted only.
static bool take(struct stream *stream, const char *folder, const char *bytes, size_t size)
{
	if (stream->file < 0 && stream->size + size > HELD_MAX && !spill(stream, folder))
		return false;
	size_t room = stream->size < KEPT_MAX ? KEPT_MAX - stream->size : 0;
	size_t kept = size < room ? size : room;
	if (stream->file < 0)
		memcpy(stream->held + stream->size, bytes, size);
	else if (!write_all(stream->file, bytes, kept))
		return false;
	stream->size += size;
	return true;
}

static bool collect(struct stream streams[N_STREAMS], const char *folder, const int ends[N_STREAMS])
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
			if (got == 0)
				fds[i].fd = -1;
			if ((got < 0 && errno != EINTR) ||
				(got > 0 && !take(&streams[i], folder, bytes, (size_t)got)))
				return false;
		}
	}
	return true;
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

static bool run(char **words, const char *folder, struct stream streams[N_STREAMS], int *ret_status)
{
	int out[2], err[2];
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		become(words, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (pid < 0 || !collect(streams, folder, (const int[]){out[0], err[0]}))
		return false;
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

static bool answer(struct stream streams[N_STREAMS], const char *folder, int status)
{
	bool is_here = streams[0].file < 0 && streams[1].file < 0;
	for (size_t i = 0; i < N_STREAMS && !is_here; i++)
		if (streams[i].file < 0 && !spill(&streams[i], folder))
			return false;
	dprintf(STDOUT_FILENO, "%d %llu %llu %s\n", status, (unsigned long long)streams[0].size,
		(unsigned long long)streams[1].size, is_here ? "here" : "files");
	for (size_t i = 0; i < N_STREAMS && is_here; i++)
		if (!write_all(STDOUT_FILENO, streams[i].held, streams[i].size))
			return false;
	return true;
}

int run_command(int argc, char **argv)
{
	static struct stream streams[N_STREAMS] = {
		{.name = "out", .file = -1}, {.name = "err", .file = -1}};
	if (argc < 4) {
		fprintf(stderr, "usage: %s FOLDER file|- PROGRAM [ARG]...\n", argv[0]);
		return 1;
	}
	const char *folder = argv[1];
	bool has_file = strcmp(argv[2], "file") == 0;
	char in[256];
	snprintf(in, sizeof(in), "%s/in", folder);
	int fd = has_file ? open(in, O_RDONLY | O_CLOEXEC) : -1, status = 0;
	if (has_file && (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || unlink(in) < 0)) {
		fprintf(stderr, "%s: %s\n", in, strerror(errno));
		return 1;
	}
	if (!run(argv + 3, folder, streams, &status) || !answer(streams, folder, status)) {
		fprintf(stderr, "keeping the output below '%s': %s\n", folder, strerror(errno));
		return 1;
	}
	if (has_file)
		rmdir(folder); // fails where the answer is kept
	return 0;
}
