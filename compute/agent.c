// SPDX-License-Identifier: Apache-2.0
#include "compute/agent_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"

enum {
	POLL_FIRST_MS = 20,
	POLL_LAST_MS = 500,
	FILE_TIMEOUT_MS = 30000, // for chmod and mv in the guest
};

void vg_agent_result_done(struct vg_agent_result *result)
{
	if (!result)
		return;
	free(result->out);
	free(result->err);
	*result = (struct vg_agent_result){0};
}

struct vg_error *vg_agent_read_reply(
	const char *text, size_t size, struct vg_json **ret_reply, struct vg_json **ret_value)
{
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_error *error = vg_json_read(text, size, &reply);
	if (error)
		return vg_error_while(error, "the guest agent's reply");
	if (!vg_json_is_object(reply))
		return vg_error_new("the guest agent's reply is no object");
	struct vg_json *refusal = vg_json_get(reply, "error");
	if (refusal)
		return vg_error_new("the guest agent says: %.400s",
			vg_json_get_string(refusal, "desc", "an error without a description"));
	struct vg_json *value = vg_json_get(reply, "return");
	if (!value)
		return vg_error_new("the guest agent's reply holds neither a result nor an error");
	*ret_value = value;
	*ret_reply = vg_take(reply);
	return NULL;
}

struct vg_error *vg_agent_call(const struct vg_agent *agent, const char *command,
	struct vg_json *arguments, unsigned timeout_s, struct vg_json **ret_reply,
	struct vg_json **ret_value)
{
	_auto(vg_json) struct vg_json *request = vg_json_object();
	vg_json_set_string(request, "execute", command);
	if (arguments)
		vg_json_set(request, "arguments", arguments);
	_auto(vg_string) char *text = vg_json_write(request);
	_auto(vg_string) char *reply = NULL;
	struct vg_error *error =
		agent->driver->agent(agent->compute, agent->uuid, text, timeout_s, &reply);
	if (!error)
		error = vg_agent_read_reply(reply, strlen(reply), ret_reply, ret_value);
	return vg_error_while(error, "%s", command);
}

struct vg_error *vg_agent_ping(const struct vg_agent *agent, unsigned timeout_s)
{
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_json *value;
	return vg_agent_call(agent, "guest-ping", NULL, timeout_s, &reply, &value);
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct vg_error *vg_agent_start(const struct vg_agent *agent, const char *const *argv,
	const void *in, size_t in_size, int64_t *ret_pid)
{
	if (in_size > VG_AGENT_CHUNK)
		return vg_error_of(VG_ERROR_USAGE,
			"standard input of %zu bytes: one message to the guest agent takes at most "
			"48 KiB",
			in_size);
	struct vg_json *arguments = vg_json_object();
	vg_json_set_string(arguments, "path", argv[0]);
	struct vg_json *list = vg_json_array();
	for (size_t i = 1; argv[i]; i++)
		vg_json_push(list, vg_json_string(argv[i]));
	vg_json_set(arguments, "arg", list);
	vg_json_set_boolean(arguments, "capture-output", true);
	if (in) {
		_auto(vg_string) char *encoded = vg_base64_encode(in, in_size);
		vg_json_set_string(arguments, "input-data", encoded);
	}
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_json *value;
	struct vg_error *error =
		vg_agent_call(agent, "guest-exec", arguments, VG_AGENT_CALL_S, &reply, &value);
	if (error)
		return error;
	if (!vg_json_is_integer(vg_json_get(value, "pid")))
		return vg_error_new("guest-exec: the guest agent's reply holds no pid");
	*ret_pid = vg_json_get_integer(value, "pid", 0);
	return NULL;
}

// Decodes one of the streams; a missing one is empty. The bytes have a NUL behind them.
static struct vg_error *read_output(
	const struct vg_json *value, const char *key, char **ret_bytes, size_t *ret_size)
{
	_auto(vg_string) char *bytes = NULL;
	size_t size = 0;
	const char *encoded = vg_json_get_string(value, key, NULL);
	if (encoded) {
		uint8_t *decoded = NULL;
		struct vg_error *error = vg_base64_decode(encoded, &decoded, &size);
		if (error)
			return vg_error_while(error, "guest-exec-status: '%s'", key);
		bytes = (char *)decoded;
	}
	bytes = vg_realloc(bytes, size + 1);
	bytes[size] = '\0';
	*ret_bytes = vg_take(bytes);
	*ret_size = size;
	return NULL;
}

static int read_status(const struct vg_json *value)
{
	int64_t signal_number = vg_json_get_integer(value, "signal", 0);
	int64_t status = signal_number > 0 ? 128 + signal_number
					   : vg_json_get_integer(value, "exitcode", 255);
	return status < 0 || status > 255 ? 255 : (int)status;
}

static struct vg_error *ask_status(const struct vg_agent *agent, int64_t pid, bool *ret_has_ended,
	struct vg_agent_result *ret_result)
{
	struct vg_json *arguments = vg_json_object();
	vg_json_set_integer(arguments, "pid", pid);
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_json *value;
	struct vg_error *error = vg_agent_call(
		agent, "guest-exec-status", arguments, VG_AGENT_CALL_S, &reply, &value);
	if (error)
		return error;
	*ret_has_ended = vg_json_get_boolean(value, "exited", false);
	if (!*ret_has_ended)
		return NULL;
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	result.status = read_status(value);
	result.is_cut = vg_json_get_boolean(value, "out-truncated", false) ||
			vg_json_get_boolean(value, "err-truncated", false);
	error = read_output(value, "out-data", &result.out, &result.out_size);
	if (!error)
		error = read_output(value, "err-data", &result.err, &result.err_size);
	if (!error) {
		*ret_result = result;
		result = (struct vg_agent_result){0};
	}
	return error;
}

static void sleep_ms(uint64_t ms)
{
	struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	nanosleep(&time, NULL);
}

struct vg_error *vg_agent_wait(const struct vg_agent *agent, int64_t pid, const char *name,
	const struct vg_agent_limits *limits, struct vg_agent_result *ret_result)
{
	uint64_t begin = now_ms(), wait = POLL_FIRST_MS;
	while (true) {
		bool has_ended;
		struct vg_error *error = ask_status(agent, pid, &has_ended, ret_result);
		if (error || has_ended)
			return error;
		uint64_t spent = now_ms() - begin, most = limits->timeout_ms;
		if (limits->stopped && limits->stopped(limits->data))
			return vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
		if (most && spent >= most)
			return vg_error_of(VG_ERROR_TIMEOUT,
				"'%s' did not end within %" PRIu64 " ms", name, most);
		sleep_ms(most && most - spent < wait ? most - spent : wait);
		wait = wait * 2 < POLL_LAST_MS ? wait * 2 : POLL_LAST_MS;
	}
}

struct vg_error *vg_agent_exec(const struct vg_agent *agent, const char *const *argv,
	const void *in, size_t in_size, uint64_t timeout_ms, bool (*stopped)(void *data),
	void *data, struct vg_agent_result *ret_result)
{
	const struct vg_agent_limits limits = {timeout_ms, stopped, data};
	int64_t pid = 0;
	struct vg_error *error = vg_agent_start(agent, argv, in, in_size, &pid);
	return error ? error : vg_agent_wait(agent, pid, argv[0], &limits, ret_result);
}

struct vg_error *vg_agent_must(const struct vg_agent *agent, const char *const *argv)
{
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	struct vg_error *error =
		vg_agent_exec(agent, argv, NULL, 0, FILE_TIMEOUT_MS, NULL, NULL, &result);
	if (error || result.status == 0)
		return error;
	size_t length = strcspn(result.err, "\n");
	return vg_error_new("'%s' in the guest ended with status %d: %.*s", argv[0], result.status,
		(int)(length < 200 ? length : 200), result.err);
}

struct vg_error *vg_agent_file_open(
	const struct vg_agent *agent, const char *path, const char *mode, int64_t *ret_handle)
{
	struct vg_json *arguments = vg_json_object();
	vg_json_set_string(arguments, "path", path);
	vg_json_set_string(arguments, "mode", mode);
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_json *value;
	struct vg_error *error =
		vg_agent_call(agent, "guest-file-open", arguments, VG_AGENT_CALL_S, &reply, &value);
	if (error)
		return error;
	if (!vg_json_is_integer(value))
		return vg_error_new("guest-file-open: the guest agent's reply is no handle");
	*ret_handle = vg_json_number(value, 0);
	return NULL;
}

struct vg_error *vg_agent_file_write(
	const struct vg_agent *agent, int64_t handle, const uint8_t *bytes, size_t size)
{
	_auto(vg_string) char *encoded = vg_base64_encode(bytes, size);
	struct vg_json *arguments = vg_json_object();
	vg_json_set_integer(arguments, "handle", handle);
	vg_json_set_string(arguments, "buf-b64", encoded);
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_json *value;
	struct vg_error *error = vg_agent_call(
		agent, "guest-file-write", arguments, VG_AGENT_CALL_S, &reply, &value);
	if (error)
		return error;
	if (vg_json_get_integer(value, "count", -1) != (int64_t)size)
		return vg_error_new("guest-file-write: the guest wrote less than it was given");
	return NULL;
}

struct vg_error *vg_agent_file_close(const struct vg_agent *agent, int64_t handle)
{
	struct vg_json *arguments = vg_json_object();
	vg_json_set_integer(arguments, "handle", handle);
	_auto(vg_json) struct vg_json *reply = NULL;
	struct vg_json *value;
	return vg_agent_call(agent, "guest-file-close", arguments, VG_AGENT_CALL_S, &reply, &value);
}

struct vg_error *vg_agent_has_file(const struct vg_agent *agent, const char *path, bool *ret_has)
{
	int64_t handle;
	struct vg_error *error = vg_agent_file_open(agent, path, "r", &handle);
	if (!error) {
		*ret_has = true;
		return vg_agent_file_close(agent, handle);
	}
	// There is no code for it: the agent shows what strerror() says, in C's language.
	if (!strstr(vg_error_message(error), "No such file or directory"))
		return error;
	vg_error_ignore(error);
	*ret_has = false;
	return NULL;
}

// The agent makes files that everybody may read: so the mode is set before the first byte.
static struct vg_error *write_fresh(const struct vg_agent *agent, const char *path, unsigned mode,
	const uint8_t *bytes, size_t size)
{
	int64_t handle = 0;
	struct vg_error *error = vg_agent_file_open(agent, path, "w", &handle);
	if (error)
		return error;
	char digits[8];
	snprintf(digits, sizeof(digits), "%04o", mode & 07777);
	error = vg_agent_must(agent, (const char *const[]){"/bin/chmod", digits, path, NULL});
	for (size_t done = 0; done < size && !error; done += VG_AGENT_CHUNK)
		error = vg_agent_file_write(agent, handle, bytes + done,
			size - done < VG_AGENT_CHUNK ? size - done : VG_AGENT_CHUNK);
	struct vg_error *close_error = vg_agent_file_close(agent, handle);
	if (!error)
		return close_error;
	vg_error_ignore(close_error);
	return error;
}

struct vg_error *vg_agent_write_file(const struct vg_agent *agent, const char *path, unsigned mode,
	const void *bytes, size_t size)
{
	_auto(vg_string) char *fresh = vg_format("%s.vgrid-new", path);
	struct vg_error *error = write_fresh(agent, fresh, mode, bytes, size);
	if (!error)
		error = vg_agent_must(agent, (const char *const[]){"/bin/mv", fresh, path, NULL});
	if (error)
		vg_error_ignore(
			vg_agent_must(agent, (const char *const[]){"/bin/rm", "-f", fresh, NULL}));
	return vg_error_while(error, "writing '%s' in the guest", path);
}
