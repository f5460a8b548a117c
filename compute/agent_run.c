// SPDX-License-Identifier: Apache-2.0
#include "compute/agent_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "compute/agent_call.h"
#include "compute/seed_format.h"

enum { OUTPUT_MAX = 16 << 20, LINE_MAX_LENGTH = 64 };

// Pipes, not files, for the program: one that opens /dev/stderr must not cut off what was there.
// head keeps a byte more than is wanted, which tells that there was more; cat takes the rest.
static const char starter_script[] =
	"if [ \"$2\" = file ]; then exec <\"$1/in\"; else mkdir -m 0700 -- \"$1\"; fi || exit\n"
	"keep() { head -c 16777217 >\"$1\"; cat >/dev/null; }\n"
	"{ { (shift 2; exec \"$@\" 3>&-) 2>&1 >&3; echo $? >\"$1/status\"; } |\n"
	"keep \"$1/err\"; } 3>&1 | keep \"$1/out\"\n"
	"read -r status <\"$1/status\"\n"
	"set -- \"$1\" \"$status\" $(wc -c \"$1/out\" \"$1/err\")\n"
	"if [ \"$7\" -gt 1048576 ]; then echo \"$2 $3 $5 files\"; exit; fi\n"
	"echo \"$2 $3 $5 here\"\n"
	"cat \"$1/out\" \"$1/err\"\n"
	"rm -rf -- \"$1\"\n";

static const char folder_script[] = "umask 077 && mkdir -- \"$1\" && : >\"$1/in\"";

struct job {
	const struct vg_agent *agent;
	const struct vg_agent_limits *limits;
	const char *folder;
	bool may_leave_something; // in the guest
};

static struct vg_error *check_stopped(const struct job *job)
{
	if (job->limits->stopped && job->limits->stopped(job->limits->data))
		return vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
	return NULL;
}

static struct vg_error *send_chunks(
	const struct job *job, int64_t handle, const uint8_t *in, size_t size)
{
	struct vg_error *error = NULL;
	for (size_t done = 0; done < size && !error; done += VG_AGENT_CHUNK) {
		error = check_stopped(job);
		if (!error)
			error = vg_agent_file_write(job->agent, handle, in + done,
				size - done < VG_AGENT_CHUNK ? size - done : VG_AGENT_CHUNK);
	}
	return error;
}

static struct vg_error *send_input(struct job *job, const void *in, size_t size)
{
	_auto(vg_string) char *path = vg_format("%s/in", job->folder);
	job->may_leave_something = true;
	struct vg_error *error = vg_agent_must(job->agent,
		(const char *const[]){"/bin/sh", "-c", folder_script, "vgrid", job->folder, NULL});
	int64_t handle = 0;
	if (!error)
		error = vg_agent_file_open(job->agent, path, "w", &handle);
	if (!error) {
		error = send_chunks(job, handle, in, size);
		struct vg_error *close_error = vg_agent_file_close(job->agent, handle);
		if (error)
			vg_error_ignore(close_error);
		else
			error = close_error;
	}
	return vg_error_while(error, "writing standard input into the guest");
}

static struct vg_error *start(struct job *job, const char *const *words, bool has_file,
	const void *in, size_t in_size, int64_t *ret_pid)
{
	static const char *const shell[] = {"/bin/sh", "-c", starter_script, "vgrid"};
	const char **argv = NULL;
	size_t n = 0;
	for (size_t i = 0; i < VG_LENGTH(shell); i++)
		vg_append(argv, n) = shell[i];
	vg_append(argv, n) = job->folder;
	vg_append(argv, n) = has_file ? "file" : "-";
	for (; *words; words++)
		vg_append(argv, n) = *words;
	vg_append(argv, n) = NULL;
	const char **program = argv + VG_LENGTH(shell) - 1;
	*program = VG_RUN_PROGRAM;
	struct vg_error *error = vg_agent_start(job->agent, program, in, in_size, ret_pid);
	if (error && vg_error_kind(error) != VG_ERROR_TIMEOUT) {
		vg_error_ignore(error);
		*program = shell[VG_LENGTH(shell) - 1];
		error = vg_agent_start(job->agent, argv, in, in_size, ret_pid);
	}
	job->may_leave_something |= !error || vg_error_kind(error) == VG_ERROR_TIMEOUT;
	free(argv);
	return error;
}

// At most `size` bytes of a chunk; *ret_got is 0 at the end.
static struct vg_error *read_chunk(
	const struct job *job, int64_t handle, size_t size, char *ret_bytes, size_t *ret_got)
{
	struct vg_json *arguments = vg_json_object();
	vg_json_set_integer(arguments, "handle", handle);
	vg_json_set_integer(arguments, "count", (int64_t)size);
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_json *value;
	struct vg_error *error = vg_agent_call(
		job->agent, "guest-file-read", arguments, VG_AGENT_CALL_S, &reply, &value);
	uint8_t *bytes = NULL;
	size_t got = 0;
	if (!error)
		error = vg_base64_decode(vg_json_get_string(value, "buf-b64", ""), &bytes, &got);
	if (!error && got > size)
		error = vg_error_new("guest-file-read: the guest gave more than was asked for");
	if (!error) {
		memcpy(ret_bytes, bytes, got);
		*ret_got = got;
	}
	free(bytes);
	return error;
}

static struct vg_error *read_file(
	const struct job *job, int64_t handle, size_t size, char *ret_bytes)
{
	for (size_t done = 0, got = 0; done < size; done += got) {
		size_t rest = size - done;
		struct vg_error *error = check_stopped(job);
		if (!error)
			error = read_chunk(job, handle,
				rest < VG_AGENT_READ_CHUNK ? rest : VG_AGENT_READ_CHUNK,
				ret_bytes + done, &got);
		if (!error && got == 0)
			error = vg_error_new("guest-file-read: the file ends too early");
		if (error)
			return error;
	}
	return NULL;
}

// One of the outputs out of its file; NUL behind it.
static struct vg_error *fetch(
	const struct job *job, const char *name, size_t size, char **ret_bytes)
{
	_auto(vg_string) char *path = vg_format("%s/%s", job->folder, name);
	_auto(vg_string) char *bytes = vg_alloc(size + 1);
	int64_t handle = 0;
	struct vg_error *error = vg_agent_file_open(job->agent, path, "r", &handle);
	if (!error) {
		error = read_file(job, handle, size, bytes);
		vg_error_ignore(vg_agent_file_close(job->agent, handle)); // it was only read
	}
	if (!error)
		*ret_bytes = vg_take(bytes);
	return vg_error_while(error, "reading '%s' in the guest", path);
}

struct answer {
	unsigned status;
	uint64_t out_size, err_size; // as the program wrote them
	bool is_here;
	const char *rest;
	size_t rest_size;
};

// False: that is not what a starter writes.
static bool read_answer(const struct vg_agent_result *seen, struct answer *ret_answer)
{
	const char *end = memchr(seen->out, '\n', seen->out_size);
	char line[LINE_MAX_LENGTH + 1], place[6], more;
	if (!end || end - seen->out > LINE_MAX_LENGTH)
		return false;
	snprintf(line, sizeof(line), "%.*s", (int)(end - seen->out), seen->out);
	struct answer answer = {
		.rest = end + 1, .rest_size = seen->out_size - (size_t)(end + 1 - seen->out)};
	if (sscanf(line, "%3u %18" SCNu64 " %18" SCNu64 " %5s%c", &answer.status, &answer.out_size,
		    &answer.err_size, place, &more) != 4 ||
		answer.status > 255)
		return false;
	answer.is_here = strcmp(place, "here") == 0;
	if (answer.is_here ? answer.rest_size != answer.out_size + answer.err_size
			   : strcmp(place, "files") != 0 || answer.rest_size)
		return false;
	*ret_answer = answer;
	return true;
}

static char *copy(const char *bytes, size_t size)
{
	char *made = vg_alloc(size + 1);
	memcpy(made, bytes, size);
	made[size] = '\0';
	return made;
}

static struct vg_error *collect(
	struct job *job, const struct vg_agent_result *seen, struct vg_agent_result *ret_result)
{
	struct answer answer;
	size_t length = strcspn(seen->err, "\n");
	if (!read_answer(seen, &answer))
		return vg_error_new("its starter in the guest ended with status %d and no answer: "
				    "%.*s",
			seen->status, (int)(length < 200 ? length : 200), seen->err);
	_auto(vg_agent_result) struct vg_agent_result result = {.status = (int)answer.status,
		.out_size = answer.out_size < OUTPUT_MAX ? answer.out_size : OUTPUT_MAX,
		.err_size = answer.err_size < OUTPUT_MAX ? answer.err_size : OUTPUT_MAX,
		.is_cut = answer.out_size > OUTPUT_MAX || answer.err_size > OUTPUT_MAX};
	struct vg_error *error = NULL;
	if (answer.is_here) {
		job->may_leave_something = false;
		result.out = copy(answer.rest, result.out_size);
		result.err = copy(answer.rest + result.out_size, result.err_size);
	} else {
		error = fetch(job, "out", result.out_size, &result.out);
		if (!error)
			error = fetch(job, "err", result.err_size, &result.err);
	}
	if (!error) {
		*ret_result = result;
		result = (struct vg_agent_result){0};
	}
	return error;
}

struct vg_error *vg_agent_run(const struct vg_agent *agent, const char *const *argv, const void *in,
	size_t in_size, uint64_t timeout_ms, bool (*stopped)(void *data), void *data,
	struct vg_agent_result *ret_result)
{
	char uuid[VG_UUID_LENGTH];
	vg_uuid_random(uuid);
	_auto(vg_string) char *folder = vg_format("/run/vgrid-exec-%s", uuid);
	const struct vg_agent_limits limits = {timeout_ms, stopped, data};
	struct job job = {agent, &limits, folder, false};
	bool has_file = in_size > VG_AGENT_CHUNK;
	_auto(vg_agent_result) struct vg_agent_result seen = {0};
	int64_t pid = 0;
	if (*argv[0] == '-') // which not every shell's `exec` can be told
		return vg_error_of(VG_ERROR_USAGE, "no program's name begins with '-'");
	struct vg_error *error = has_file ? send_input(&job, in, in_size) : NULL;
	if (!error)
		error = start(
			&job, argv, has_file, has_file ? NULL : in, has_file ? 0 : in_size, &pid);
	if (!error)
		error = vg_agent_wait(agent, pid, argv[0], &limits, &seen);
	if (!error)
		error = collect(&job, &seen, ret_result);
	if (job.may_leave_something) // the program's end and output count for more than this
		vg_error_ignore(vg_agent_must(
			agent, (const char *const[]){"/bin/rm", "-rf", folder, NULL}));
	return error;
}
