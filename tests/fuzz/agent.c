// SPDX-License-Identifier: Apache-2.0
//
// Replies of a guest agent, which the guest may have put a liar in place of: a line of the input is
// one reply, in the order they are asked for; then the agent is silent.
#include "tests/fuzz/fuzz.h"

#include <time.h>

#include "compute/agent_run.h"

enum { INPUT_SIZE = 100 * 1024, OUTPUT_MAX = 16 << 20 };

struct replies {
	const char *at, *end;
};

static struct vg_error *answer(struct vg_compute *compute, const char *uuid, const char *request,
	unsigned timeout_s, char **ret_reply)
{
	struct replies *replies = (struct replies *)compute;
	(void)uuid;
	fuzz_must(request && timeout_s > 0);
	if (replies->at >= replies->end)
		return vg_error_of(VG_ERROR_TIMEOUT, "it does not answer");
	const char *stop = memchr(replies->at, '\n', (size_t)(replies->end - replies->at));
	stop = stop ? stop : replies->end;
	*ret_reply = vg_strndup(replies->at, (size_t)(stop - replies->at));
	replies->at = stop + 1;
	return NULL;
}

static const struct vg_compute_driver driver = {.name = "fuzz", .agent = answer};

// Nobody waits between two polls.
int nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)time;
	(void)rest;
	return 0;
}

static void check_result(
	const struct vg_error *error, const struct vg_agent_result *result, size_t most)
{
	if (error)
		return;
	fuzz_must(result->status >= 0 && result->status <= 255);
	fuzz_must(result->out_size <= most && result->err_size <= most);
	fuzz_must(result->out[result->out_size] == '\0' && result->err[result->err_size] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const argv[] = {"/bin/true", "a b", NULL};
	static uint8_t input[INPUT_SIZE];
	_auto(vg_string) char *text = fuzz_text(bytes, size);
	const struct replies all = {text, text + strlen(text)};
	struct replies replies = all;
	const struct vg_agent agent = {&driver, (struct vg_compute *)&replies, "u"};

	_auto(vg_agent_result) struct vg_agent_result once = {0}, run = {0}, fed = {0};
	_auto(vg_error) struct vg_error *error =
		vg_agent_exec(&agent, argv, "in", 2, 1000, NULL, NULL, &once);
	check_result(error, &once, size);
	replies = all;
	_auto(vg_error) struct vg_error *run_error =
		vg_agent_run(&agent, argv, NULL, 0, 1000, NULL, NULL, &run);
	check_result(run_error, &run, OUTPUT_MAX);
	replies = all;
	_auto(vg_error) struct vg_error *fed_error =
		vg_agent_run(&agent, argv, input, sizeof(input), 1000, NULL, NULL, &fed);
	check_result(fed_error, &fed, OUTPUT_MAX);
	replies = all;
	vg_error_ignore(vg_agent_write_file(&agent, "/etc/hosts", 0644, input, sizeof(input)));
	replies = all;
	vg_error_ignore(vg_agent_ping(&agent, 1));
	return 0;
}
