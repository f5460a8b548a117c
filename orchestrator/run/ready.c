// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/ready.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/regex.h"
#include "base/text.h"
#include "base/units.h"
#include "orchestrator/context.h"

enum {
	LOOK_TIMEOUT_S = 2,
	EXEC_TIMEOUT_MS = 30 * 1000,
	CONSOLE_MAX = 1 << 20,
	CONSOLE_LINES = 12,
	PAUSE_MIN_MS = 50,
	PAUSE_MAX_MS = 1000,
	UNSEEN_MAX_MS = 1000,
	LATE_LOOK = 50,    // a look comes late by at most this part of the time waited, …
	LATE_COMMAND = 20, // … and one that runs a command in the guest by this
};

// Where the seed's last act leaves its word (images/guest, compute/seed.h).
static const char ready_path[] = "/run/vgrid/ready", failed_path[] = "/run/vgrid/failed";
static const char being_applied[] = "the agent answers; the seed is still being applied";

static bool interrupted(void *data)
{
	struct vg_context *context = data;
	return context->is_interrupted(context->interrupted_data);
}

static void say(char **ret_why, char *why)
{
	if (ret_why)
		*ret_why = why;
	else
		free(why);
}

// `cat PATH` in the guest: whether it worked, and its text.
static bool read_in_guest(
	struct vg_context *context, const struct vg_agent *agent, const char *path, char **ret_text)
{
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	_auto(vg_error) struct vg_error *error =
		vg_agent_exec(agent, (const char *const[]){"cat", path, NULL}, NULL, 0,
			EXEC_TIMEOUT_MS, interrupted, context, &result);
	if (error || result.status != 0)
		return false;
	*ret_text = vg_strndup(result.out, result.out_size);
	(*ret_text)[strcspn(*ret_text, "\n")] = '\0';
	return true;
}

// What the marks' files alone tell: no program is run in a guest that has enough to do. False when
// the agent does not say, or when there is more to read.
static bool look_at_marks(const struct vg_agent *agent, bool *ret_is_ready)
{
	bool is_ready = false, has_failed = false;
	struct vg_error *error = vg_agent_has_file(agent, ready_path, &is_ready);
	if (!error && !is_ready)
		error = vg_agent_has_file(agent, failed_path, &has_failed);
	bool is_told = !error && !has_failed;
	vg_error_ignore(error);
	*ret_is_ready = is_ready;
	return is_told;
}

// The seed was applied as a whole, or says what failed, or is not done yet.
static enum vg_readiness look_at_seed(
	struct vg_context *context, const struct vg_agent *agent, char **ret_why)
{
	_auto(vg_string) char *text = NULL;
	bool is_ready = false, is_told = look_at_marks(agent, &is_ready);
	if (is_told && is_ready)
		return VG_READY_YES;
	if (is_told) {
		say(ret_why, vg_strdup(being_applied));
		return VG_READY_NOT_YET;
	}
	if (read_in_guest(context, agent, ready_path, &text))
		return VG_READY_YES;
	if (read_in_guest(context, agent, failed_path, &text)) {
		say(ret_why, vg_take(text));
		return VG_READY_FAILED;
	}
	say(ret_why, vg_strdup(being_applied));
	return VG_READY_NOT_YET;
}

static enum vg_readiness look_by_command(struct vg_context *context, const struct vg_agent *agent,
	const char *command, char **ret_why)
{
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	_auto(vg_error) struct vg_error *error =
		vg_agent_exec(agent, (const char *const[]){"/bin/sh", "-c", command, NULL}, NULL, 0,
			EXEC_TIMEOUT_MS, interrupted, context, &result);
	if (!error && result.status == 0)
		return VG_READY_YES;
	if (error)
		say(ret_why, vg_strdup(vg_error_message(error)));
	else
		say(ret_why, vg_format("'%s' exits with status %d", command, result.status));
	return VG_READY_NOT_YET;
}

static enum vg_readiness look_at_console(const struct vg_drivers *drivers, struct vg_host *host,
	const struct vg_node *node, char **ret_why)
{
	_auto(vg_regex) struct vg_regex *regex = NULL;
	_auto(vg_string) char *bytes = NULL;
	size_t size = 0;
	uint64_t end;
	bool is_there = false;
	_auto(vg_error) struct vg_error *error = drivers->compute->console_log(
		host->compute, node->uuid, 0, CONSOLE_MAX, &bytes, &size, &end);
	if (!error)
		error = vg_regex_make(node->ready, &regex);
	_auto(vg_text) struct vg_text text = {0};
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] && bytes[i] != '\r') // a serial console ends its lines in CR LF
			vg_text_add_bytes(&text, &bytes[i], 1);
	}
	if (!error && text.bytes)
		error = vg_regex_find(
			regex, text.bytes, text.length, VG_REGEX_STEPS_MAX, &is_there);
	if (is_there)
		return VG_READY_YES;
	say(ret_why, error ? vg_strdup(vg_error_message(error))
			   : vg_format("the console has no line that matches '%s'", node->ready));
	return VG_READY_NOT_YET;
}

enum vg_readiness vg_ready_look(struct vg_context *context, const struct vg_drivers *drivers,
	struct vg_host *host, const struct vg_grid *grid, const struct vg_node *node,
	char **ret_why)
{
	const struct vg_ready *ready = &vg_node_role(grid, node)->ready;
	if (ready->kind == VG_READY_CONSOLE)
		return look_at_console(drivers, host, node, ret_why);
	struct vg_agent agent = {drivers->compute, host->compute, node->uuid};
	_auto(vg_error) struct vg_error *error = vg_agent_ping(&agent, LOOK_TIMEOUT_S);
	if (error) {
		say(ret_why, vg_strdup("the guest agent does not answer"));
		return VG_READY_NOT_YET;
	}
	enum vg_readiness seed = look_at_seed(context, &agent, ret_why);
	if (ready->kind == VG_READY_AGENT || seed == VG_READY_FAILED)
		return seed;
	if (ret_why)
		free(vg_take(*ret_why));
	return look_by_command(context, &agent, node->ready, ret_why);
}

static const char *probe_name(const struct vg_ready *ready)
{
	switch (ready->kind) {
	case VG_READY_AGENT:
		return "the guest agent";
	case VG_READY_EXEC:
		return "exec";
	case VG_READY_CONSOLE:
		return "console";
	}
	return "";
}

// The last lines of the console, indented, for an error's hint.
static char *console_tail(
	const struct vg_drivers *drivers, struct vg_host *host, const struct vg_node *node)
{
	_auto(vg_string) char *bytes = NULL;
	size_t size = 0;
	uint64_t end;
	_auto(vg_error) struct vg_error *error = drivers->compute->console_log(
		host->compute, node->uuid, 0, CONSOLE_MAX, &bytes, &size, &end);
	struct vg_text text = {0};
	if (error || !size)
		return vg_strdup("its console is empty");
	size_t from = size, n_lines = 0;
	while (from > 0 && n_lines <= CONSOLE_LINES)
		n_lines += bytes[--from] == '\n' && from + 1 < size;
	vg_text_addf(&text, "the last lines of its console:\n| ");
	for (size_t i = from ? from + 1 : 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c == '\n' && i + 1 < size)
			vg_text_add(&text, "\n| ");
		else if (c >= 0x20 && c != 0x7f)
			vg_text_add_bytes(&text, &c, 1);
	}
	return vg_text_take(&text);
}

static uint64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct vg_error *never_ready(const struct vg_drivers *drivers, struct vg_host *host,
	const struct vg_grid *grid, const struct vg_node *node, uint64_t after_ms, const char *why)
{
	const struct vg_role *role = vg_node_role(grid, node);
	_auto(vg_string) char *tail = console_tail(drivers, host, node);
	struct vg_place place = role->ready.text.place.line ? role->ready.text.place : role->place;
	return vg_error_hint(
		vg_error_at(place, "role '%s': '%s' is not ready after %llu s (probe: %s): %s",
			role->name, node->name, (unsigned long long)(after_ms + 500) / 1000,
			probe_name(&role->ready), why),
		"%s", tail);
}

// Until the next look: short at first, for many guests answer soon, then a part of the time waited.
static void pause_after(uint64_t passed_ms, enum vg_ready_kind kind)
{
	uint64_t ms = passed_ms / (kind == VG_READY_EXEC ? LATE_COMMAND : LATE_LOOK);
	ms = ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms;
	nanosleep(&(struct timespec){(time_t)ms / 1000, (long)ms % 1000 * 1000000}, NULL);
}

struct vg_error *vg_ready_wait(struct vg_context *context, const struct vg_drivers *drivers,
	struct vg_host *host, const struct vg_grid *grid, const struct vg_node *node,
	void (*waiting)(const char *why, void *data), void *data)
{
	const struct vg_role *role = vg_node_role(grid, node);
	uint64_t begun = clock_ms(), bound = role->ready.within * host->slowness, seen = begun;
	for (;;) {
		_auto(vg_string) char *why = NULL;
		enum vg_readiness is = vg_ready_look(context, drivers, host, grid, node, &why);
		uint64_t passed = clock_ms() - begun;
		if (is == VG_READY_YES)
			return NULL;
		if (interrupted(context))
			return vg_error_of(
				VG_ERROR_INTERRUPTED, "stopped while '%s' was booting", node->name);
		// A guest that is gone need not be waited for.
		enum vg_machine_state state = VG_MACHINE_RUNNING;
		const char *reason = "";
		struct vg_error *error =
			drivers->compute->state(host->compute, node->uuid, &state, &reason);
		if (!error)
			seen = clock_ms();
		// Whether one boots whose host cannot tell any more is not to be waited out.
		if (error && (vg_error_kind(error) == VG_ERROR_TIMEOUT ||
				     clock_ms() - seen > UNSEEN_MAX_MS))
			return vg_error_while(error, "looking whether it still runs");
		vg_error_ignore(error);
		if (state != VG_MACHINE_RUNNING && state != VG_MACHINE_PAUSED) {
			_auto(vg_string) char *text =
				vg_format("it is %s: %s", vg_machine_state_name(state), reason);
			return never_ready(drivers, host, grid, node, passed, text);
		}
		if (is == VG_READY_FAILED || passed >= bound)
			return never_ready(drivers, host, grid, node, passed, why ? why : "");
		if (waiting)
			waiting(why ? why : "", data);
		pause_after(passed, role->ready.kind);
	}
}
