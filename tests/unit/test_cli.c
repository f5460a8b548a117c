// SPDX-License-Identifier: Apache-2.0
//
// Claims about the command line: what is read from argv, what is refused and with which hint, and
// the schemas of results.
#include "tests/unit/test.h"

#include "base/json.h"
#include "base/text.h"
#include "orchestrator/cli/cli.h"
#include "orchestrator/cli/result.h"

static struct vg_error *run_nothing(
	const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)cli;
	(void)context;
	*ret_status = 0;
	return NULL;
}

static const struct vg_option up_options[] = {{.name = "profile",
						      .letter = 'p',
						      .argument = VG_ARGUMENT_TEXT,
						      .argument_name = "PROFILE"},
	{.name = "set", .argument = VG_ARGUMENT_LIST, .argument_name = "P=V"},
	{.name = "yes", .letter = 'y'},
	{.name = "format",
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "F",
		.completion = VG_COMPLETE_WORDS,
		.words = "table tap junit"},
	{0}};
static const struct vg_operand up_operands[] = {{.name = "FILE"}, {0}};
static const struct vg_operand exec_operands[] = {{.name = "GRID"}, {.name = "NODE"},
	{.name = "CMD", .is_rest = true, .is_command = true}, {0}};
static const struct vg_operand logs_operands[] = {
	{.name = "GRID"}, {.name = "NODE", .is_optional = true, .is_rest = true}, {0}};
static const struct vg_operand no_operands[] = {{0}};
static const struct vg_result_field up_fields[] = {{"nodes[].name", "string", "its name"},
	{"nodes[].addresses.*[]", "string", "by network"}, {"took", "integer?", "ms"}, {0}};

static const struct vg_command up = {.verb = "up",
	.summary = "s",
	.operands = up_operands,
	.options = up_options,
	.result = up_fields,
	.run = run_nothing};
static const struct vg_command exec = {
	.verb = "exec", .summary = "s", .operands = exec_operands, .run = run_nothing};
static const struct vg_command logs = {
	.verb = "logs", .summary = "s", .operands = logs_operands, .run = run_nothing};
static const struct vg_command image_build = {
	.verb = "image build", .summary = "s", .operands = up_operands, .run = run_nothing};
static const struct vg_command image_list = {
	.verb = "image list", .summary = "s", .operands = no_operands, .run = run_nothing};
static const struct vg_command *const commands[] = {
	&up, &exec, &logs, &image_build, &image_list, NULL};

// Reads a line of words parted by blanks.
static struct vg_error *read_line(char *line, struct vg_cli **ret_cli)
{
	static char *argv[32];
	int argc = 0;
	char *rest = NULL;
	for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	return vg_cli_read(commands, argc, argv, ret_cli);
}

static void assert_refused(const char *line, const char *message, const char *hint)
{
	_auto(vg_string) char *copy = vg_strdup(line);
	_auto(vg_cli) struct vg_cli *cli = NULL;
	_auto(vg_error) struct vg_error *error = read_line(copy, &cli);
	assert_non_null(error);
	assert_int_equal(vg_error_kind(error), VG_ERROR_USAGE);
	assert_string_equal(vg_error_text(error), message);
	if (hint)
		assert_string_equal(vg_error_remedy(error), hint);
}

static void options_may_stand_anywhere_and_in_every_spelling(void **state)
{
	(void)state;
	char line[] = "vgrid -q up --set a=1 -yp small --set=b=2 f.yaml -ojson";
	_auto(vg_cli) struct vg_cli *cli = NULL;
	assert_null(read_line(line, &cli));
	assert_ptr_equal(vg_cli_command(cli), &up);
	assert_string_equal(vg_cli_operand(cli, 0), "f.yaml");
	assert_null(vg_cli_operand(cli, 1));
	assert_string_equal(vg_cli_option(cli, "profile"), "small");
	assert_true(vg_cli_flag(cli, "yes") && vg_cli_flag(cli, "quiet") && vg_cli_is_json(cli));
	assert_false(vg_cli_flag(cli, "verbose"));
	size_t n_sets;
	const char *const *sets = vg_cli_list(cli, "set", &n_sets);
	assert_int_equal(n_sets, 2);
	assert_string_equal(sets[0], "a=1");
	assert_string_equal(sets[1], "b=2");
}

static void a_program_to_run_is_passed_on_untouched(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"vgrid exec g head -- ls -o --help -- x", "vgrid exec g head ls -o --help -- x"};
	for (size_t i = 0; i < VG_LENGTH(lines); i++) {
		_auto(vg_string) char *line = vg_strdup(lines[i]);
		_auto(vg_cli) struct vg_cli *cli = NULL;
		assert_null(read_line(line, &cli));
		size_t n;
		const char *const *rest = vg_cli_rest(cli, &n);
		assert_int_equal(n, 5);
		assert_string_equal(rest[0], "ls");
		assert_string_equal(rest[2], "--help");
		assert_string_equal(rest[3], "--");
		assert_false(vg_cli_flag(cli, "help"));
	}
}

static void a_verb_may_have_two_words(void **state)
{
	(void)state;
	char line[] = "vgrid image build tiny";
	_auto(vg_cli) struct vg_cli *cli = NULL;
	assert_null(read_line(line, &cli));
	assert_ptr_equal(vg_cli_command(cli), &image_build);
	assert_string_equal(vg_cli_operand(cli, 0), "tiny");
	char bare[] = "vgrid logs g";
	_auto(vg_cli) struct vg_cli *without = NULL;
	assert_null(read_line(bare, &without));
	size_t n;
	vg_cli_rest(without, &n);
	assert_int_equal(n, 0);
}

static void what_is_wrong_is_answered_with_what_was_meant(void **state)
{
	(void)state;
	assert_refused("vgrid pu", "unknown verb 'pu'", "did you mean 'up'?");
	assert_refused(
		"vgrid frobnicate", "unknown verb 'frobnicate'", "'vgrid --help' shows the verbs");
	assert_refused(
		"vgrid image biuld", "unknown verb 'image biuld'", "did you mean 'image build'?");
	assert_refused(
		"vgrid image", "'image' is not a whole verb", "one of 'image build', 'image list'");
	assert_refused(
		"vgrid up f --profle x", "unknown option '--profle'", "did you mean '--profile'?");
	assert_refused(
		"vgrid up f -z", "unknown option '-z'", "'vgrid up --help' shows the options");
	assert_refused("vgrid up f --yes=1", "'--yes' takes no value", NULL);
	assert_refused(
		"vgrid up f --profile", "'--profile' needs a value: --profile PROFILE", NULL);
	assert_refused("vgrid up", "'vgrid up' needs FILE", "usage: vgrid up [OPTIONS] FILE");
	assert_refused("vgrid up a b", "unexpected 'b'", NULL);
	assert_refused("vgrid exec g head", "'vgrid exec' needs CMD",
		"usage: vgrid exec GRID NODE -- CMD...");
	assert_refused(
		"vgrid up f --format tpa", "'--format' cannot be 'tpa'", "did you mean 'tap'?");
	assert_refused("vgrid -o yaml up f", "'--output' cannot be 'yaml'", "one of: table json");
	assert_refused("vgrid -o json logs g", "'vgrid logs' has no '--output'", NULL);
}

static void the_schema_of_a_result_comes_from_its_fields(void **state)
{
	(void)state;
	_auto(vg_json) struct vg_json *schema = vg_result_schema(&up);
	_auto(vg_string) char *text = vg_json_write(schema);
	assert_string_equal(text,
		"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		"\"title\":\"vgrid/up/1\",\"type\":\"object\",\"properties\":{"
		"\"format\":{\"const\":\"vgrid/up/1\"},"
		"\"nodes\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		"\"name\":{\"type\":\"string\",\"description\":\"its name\"},"
		"\"addresses\":{\"type\":\"object\",\"properties\":{},\"required\":[],"
		"\"additionalProperties\":{\"type\":\"array\",\"items\":{\"type\":\"string\","
		"\"description\":\"by network\"}}}},\"required\":[\"name\",\"addresses\"],"
		"\"additionalProperties\":false}},"
		"\"took\":{\"type\":[\"integer\",\"null\"],\"description\":\"ms\"}},"
		"\"required\":[\"format\",\"nodes\",\"took\"],\"additionalProperties\":false}");
}

static void every_verb_says_what_it_does(void **state)
{
	(void)state;
	for (size_t i = 0; vg_commands[i]; i++) {
		const struct vg_command *command = vg_commands[i];
		assert_non_null(command->run);
		assert_non_null(command->operands);
		for (const struct vg_option *option = command->options; option && option->name;
			option++) {
			assert_non_null(option->help);
			assert_true(option->argument == VG_ARGUMENT_NONE || option->argument_name);
		}
		if (!command->summary)
			continue;
		assert_non_null(command->help);
		assert_non_null(command->example);
		assert_true(vg_text_starts(command->example, "$ "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere_and_in_every_spelling),
		cmocka_unit_test(a_program_to_run_is_passed_on_untouched),
		cmocka_unit_test(a_verb_may_have_two_words),
		cmocka_unit_test(what_is_wrong_is_answered_with_what_was_meant),
		cmocka_unit_test(the_schema_of_a_result_comes_from_its_fields),
		cmocka_unit_test(every_verb_says_what_it_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
