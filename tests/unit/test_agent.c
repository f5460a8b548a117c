// SPDX-License-Identifier: Apache-2.0
//
// Claims about the guest agent: what is sent, how replies are read, also hostile ones. The driver
// below is a script: pairs of what must be asked and what is answered.
#include "tests/unit/test.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "compute/agent_run.h"

struct turn {
	const char *asked; // must occur in the request
	const char *reply; // NULL: the agent does not answer
};

struct script {
	const struct turn *turns;
	size_t n_turns, at;
};

static struct vg_error *scripted(struct vg_compute *compute, const char *uuid, const char *request,
	unsigned timeout_s, char **ret_reply)
{
	struct script *script = (struct script *)compute;
	assert_string_equal(uuid, "u");
	assert_true(timeout_s > 0);
	if (script->at >= script->n_turns)
		fail_msg("not in the script: %s", request);
	const struct turn *turn = &script->turns[script->at++];
	if (!strstr(request, turn->asked))
		fail_msg("'%s' is not in '%s'", turn->asked, request);
	if (!turn->reply)
		return vg_error_of(VG_ERROR_TIMEOUT, "it does not answer");
	*ret_reply = vg_strdup(turn->reply);
	return NULL;
}

static const struct vg_compute_driver driver = {.name = "script", .agent = scripted};

#define AGENT(turns_)                                                                              \
	struct script script = {turns_, VG_LENGTH(turns_), 0};                                     \
	struct vg_agent agent = {&driver, (struct vg_compute *)&script, "u"}

static const char *const command[] = {"/bin/ls", "a b", "$(c)", NULL};

static void a_ping_is_answered_or_times_out(void **state)
{
	(void)state;
	static const struct turn turns[] = {
		{"{\"execute\":\"guest-ping\"}", "{\"return\": {}}"}, {"guest-ping", NULL}};
	AGENT(turns);
	assert_null(vg_agent_ping(&agent, 3));
	_auto(vg_error) struct vg_error *error = vg_agent_ping(&agent, 3);
	assert_non_null(error);
	assert_int_equal(vg_error_kind(error), VG_ERROR_TIMEOUT);
}

static void a_program_gets_exactly_its_arguments_and_input(void **state)
{
	(void)state;
	static const struct turn turns[] = {
		{"{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/ls\","
		 "\"arg\":[\"a b\",\"$(c)\"],\"capture-output\":true,\"input-data\":\"aGk=\"}}",
			"{\"return\":{\"pid\":7}}"},
		{"{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":7}}",
			"{\"return\":{\"exited\":false}}"},
		{"\"pid\":7", "{\"return\":{\"exited\":true,\"exitcode\":3,\"out-data\":\"YQBi\","
			      "\"err-data\":\"ZQ==\",\"out-truncated\":true}}"}};
	AGENT(turns);
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	assert_null(vg_agent_exec(&agent, command, "hi", 2, 5000, NULL, NULL, &result));
	assert_int_equal(result.status, 3);
	assert_int_equal(result.out_size, 3);
	assert_memory_equal(result.out, "a\0b", 4);
	assert_string_equal(result.err, "e");
	assert_true(result.is_cut);
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void whether_a_file_is_there_is_known_without_a_program(void **state)
{
	(void)state;
	static const struct turn turns[] = {
		{"{\"execute\":\"guest-file-open\",\"arguments\":{\"path\":\"/a\",\"mode\":\"r\"}}",
			"{\"return\":{\"handle\":4}}"},
		{"open", "{\"return\":4}"},
		{"\"guest-file-close\",\"arguments\":{\"handle\":4}", "{\"return\":{}}"},
		{"open", "{\"error\":{\"class\":\"GenericError\",\"desc\":\"failed to open file "
			 "'/a' (mode: 'r'): No such file or directory\"}}"},
		{"open", "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Command "
			 "guest-file-open has been disabled\"}}"}};
	AGENT(turns);
	bool has = false;
	_auto(vg_error) struct vg_error *odd = vg_agent_has_file(&agent, "/a", &has);
	assert_non_null(odd);
	assert_null(vg_agent_has_file(&agent, "/a", &has));
	assert_true(has);
	assert_null(vg_agent_has_file(&agent, "/a", &has));
	assert_false(has);
	_auto(vg_error) struct vg_error *disabled = vg_agent_has_file(&agent, "/a", &has);
	assert_non_null(disabled);
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void a_signal_is_told_as_a_shell_tells_it(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"guest-exec", "{\"return\":{\"pid\":7}}"},
		{"status", "{\"return\":{\"exited\":true,\"signal\":9}}"}};
	AGENT(turns);
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	assert_null(vg_agent_exec(&agent, command, NULL, 0, 5000, NULL, NULL, &result));
	assert_int_equal(result.status, 137);
	assert_string_equal(result.out, "");
}

static bool yes(void *data)
{
	(void)data;
	return true;
}

static void a_program_that_does_not_end_is_left_in_time(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"guest-exec", "{\"return\":{\"pid\":7}}"},
		{"status", "{\"return\":{\"exited\":false}}"},
		{"status", "{\"return\":{\"exited\":false}}"},
		{"guest-exec", "{\"return\":{\"pid\":8}}"},
		{"status", "{\"return\":{\"exited\":false}}"}};
	AGENT(turns);
	struct vg_agent_result result = {0};
	_auto(vg_error) struct vg_error *late =
		vg_agent_exec(&agent, command, NULL, 0, 5, NULL, NULL, &result);
	assert_non_null(late);
	assert_int_equal(vg_error_kind(late), VG_ERROR_TIMEOUT);
	_auto(vg_error) struct vg_error *stopped =
		vg_agent_exec(&agent, command, NULL, 0, 0, yes, NULL, &result);
	assert_non_null(stopped);
	assert_int_equal(vg_error_kind(stopped), VG_ERROR_INTERRUPTED);
}

static void a_file_gets_its_mode_before_its_bytes_and_is_renamed_into_place(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"\"guest-file-open\",\"arguments\":{\"path\":\"/etc/"
					     "key.vgrid-new\",\"mode\":\"w\"}",
						    "{\"return\":4}"},
		{"\"path\":\"/bin/chmod\",\"arg\":[\"0600\",\"/etc/key.vgrid-new\"]",
			"{\"return\":{\"pid\":1}}"},
		{"status", "{\"return\":{\"exited\":true,\"exitcode\":0}}"},
		{"\"guest-file-write\",\"arguments\":{\"handle\":4,\"buf-b64\":\"c2VjcmV0\"}",
			"{\"return\":{\"count\":6,\"eof\":false}}"},
		{"\"guest-file-close\",\"arguments\":{\"handle\":4}", "{\"return\":{}}"},
		{"\"path\":\"/bin/mv\",\"arg\":[\"/etc/key.vgrid-new\",\"/etc/key\"]",
			"{\"return\":{\"pid\":2}}"},
		{"status", "{\"return\":{\"exited\":true,\"exitcode\":0}}"}};
	AGENT(turns);
	assert_null(vg_agent_write_file(&agent, "/etc/key", 0600, "secret", 6));
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void a_file_that_fails_leaves_nothing_beside_it(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"guest-file-open", "{\"return\":4}"},
		{"/bin/chmod", "{\"return\":{\"pid\":1}}"},
		{"status", "{\"return\":{\"exited\":true,\"exitcode\":0}}"},
		{"guest-file-write", "{\"return\":{\"count\":2,\"eof\":false}}"},
		{"guest-file-close", "{\"return\":{}}"},
		{"\"path\":\"/bin/rm\",\"arg\":[\"-f\",\"/etc/motd.vgrid-new\"]",
			"{\"return\":{\"pid\":2}}"},
		{"status", "{\"return\":{\"exited\":true,\"exitcode\":0}}"}};
	AGENT(turns);
	_auto(vg_error) struct vg_error *error =
		vg_agent_write_file(&agent, "/etc/motd", 0644, "secret", 6);
	assert_non_null(error);
	assert_string_equal(vg_error_message(error),
		"writing '/etc/motd' in the guest: guest-file-write: the guest wrote less than it "
		"was "
		"given");
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void a_large_file_goes_in_chunks(void **state)
{
	(void)state;
	enum { CHUNK = 48 * 1024 };
	static const struct turn turns[] = {{"guest-file-open", "{\"return\":4}"},
		{"/bin/chmod", "{\"return\":{\"pid\":1}}"},
		{"status", "{\"return\":{\"exited\":true,\"exitcode\":0}}"},
		{"guest-file-write", "{\"return\":{\"count\":49152}}"},
		{"guest-file-write", "{\"return\":{\"count\":49152}}"},
		{"guest-file-write", "{\"return\":{\"count\":1}}"},
		{"guest-file-close", "{\"return\":{}}"}, {"/bin/mv", "{\"return\":{\"pid\":2}}"},
		{"status", "{\"return\":{\"exited\":true,\"exitcode\":0}}"}};
	AGENT(turns);
	_auto(vg_string) char *bytes = vg_alloc(2 * CHUNK + 1);
	assert_null(vg_agent_write_file(&agent, "/x", 0644, bytes, 2 * CHUNK + 1));
}

static void hostile_replies_are_errors(void **state)
{
	(void)state;
	static const char *const replies[] = {"", "{", "[]", "null", "7", "{}", "{\"return\":null}",
		"{\"error\":{}}", "{\"error\":7}", "{\"error\":{\"desc\":[]}}", "\xff",
		"{\"return\":{\"pid\":1}} x"};
	for (size_t i = 0; i < VG_LENGTH(replies); i++) {
		struct vg_json *reply = NULL, *value;
		_auto(vg_error) struct vg_error *error =
			vg_agent_read_reply(replies[i], strlen(replies[i]), &reply, &value);
		assert_non_null(error);
		assert_null(reply);
	}
	static const char *const ends[] = {"{\"return\":{\"exited\":true,\"out-data\":\"====\"}}",
		"{\"return\":{\"exited\":true,\"out-data\":\"?\"}}",
		"{\"return\":{\"exited\":true,\"err-data\":\"QQ==QUJD\"}}"};
	for (size_t i = 0; i < VG_LENGTH(ends); i++) {
		const struct turn turns[] = {
			{"guest-exec", "{\"return\":{\"pid\":7}}"}, {"status", ends[i]}};
		AGENT(turns);
		struct vg_agent_result result = {0};
		_auto(vg_error) struct vg_error *error =
			vg_agent_exec(&agent, command, NULL, 0, 5000, NULL, NULL, &result);
		assert_non_null(error);
		assert_null(result.out);
	}
	static const struct turn turns[] = {{"guest-exec", "{\"return\":{\"pid\":\"7\"}}"}};
	AGENT(turns);
	struct vg_agent_result result = {0};
	_auto(vg_error) struct vg_error *error =
		vg_agent_exec(&agent, command, NULL, 0, 5000, NULL, NULL, &result);
	assert_non_null(error);
}

static void what_the_agent_refuses_is_told_in_its_words(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"guest-exec",
		"{\"error\":{\"class\":\"GenericError\",\"desc\":\"no such program\"}}"}};
	AGENT(turns);
	struct vg_agent_result result = {0};
	_auto(vg_error) struct vg_error *error =
		vg_agent_exec(&agent, command, NULL, 0, 5000, NULL, NULL, &result);
	assert_non_null(error);
	assert_string_equal(
		vg_error_message(error), "guest-exec: the guest agent says: no such program");
}

// ---- vg_agent_run()

#define ENDED(out_) "{\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":\"" out_ "\"}}"
#define GOOD "{\"return\":{\"exited\":true,\"exitcode\":0}}"
#define REFUSED "{\"error\":{\"desc\":\"no such file\"}}"

static struct vg_error *run_it(const struct vg_agent *agent, const void *in, size_t in_size,
	struct vg_agent_result *ret_result)
{
	return vg_agent_run(agent, command, in, in_size, 0, NULL, NULL, ret_result);
}

static void a_small_run_is_one_program_of_the_guest(void **state)
{
	(void)state;
	static const struct turn turns[] = {
		{"\"-\",\"/bin/ls\",\"a b\",\"$(c)\"],\"capture-output\":true,"
		 "\"input-data\":\"aGk=\"}",
			"{\"return\":{\"pid\":7}}"},
		// 3 3 1 here, a NUL b, e
		{"status", ENDED("MyAzIDEgaGVyZQphAGJl")}};
	AGENT(turns);
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	assert_null(run_it(&agent, "hi", 2, &result));
	assert_int_equal(result.status, 3);
	assert_int_equal(result.out_size, 3);
	assert_memory_equal(result.out, "a\0b", 4);
	assert_string_equal(result.err, "e");
	assert_false(result.is_cut);
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void a_guest_without_our_starter_takes_its_shell(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"\"path\":\"/usr/sbin/vgrid-run\"", REFUSED},
		{"\"path\":\"/bin/sh\",\"arg\":[\"-c\",", "{\"return\":{\"pid\":7}}"},
		{"status", ENDED("MCAwIDAgaGVyZQo=")}}; // 0 0 0 here
	AGENT(turns);
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	assert_null(run_it(&agent, NULL, 0, &result));
	assert_int_equal(result.status, 0);
	assert_string_equal(result.out, "");
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void a_start_that_may_have_happened_is_not_repeated(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"/usr/sbin/vgrid-run", NULL}, {"/bin/rm", REFUSED}};
	AGENT(turns);
	struct vg_agent_result result = {0};
	_auto(vg_error) struct vg_error *error = run_it(&agent, NULL, 0, &result);
	assert_int_equal(vg_error_kind(error), VG_ERROR_TIMEOUT);
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void large_input_goes_by_a_file_in_a_folder_of_its_own(void **state)
{
	(void)state;
	enum { CHUNK = 48 * 1024 };
	static const struct turn turns[] = {{"umask 077 && mkdir", "{\"return\":{\"pid\":1}}"},
		{"status", GOOD},
		{"\"guest-file-open\",\"arguments\":{\"path\":\"/run/vgrid-exec-",
			"{\"return\":4}"},
		{"guest-file-write", "{\"return\":{\"count\":49152}}"},
		{"guest-file-write", "{\"return\":{\"count\":1}}"},
		{"guest-file-close", "{\"return\":{}}"},
		{"\"file\",\"/bin/ls\",\"a b\",\"$(c)\"],\"capture-output\":true}}",
			"{\"return\":{\"pid\":2}}"},
		{"status", ENDED("MCAwIDAgaGVyZQo=")}};
	AGENT(turns);
	_auto(vg_string) char *bytes = vg_alloc(CHUNK + 1);
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	assert_null(run_it(&agent, bytes, CHUNK + 1, &result));
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void large_output_is_read_from_its_files_and_they_are_removed(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"guest-exec", "{\"return\":{\"pid\":7}}"},
		{"status", ENDED("MCA1IDAgZmlsZXMK")}, // 0 5 0 files
		{"/out\",\"mode\":\"r\"", "{\"return\":4}"},
		{"\"handle\":4,\"count\":5}", "{\"return\":{\"count\":3,\"buf-b64\":\"YQBi\"}}"},
		{"\"handle\":4,\"count\":2}", "{\"return\":{\"count\":2,\"buf-b64\":\"Y2Q=\"}}"},
		{"guest-file-close", "{\"return\":{}}"},
		{"/err\",\"mode\":\"r\"", "{\"return\":5}"},
		{"guest-file-close", "{\"return\":{}}"},
		{"\"path\":\"/bin/rm\",\"arg\":[\"-rf\",\"/run/vgrid-exec-",
			"{\"return\":{\"pid\":8}}"},
		{"status", GOOD}};
	AGENT(turns);
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	assert_null(run_it(&agent, NULL, 0, &result));
	assert_int_equal(result.out_size, 5);
	assert_memory_equal(result.out, "a\0bcd", 6);
	assert_string_equal(result.err, "");
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void an_interrupted_run_removes_what_it_made(void **state)
{
	(void)state;
	static const struct turn turns[] = {{"guest-exec", "{\"return\":{\"pid\":7}}"},
		{"status", "{\"return\":{\"exited\":false}}"},
		{"/bin/rm", "{\"return\":{\"pid\":8}}"}, {"status", GOOD}};
	AGENT(turns);
	struct vg_agent_result result = {0};
	_auto(vg_error) struct vg_error *error =
		vg_agent_run(&agent, command, NULL, 0, 0, yes, NULL, &result);
	assert_int_equal(vg_error_kind(error), VG_ERROR_INTERRUPTED);
	assert_int_equal(script.at, VG_LENGTH(turns));
}

static void an_answer_that_no_starter_writes_is_an_error(void **state)
{
	(void)state;
	static const char *const answers[] = {"", "0 0 0 here", "0 1 0 here\n", "0 0 0 here\nx",
		"256 0 0 here\n", "-1 0 0 here\n", "0 0 0 there\n", "0 0 0 here x\n",
		"0 18446744073709551615 2 here\nx", "0 5 0 files\nx", "mkdir: no\n"};
	for (size_t i = 0; i < VG_LENGTH(answers); i++) {
		_auto(vg_string) char *encoded = vg_base64_encode(answers[i], strlen(answers[i]));
		_auto(vg_string) char *end =
			vg_format("{\"return\":{\"exited\":true,\"exitcode\":1,"
				  "\"out-data\":\"%s\"}}",
				encoded);
		const struct turn turns[] = {{"guest-exec", "{\"return\":{\"pid\":7}}"},
			{"status", end}, {"/bin/rm", "{\"return\":{\"pid\":8}}"}, {"status", GOOD}};
		AGENT(turns);
		struct vg_agent_result result = {0};
		_auto(vg_error) struct vg_error *error = run_it(&agent, NULL, 0, &result);
		assert_non_null(error);
		assert_null(result.out);
		assert_int_equal(script.at, VG_LENGTH(turns));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ping_is_answered_or_times_out),
		cmocka_unit_test(a_program_gets_exactly_its_arguments_and_input),
		cmocka_unit_test(whether_a_file_is_there_is_known_without_a_program),
		cmocka_unit_test(a_signal_is_told_as_a_shell_tells_it),
		cmocka_unit_test(a_program_that_does_not_end_is_left_in_time),
		cmocka_unit_test(a_file_gets_its_mode_before_its_bytes_and_is_renamed_into_place),
		cmocka_unit_test(a_file_that_fails_leaves_nothing_beside_it),
		cmocka_unit_test(a_large_file_goes_in_chunks),
		cmocka_unit_test(hostile_replies_are_errors),
		cmocka_unit_test(what_the_agent_refuses_is_told_in_its_words),
		cmocka_unit_test(a_small_run_is_one_program_of_the_guest),
		cmocka_unit_test(a_guest_without_our_starter_takes_its_shell),
		cmocka_unit_test(a_start_that_may_have_happened_is_not_repeated),
		cmocka_unit_test(large_input_goes_by_a_file_in_a_folder_of_its_own),
		cmocka_unit_test(large_output_is_read_from_its_files_and_they_are_removed),
		cmocka_unit_test(an_interrupted_run_removes_what_it_made),
		cmocka_unit_test(an_answer_that_no_starter_writes_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
