// SPDX-License-Identifier: Apache-2.0
#include "base/filter_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"

enum rule_kind { RULE_TRACE, RULE_DELAY, RULE_FAULT, RULE_LOST, RULE_KILL, RULE_KILLED, RULE_HANG };

static const char *const rule_names[] = {
	[RULE_TRACE] = "trace",
	[RULE_DELAY] = "delay",
	[RULE_FAULT] = "fault",
	[RULE_LOST] = "lost",
	[RULE_KILL] = "kill",
	[RULE_KILLED] = "killed",
	[RULE_HANG] = "hang",
};

struct rule {
	enum rule_kind kind;
	char *operation; // a pattern; a trace's path
	uint64_t delay_ms;
	uint64_t number;    // the call that it is for, 0: every one
	bool is_open_ended; // and all after it
	atomic_uint_fast64_t n_calls;
};

struct vg_filter {
	struct rule *rules;
	size_t n_rules;
	int trace_fd;
};

void vg_filter_free(struct vg_filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->n_rules; i++)
		free(filter->rules[i].operation);
	if (filter->trace_fd >= 0)
		close(filter->trace_fd);
	free(filter->rules);
	free(filter);
}

static struct vg_error *read_number(
	const char *text, const struct rule *rule, uint64_t *ret_number, const char **ret_rest)
{
	char *end;
	errno = 0;
	uint64_t number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		return vg_error_of(
			VG_ERROR_USAGE, "'%s' is no number for '%s'", text, rule_names[rule->kind]);
	*ret_number = number;
	*ret_rest = end;
	return NULL;
}

// `N` or `N+`.
static struct vg_error *read_calls(const char *text, struct rule *rule)
{
	const char *rest;
	struct vg_error *error = read_number(text, rule, &rule->number, &rest);
	if (error)
		return error;
	rule->is_open_ended = *rest == '+';
	if (rest[rule->is_open_ended] || rule->number == 0)
		return vg_error_of(VG_ERROR_USAGE, "'%s' is no number of a call for '%s'", text,
			rule_names[rule->kind]);
	return NULL;
}

// `MS` or `MS:N` or `MS:N+`.
static struct vg_error *read_delay(const char *text, struct rule *rule)
{
	const char *rest;
	struct vg_error *error = read_number(text, rule, &rule->delay_ms, &rest);
	if (error || !*rest)
		return error;
	if (*rest != ':')
		return vg_error_of(VG_ERROR_USAGE, "'%s' is no number for 'delay'", text);
	return read_calls(rest + 1, rule);
}

// Takes one rule's text apart in place.
static struct vg_error *read_rule(char *text, struct rule *rule)
{
	char *operation = strchr(text, ':');
	size_t kind = 0;
	if (operation)
		*operation++ = '\0';
	while (kind < VG_LENGTH(rule_names) && strcmp(rule_names[kind], text) != 0)
		kind++;
	if (kind == VG_LENGTH(rule_names))
		return vg_error_of(VG_ERROR_USAGE, "there is no filter '%s'", text);
	if (!operation || !*operation)
		return vg_error_of(VG_ERROR_USAGE, "'%s' of what?", text);
	rule->kind = (enum rule_kind)kind;
	char *number = kind == RULE_TRACE ? NULL : strchr(operation, ':');
	if (number)
		*number++ = '\0';
	rule->operation = vg_strdup(operation);
	if (number)
		return kind == RULE_DELAY ? read_delay(number, rule) : read_calls(number, rule);
	if (kind == RULE_DELAY)
		return vg_error_of(VG_ERROR_USAGE, "'delay:%s' needs milliseconds", operation);
	return NULL;
}

static struct vg_error *open_trace(struct vg_filter *filter, const char *path)
{
	if (filter->trace_fd >= 0)
		return vg_error_of(VG_ERROR_USAGE, "one trace is enough");
	filter->trace_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return filter->trace_fd < 0 ? vg_error_errno(errno, "opening the trace '%s'", path) : NULL;
}

struct vg_error *vg_filter_read(const char *text, struct vg_filter **ret_filter)
{
	_auto(vg_filter) struct vg_filter *filter = vg_new(struct vg_filter);
	filter->trace_fd = -1;
	_auto(vg_string) char *copy = vg_strdup(text);
	char *rest = NULL;
	for (char *at = strtok_r(copy, ",", &rest); at; at = strtok_r(NULL, ",", &rest)) {
		struct rule *rule = &vg_append(filter->rules, filter->n_rules);
		struct vg_error *error = read_rule(at, rule);
		if (!error && rule->kind == RULE_TRACE)
			error = open_trace(filter, rule->operation);
		if (error)
			return vg_error_while(error, "the filter '%s'", text);
	}
	*ret_filter = vg_take(filter);
	return NULL;
}

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void wait_ms(uint64_t ms)
{
	struct timespec rest = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
		continue;
}

// Is it this call's turn? Counts the call.
static bool is_due(struct rule *rule)
{
	uint64_t call = atomic_fetch_add(&rule->n_calls, 1) + 1;
	return rule->number == 0 || call == rule->number ||
	       (rule->is_open_ended && call > rule->number);
}

static void write_trace(const struct vg_filter_call *call, const char *result)
{
	if (!call->filter || call->filter->trace_fd < 0)
		return;
	_auto(vg_string) char *line = vg_format("%s %s %s %" PRIu64 "ms\n", call->operation,
		call->who ? call->who : "-", result, (now_us() - call->begin_us) / 1000);
	vg_error_ignore(vg_file_write_all(call->filter->trace_fd, "trace", line, strlen(line)));
}

static void hang(const struct vg_filter_call *call)
{
	write_trace(call, "hangs");
	for (;;)
		pause();
}

static bool is_meant(const struct rule *rule, const char *operation, const char *who)
{
	if (!strchr(rule->operation, '@'))
		return fnmatch(rule->operation, operation, 0) == 0;
	_auto(vg_string) char *whole = vg_format("%s@%s", operation, who ? who : "");
	return fnmatch(rule->operation, whole, 0) == 0;
}

struct vg_error *vg_filter_begin(struct vg_filter *filter, const char *operation, const char *who,
	struct vg_filter_call *ret_call)
{
	struct vg_filter_call call = {filter, operation, who, now_us(), false, false};
	struct vg_error *error = NULL;
	for (size_t i = 0; filter && i < filter->n_rules; i++) {
		struct rule *rule = &filter->rules[i];
		if (rule->kind == RULE_TRACE || !is_meant(rule, operation, who))
			continue;
		if (!is_due(rule))
			continue;
		if (rule->kind == RULE_DELAY)
			wait_ms(rule->delay_ms);
		if (rule->kind == RULE_KILL)
			raise(SIGKILL);
		if (rule->kind == RULE_HANG)
			hang(&call);
		call.is_last |= rule->kind == RULE_KILLED;
		call.is_lost |= rule->kind == RULE_LOST;
		if (rule->kind == RULE_FAULT && !error)
			error = vg_error_new("%s fails, as the filter was told", operation);
	}
	*ret_call = call;
	return error;
}

struct vg_error *vg_filter_end(struct vg_filter_call *call, struct vg_error *result)
{
	if (call->is_last)
		raise(SIGKILL);
	call->is_lost = call->is_lost && !result;
	if (call->is_lost)
		result = vg_error_new("%s was done and its success is lost, as the filter was told",
			call->operation);
	write_trace(call, result ? vg_error_message(result) : "ok");
	return result;
}
