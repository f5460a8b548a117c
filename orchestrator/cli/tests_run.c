// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/tests_run.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/regex.h"
#include "orchestrator/cli/interrupt.h"
#include "orchestrator/cli/parallel.h"
#include "orchestrator/context.h"
#include "orchestrator/report/progress.h"
#include "templates/bind.h"

enum { N_THREADS = 32, PAUSE_MS = 1000, IPV4_HEADERS = 28, IPV6_HEADERS = 48 };

// Pings each peer by name, and then with a packet that fills the network's MTU, which may not be
// fragmented where ping can say so (busybox' cannot). Prints what failed. $1 is the payload's size;
// the peers follow. Sixteen at a time.
static const char reach_script[] =
	"size=$1; shift\n"
	"df=; ping -M do -c1 -W2 127.0.0.1 >/dev/null 2>&1 && df='-M do'\n"
	"[ -n \"$df\" ] && echo df || echo nodf\n"
	"n=0\n"
	"for peer in \"$@\"; do\n"
	"  { ping -c1 -W2 \"$peer\" >/dev/null 2>&1 || { echo \"name $peer\"; exit; }\n"
	"    ping $df -c1 -W2 -s \"$size\" \"$peer\" >/dev/null 2>&1 || echo \"mtu $peer\"; } &\n"
	"  n=$((n + 1)); [ $((n % 16)) -eq 0 ] && wait\n"
	"done\n"
	"wait\n"
	"echo end\n";

struct running {
	struct vg_session *session;
	struct vg_test_result *result;
	uint64_t begun_ms;
	unsigned step;
};

static uint64_t clock_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

bool vg_test_matches(const char *expect, const char *output, char **ret_why)
{
	_auto(vg_regex) struct vg_regex *regex = NULL;
	bool is_there = false;
	_auto(vg_error) struct vg_error *error = vg_regex_make(expect, &regex);
	if (!error)
		error = vg_regex_find(regex, output, strlen(output), VG_REGEX_STEPS_MAX, &is_there);
	if (error)
		*ret_why = vg_strdup(vg_error_message(error));
	else if (!is_there)
		*ret_why = vg_format("standard output does not match '%s'", expect);
	return is_there;
}

char *vg_test_read_reach(const char *output, const char **ret_probed)
{
	static const char *const kinds[] = {"name ", "mtu "};
	static const char *const meanings[] = {"does not reach ", "no full-size packets to "};
	_auto(vg_text) struct vg_text why = {0};
	bool is_whole = vg_text_starts(output, "df\n");
	bool is_complete = vg_text_ends(output, "\nend\n");
	if (!is_complete || (!is_whole && !vg_text_starts(output, "nodf\n")))
		return vg_strdup("the probe did not run to its end");
	*ret_probed = is_whole ? "full-size packets, not to be fragmented" : "full-size packets";
	for (size_t k = 0; k < VG_LENGTH(kinds); k++) {
		size_t n = 0, length = strlen(kinds[k]);
		for (const char *line = output; line && *line;) {
			size_t size = strcspn(line, "\n");
			if (size > length && strncmp(line, kinds[k], length) == 0) {
				vg_text_add(&why, n == 0 && why.length ? "; " : "");
				vg_text_add(&why, n++ ? ", " : meanings[k]);
				vg_text_add_bytes(&why, line + length, size - length);
			}
			line += size + (line[size] == '\n');
		}
	}
	return why.length ? vg_text_take(&why) : NULL;
}

// `/bin/sh -c RUN` or the probe of a matrix; everything in it belongs to `arena`.
static struct vg_error *make_argv(const struct vg_grid *grid, const struct vg_test *test,
	const struct vg_node *node, struct vg_arena *arena, const char ***ret_argv)
{
	const char **argv = vg_arena_alloc(arena, (grid->n_nodes + 8) * sizeof(*argv));
	size_t n = 0;
	argv[n++] = "/bin/sh";
	argv[n++] = "-c";
	if (!test->is_reach) {
		_auto(vg_string) char *run = NULL;
		struct vg_error *error = vg_grid_expand(grid, node, &test->run, &run);
		if (error)
			return error;
		argv[n++] = vg_arena_strdup(arena, run);
		*ret_argv = argv;
		return NULL;
	}
	const struct vg_network *network = &grid->networks[test->network];
	unsigned headers = network->cidr.base.is_ipv6 ? IPV6_HEADERS : IPV4_HEADERS;
	argv[n++] = reach_script;
	argv[n++] = "reach";
	argv[n++] = vg_arena_format(arena, "%u", network->mtu - headers);
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_role *role = vg_node_role(grid, &grid->nodes[i]);
		for (size_t k = 0; k < role->n_nics && &grid->nodes[i] != node; k++) {
			if (role->nics[k].network == test->network)
				argv[n++] = vg_arena_format(
					arena, "%s.%s", grid->nodes[i].name, network->name);
		}
	}
	*ret_argv = argv;
	return NULL;
}

static void judge(struct running *running, const char *expect, const struct vg_agent_result *result,
	struct vg_test_outcome *outcome)
{
	_auto(vg_string) char *out = vg_strndup(result->out ? result->out : "", result->out_size);
	free(vg_take(outcome->why));
	free(outcome->output);
	outcome->output =
		vg_format("%s%.*s", out, (int)result->err_size, result->err ? result->err : "");
	if (running->result->test->is_reach) {
		const char *probed = NULL;
		outcome->why = vg_test_read_reach(out, &probed);
		if (probed)
			__atomic_store_n(&running->result->probed, probed, __ATOMIC_RELAXED);
		outcome->is_good = !outcome->why;
		return;
	}
	if (result->status)
		outcome->why = vg_format("exit status %d", result->status);
	else if (expect)
		vg_test_matches(expect, out, &outcome->why);
	outcome->is_good = !outcome->why;
}

// Tries again until it succeeds or the window closes.
static struct vg_error *try(struct running *running, const struct vg_agent *agent,
	struct vg_test_outcome *outcome, uint64_t until_ms)
{
	struct vg_session *session = running->session;
	const struct vg_test *test = running->result->test;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	_auto(vg_string) char *expect = NULL;
	const char **argv;
	struct vg_error *error =
		make_argv(session->record->grid, test, outcome->node, arena, &argv);
	if (!error && test->expect.text)
		error = vg_grid_expand(
			session->record->grid, outcome->node, &test->expect, &expect);
	while (!error && !outcome->is_good) {
		uint64_t now_ms = clock_ms();
		_auto(vg_agent_result) struct vg_agent_result result = {0};
		error = vg_agent_exec(agent, argv, NULL, 0,
			until_ms > now_ms ? until_ms - now_ms : 1, session->context->is_interrupted,
			session->context->interrupted_data, &result);
		outcome->n_tries++;
		if (!error)
			judge(running, expect, &result, outcome);
		if (outcome->is_good || clock_ms() + PAUSE_MS >= until_ms)
			break;
		// An agent that does not answer may yet come.
		if (error && vg_error_kind(error) != VG_ERROR_INTERRUPTED)
			vg_error_ignore(vg_take(error));
		struct pollfd interrupt = {.fd = vg_interrupt_fd(), .events = POLLIN};
		poll(&interrupt, 1, PAUSE_MS);
	}
	return error;
}

static void run_on_node(void *data, size_t i)
{
	struct running *running = data;
	struct vg_test_outcome *outcome = &running->result->outcomes[i];
	const struct vg_node *node;
	struct vg_host *host;
	struct vg_error *error =
		vg_session_node(running->session, outcome->node->name, &node, &host);
	if (!error) {
		uint64_t window_ms = running->result->test->within * host->slowness;
		struct vg_agent agent = {
			running->session->site->drivers->compute, host->compute, node->uuid};
		error = try(running, &agent, outcome, running->begun_ms + window_ms);
	}
	if (error && !outcome->why)
		outcome->why = vg_strdup(vg_error_text(error));
	outcome->is_good = !outcome->why;
	vg_error_free(error);
}

static bool is_member(
	const struct vg_grid *grid, const struct vg_test *test, const struct vg_node *node)
{
	if (!test->is_reach)
		return node->role == test->role;
	const struct vg_role *role = vg_node_role(grid, node);
	for (size_t i = 0; i < role->n_nics; i++) {
		if (role->nics[i].network == test->network)
			return true;
	}
	return false;
}

static void run_test(struct vg_session *session, struct vg_test_result *result)
{
	const struct vg_grid *grid = session->record->grid;
	struct vg_progress *progress = session->context->progress;
	for (size_t i = 0; i < grid->n_nodes; i++) {
		if (is_member(grid, result->test, &grid->nodes[i]))
			vg_append(result->outcomes, result->n_outcomes).node = &grid->nodes[i];
	}
	struct running running = {
		session, result, clock_ms(), vg_progress_begin(progress, "%s", result->test->name)};
	vg_parallel(result->n_outcomes, N_THREADS, run_on_node, &running);
	result->is_good = true;
	for (size_t i = 0; i < result->n_outcomes; i++)
		result->is_good &= result->outcomes[i].is_good;
	result->took_ms = clock_ms() - running.begun_ms;
	vg_progress_end(progress, running.step, result->is_good);
}

struct vg_error *vg_tests_run(struct vg_session *session, struct vg_test_result **ret_results)
{
	const struct vg_grid *grid = session->record->grid;
	struct vg_test_result *results = vg_alloc((grid->n_tests + 1) * sizeof(*results));
	for (size_t i = 0; i < grid->n_tests; i++) {
		results[i].test = &grid->tests[i];
		run_test(session, &results[i]);
		if (session->context->is_interrupted(session->context->interrupted_data)) {
			vg_tests_done(results, i + 1);
			return vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
		}
	}
	*ret_results = results;
	return NULL;
}

void vg_tests_done(struct vg_test_result *results, size_t n_results)
{
	for (size_t i = 0; i < n_results; i++) {
		for (size_t k = 0; k < results[i].n_outcomes; k++) {
			free(results[i].outcomes[k].why);
			free(results[i].outcomes[k].output);
		}
		free(results[i].outcomes);
	}
	free(results);
}
