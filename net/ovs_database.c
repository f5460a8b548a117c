// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_database.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum { PROBE_MS = 5000, ANSWER_MAX = 64 << 20, CHUNK = 64 << 10, REQUEST_ID = 1 };

static const char database[] = "Open_vSwitch";

// JSON-RPC puts one object behind the other, with nothing between: a message ends where its braces
// do.
struct framing {
	unsigned depth;
	bool is_in_string, is_escaped;
};

// How many of the bytes belong to the first message; *ret_is_whole when it ends there.
static size_t frame(struct framing *framing, const char *bytes, size_t size, bool *ret_is_whole)
{
	for (size_t i = 0; i < size; i++) {
		char byte = bytes[i];
		if (framing->is_escaped)
			framing->is_escaped = false;
		else if (framing->is_in_string && byte == '\\')
			framing->is_escaped = true;
		else if (byte == '"')
			framing->is_in_string = !framing->is_in_string;
		else if (framing->is_in_string)
			continue;
		else if (byte == '{' || byte == '[')
			framing->depth++;
		else if ((byte == '}' || byte == ']') && --framing->depth == 0) {
			*ret_is_whole = true;
			return i + 1;
		}
	}
	*ret_is_whole = false;
	return size;
}

struct session {
	struct vg_ovs_wire *wire;
	uint64_t deadline;
	struct vg_text unread;
};

static void session_auto_free(struct session *session)
{
	vg_ovs_wire_free(session->wire);
	vg_text_done(&session->unread);
}

// The next message of the server.
static struct vg_error *receive(struct session *session, struct vg_json **ret_message)
{
	_auto(vg_text) struct vg_text message = {0};
	_auto(vg_string) char *chunk = vg_alloc(CHUNK);
	struct framing framing = {0};
	for (bool is_whole = false; !is_whole;) {
		size_t size = session->unread.length;
		if (size == 0) {
			struct vg_error *error = vg_ovs_wire_receive(
				session->wire, chunk, CHUNK, session->deadline, &size);
			if (error)
				return error;
			vg_text_add_bytes(&session->unread, chunk, size);
		}
		size_t taken = frame(&framing, session->unread.bytes, size, &is_whole);
		vg_text_add_bytes(&message, session->unread.bytes, taken);
		_auto(vg_text) struct vg_text rest = {0};
		vg_text_add_bytes(&rest, session->unread.bytes + taken, size - taken);
		vg_text_done(&session->unread);
		session->unread = rest;
		rest = (struct vg_text){0};
		if (message.length > ANSWER_MAX)
			return vg_error_new("its answer is longer than %u MiB", ANSWER_MAX >> 20);
	}
	return vg_error_while(
		vg_json_read(message.bytes, message.length, ret_message), "reading its answer");
}

static struct vg_error *send_message(struct session *session, const struct vg_json *message)
{
	_auto(vg_string) char *text = vg_json_write(message);
	return vg_ovs_wire_send(session->wire, text, strlen(text), session->deadline);
}

// The server asks now and then whether somebody is there (RFC 7047, 4.1.11).
static struct vg_error *answer_echo(struct session *session, const struct vg_json *question)
{
	_auto(vg_json) struct vg_json *answer = vg_json_object();
	vg_json_set(answer, "id", vg_json_copy(vg_json_get(question, "id")));
	vg_json_set(answer, "result", vg_json_copy(vg_json_get(question, "params")));
	vg_json_set(answer, "error", NULL);
	return send_message(session, answer);
}

static struct vg_error *await(struct session *session, struct vg_json **ret_result)
{
	for (;;) {
		_auto(vg_json) struct vg_json *message = NULL;
		struct vg_error *error = receive(session, &message);
		if (error)
			return error;
		if (vg_text_equal(vg_json_get_string(message, "method", NULL), "echo")) {
			error = answer_echo(session, message);
			if (error)
				return error;
			continue;
		}
		if (vg_json_get_integer(message, "id", 0) != REQUEST_ID)
			continue;
		const struct vg_json *refusal = vg_json_get(message, "error");
		if (refusal) {
			_auto(vg_string) char *text = vg_json_write(refusal);
			return vg_error_new("%s", vg_json_get_string(refusal, "details", text));
		}
		*ret_result = vg_json_copy(vg_json_get(message, "result"));
		return NULL;
	}
}

// Takes over params.
static struct vg_error *call(const struct vg_ovs_server *server, const char *method,
	struct vg_json *params, uint64_t timeout_ms, struct vg_json **ret_result)
{
	_auto(vg_json) struct vg_json *request = vg_json_object();
	vg_json_set_integer(request, "id", REQUEST_ID);
	vg_json_set_string(request, "method", method);
	vg_json_set(request, "params", params);
	_auto(session) struct session session = {.deadline = vg_ovs_now() + timeout_ms};
	struct vg_error *error = vg_ovs_wire_open(&server->endpoint, &server->tls,
		server->namespace_fd, session.deadline, &session.wire);
	if (!error)
		error = send_message(&session, request);
	if (!error)
		error = await(&session, ret_result);
	_auto(vg_string) char *name = vg_ovs_endpoint_name(&server->endpoint);
	return vg_error_while(error, "asking the OVSDB server at %s", name);
}

struct vg_error *vg_ovs_probe(const struct vg_ovs_server *server)
{
	_auto(vg_json) struct vg_json *databases = NULL;
	struct vg_error *error = call(server, "list_dbs", vg_json_array(), PROBE_MS, &databases);
	for (size_t i = 0; !error && i < vg_json_length(databases); i++)
		if (vg_text_equal(vg_json_text(vg_json_at(databases, i), NULL), database))
			return NULL;
	_auto(vg_string) char *name = vg_ovs_endpoint_name(&server->endpoint);
	return error ? error : vg_error_new("the OVSDB server at %s has no switch", name);
}

struct vg_error *vg_ovs_transact(const struct vg_ovs_server *server,
	const struct vg_json *operations, uint64_t timeout_ms, struct vg_json **ret_results,
	int *ret_refused)
{
	int ignored;
	int *refused = ret_refused ? ret_refused : &ignored;
	*refused = -1;
	struct vg_json *params = vg_json_array();
	vg_json_push(params, vg_json_string(database));
	for (size_t i = 0; i < vg_json_length(operations); i++)
		vg_json_push(params, vg_json_copy(vg_json_at(operations, i)));
	_auto(vg_json) struct vg_json *results = NULL;
	struct vg_error *error = call(server, "transact", params, timeout_ms, &results);
	for (size_t i = 0; !error && i < vg_json_length(results); i++) {
		const struct vg_json *result = vg_json_at(results, i);
		const char *what = vg_json_get_string(result, "error", NULL);
		if (!what)
			continue;
		*refused = (int)i;
		return vg_error_of(
			strcmp(what, "timed out") == 0 ? VG_ERROR_TIMEOUT : VG_ERROR_FAILED,
			"the OVSDB server refuses: %s: %s", what,
			vg_json_get_string(result, "details", "no details"));
	}
	if (!error)
		*ret_results = vg_take(results);
	return error;
}
