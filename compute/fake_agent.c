// SPDX-License-Identifier: Apache-2.0
//
// The guest of the fake driver: an agent, a few programs, files. Deterministic, and no shell: a
// text given to `sh -c` is taken apart at blanks.
#include "compute/fake_world.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "compute/seed_format.h"

enum { WORDS_MAX = 64, READY_HANDLE = 1 }; // other handles begin at 1000

static const char boot_id_path[] = "/proc/sys/kernel/random/boot_id";
static const char ready_path[] = "/run/vgrid/ready"; // compute/seed_format.h

struct run {
	struct vg_json *machine;
	const struct vg_json *knobs;
	const char *words[WORDS_MAX + 1];
	size_t n_words;
	int status;
	struct vg_text out, err;
};

static const char *word(const struct run *run, size_t i)
{
	return i < run->n_words ? run->words[i] : "";
}

static struct vg_json *file(const struct run *run, const char *path)
{
	return vg_json_get(vg_json_get(run->machine, "files"), path);
}

static void fail(struct run *run, const char *path)
{
	run->status = 1;
	vg_text_addf(&run->err, "%s: No such file or directory\n", path);
}

static void run_true(struct run *run)
{
	(void)run;
}

static void run_false(struct run *run)
{
	run->status = 1;
}

static void run_echo(struct run *run)
{
	for (size_t i = 1; i < run->n_words; i++)
		vg_text_addf(&run->out, "%s%s", i > 1 ? " " : "", run->words[i]);
	vg_text_add(&run->out, "\n");
}

static void run_exit(struct run *run)
{
	run->status = atoi(word(run, 1)) & 255;
}

static void run_hostname(struct run *run)
{
	vg_text_addf(&run->out, "%s\n", vg_json_get_string(run->machine, "node", ""));
}

static void run_cat(struct run *run)
{
	const char *path = word(run, 1);
	if (strcmp(path, boot_id_path) == 0)
		vg_text_addf(&run->out, "%s\n", vg_json_get_string(run->machine, "boot_id", ""));
	else if (strcmp(path, ready_path) == 0)
		vg_text_add(&run->out, "ready\n"); // an agent that answers has applied its seed
	else if (file(run, path))
		vg_text_add(&run->out, vg_json_get_string(file(run, path), "content", ""));
	else
		fail(run, path);
}

static void run_test(struct run *run)
{
	run->status = file(run, word(run, 2)) ? 0 : 1;
}

static void run_chmod(struct run *run)
{
	struct vg_json *found = file(run, word(run, 2));
	if (found)
		vg_json_set_string(found, "mode", word(run, 1));
	else
		fail(run, word(run, 2));
}

static void run_mv(struct run *run)
{
	struct vg_json *found = file(run, word(run, 1));
	if (!found) {
		fail(run, word(run, 1));
		return;
	}
	struct vg_json *files = vg_fake_object(run->machine, "files");
	struct vg_json *moved = vg_json_copy(found);
	vg_json_delete(files, word(run, 1));
	vg_json_set(files, word(run, 2), moved);
}

static void run_rm(struct run *run)
{
	vg_json_delete(vg_fake_object(run->machine, "files"), word(run, run->n_words - 1));
}

static const struct {
	const char *name;
	void (*call)(struct run *run);
} programs[] = {{"true", run_true}, {"false", run_false}, {"echo", run_echo}, {"exit", run_exit},
	{"hostname", run_hostname}, {"cat", run_cat}, {"test", run_test}, {"chmod", run_chmod},
	{"mv", run_mv}, {"rm", run_rm}};

// What a test said of exactly these arguments.
static bool run_as_told(struct run *run)
{
	_auto(vg_text) struct vg_text all = {0};
	for (size_t i = 0; i < run->n_words; i++)
		vg_text_addf(&all, "%s%s", i ? " " : "", run->words[i]);
	struct vg_json *told =
		all.bytes ? vg_json_get(vg_json_get(run->knobs, "exec"), all.bytes) : NULL;
	if (!told)
		return false;
	run->status = (int)vg_json_get_integer(told, "status", 0);
	vg_text_add(&run->out, vg_json_get_string(told, "out", ""));
	vg_text_add(&run->err, vg_json_get_string(told, "err", ""));
	return true;
}

// What it does not know succeeds and says nothing.
static void run_words(struct run *run)
{
	if (run->n_words == 0 || run_as_told(run))
		return;
	const char *slash = strrchr(run->words[0], '/');
	const char *name = slash ? slash + 1 : run->words[0];
	for (size_t i = 0; i < VG_LENGTH(programs); i++) {
		if (strcmp(programs[i].name, name) == 0)
			programs[i].call(run);
	}
}

static void run_shell(struct run *run)
{
	_auto(vg_string) char *text = vg_strdup(run->words[2]);
	char *rest = NULL;
	run->n_words = 0;
	for (char *at = strtok_r(text, " \t\n", &rest); at && run->n_words < WORDS_MAX;
		at = strtok_r(NULL, " \t\n", &rest))
		run->words[run->n_words++] = at;
	run_words(run);
}

static bool is_shell(const struct run *run)
{
	return run->n_words == 3 && vg_text_ends(run->words[0], "sh") &&
	       strcmp(run->words[1], "-c") == 0;
}

static void set_encoded(struct vg_json *object, const char *key, const struct vg_text *text)
{
	if (text->length == 0)
		return;
	_auto(vg_string) char *encoded = vg_base64_encode(text->bytes, text->length);
	vg_json_set_string(object, key, encoded);
}

static void remember(struct run *run)
{
	struct vg_json *ran = vg_json_get(run->machine, "ran");
	if (!vg_json_is_array(ran)) {
		ran = vg_json_array();
		vg_json_set(run->machine, "ran", ran);
	}
	struct vg_json *words = vg_json_array();
	for (size_t i = 0; i < run->n_words; i++)
		vg_json_push(words, vg_json_string(run->words[i]));
	vg_json_push(ran, words);
}

// A number that was not given out yet, as pid or handle.
static int64_t next_number(struct vg_json *machine)
{
	int64_t number = vg_json_get_integer(machine, "next_number", 1000);
	vg_json_set_integer(machine, "next_number", number + 1);
	return number;
}

// vgrid-run's way (compute/agent_run.h): the program is what stands behind the first three words,
// and its status and output become the answer.
static bool unwrap(struct run *run)
{
	if (strcmp(word(run, 0), VG_RUN_PROGRAM) != 0 || run->n_words < 4)
		return false;
	_auto(vg_string) char *in = vg_format("%s/in", run->words[1]);
	vg_json_delete(vg_fake_object(run->machine, "files"), in);
	run->n_words -= 3;
	memmove(run->words, run->words + 3, run->n_words * sizeof(*run->words));
	return true;
}

static void wrap(struct run *run)
{
	_auto(vg_text) struct vg_text all = {0};
	vg_text_addf(&all, "%d %zu %zu here\n", run->status, run->out.length, run->err.length);
	vg_text_add_bytes(&all, run->out.bytes, run->out.length);
	vg_text_add_bytes(&all, run->err.bytes, run->err.length);
	vg_text_done(&run->out);
	vg_text_done(&run->err);
	run->out = all;
	all = (struct vg_text){0};
	run->status = 0;
}

// The program runs to its end at once; its status is kept until it is asked for.
static struct vg_json *guest_exec(
	struct vg_json *machine, const struct vg_json *knobs, const struct vg_json *arguments)
{
	struct run run = {.machine = machine, .knobs = knobs};
	const struct vg_json *list = vg_json_get(arguments, "arg");
	run.words[run.n_words++] = vg_json_get_string(arguments, "path", "");
	for (size_t i = 0; i < vg_json_length(list) && run.n_words < WORDS_MAX; i++)
		run.words[run.n_words++] = vg_json_text(vg_json_at(list, i), "");
	bool is_wrapped = unwrap(&run);
	remember(&run);
	if (is_shell(&run) && !run_as_told(&run))
		run_shell(&run);
	else if (!is_shell(&run))
		run_words(&run);
	if (is_wrapped)
		wrap(&run);
	struct vg_json *status = vg_json_object();
	vg_json_set_boolean(status, "exited", true);
	vg_json_set_integer(status, "exitcode", run.status);
	set_encoded(status, "out-data", &run.out);
	set_encoded(status, "err-data", &run.err);
	vg_text_done(&run.out);
	vg_text_done(&run.err);
	char pid[24];
	int64_t number = next_number(machine);
	snprintf(pid, sizeof(pid), "%lld", (long long)number);
	vg_json_set(vg_fake_object(machine, "ended"), pid, status);
	struct vg_json *value = vg_json_object();
	vg_json_set_integer(value, "pid", number);
	return value;
}

// NULL: unknown.
static struct vg_json *guest_exec_status(struct vg_json *machine, const struct vg_json *arguments)
{
	char pid[24];
	snprintf(pid, sizeof(pid), "%lld", (long long)vg_json_get_integer(arguments, "pid", 0));
	struct vg_json *ended = vg_fake_object(machine, "ended");
	struct vg_json *status = vg_json_get(ended, pid);
	struct vg_json *value = status ? vg_json_copy(status) : NULL;
	vg_json_delete(ended, pid);
	return value;
}

// NULL: there is none to read.
static struct vg_json *guest_file_open(struct vg_json *machine, const struct vg_json *arguments)
{
	const char *path = vg_json_get_string(arguments, "path", "");
	struct vg_json *files = vg_fake_object(machine, "files");
	bool reads = strcmp(vg_json_get_string(arguments, "mode", "r"), "r") == 0;
	// An agent that answers has applied its seed.
	if (reads && strcmp(path, ready_path) == 0)
		return vg_json_integer(READY_HANDLE);
	if (reads && !vg_json_get(files, path))
		return NULL;
	if (!reads) {
		struct vg_json *made = vg_json_object();
		vg_json_set_string(made, "content", "");
		vg_json_set_string(made, "mode", "0666");
		vg_json_set(files, path, made);
	}
	char handle[24];
	int64_t number = next_number(machine);
	snprintf(handle, sizeof(handle), "%lld", (long long)number);
	vg_json_set_string(vg_fake_object(machine, "handles"), handle, path);
	return vg_json_integer(number);
}

// Content that is no text is kept as `base64:…`, a chunk a time.
static struct vg_json *guest_file_write(struct vg_json *machine, const struct vg_json *arguments)
{
	char handle[24];
	snprintf(handle, sizeof(handle), "%lld",
		(long long)vg_json_get_integer(arguments, "handle", 0));
	const char *path = vg_json_get_string(vg_json_get(machine, "handles"), handle, NULL);
	const char *encoded = vg_json_get_string(arguments, "buf-b64", "");
	uint8_t *bytes = NULL;
	size_t size = 0;
	struct vg_json *found = path ? vg_json_get(vg_json_get(machine, "files"), path) : NULL;
	_auto(vg_error) struct vg_error *error = vg_base64_decode(encoded, &bytes, &size);
	if (error || !found) {
		free(bytes);
		return NULL;
	}
	_auto(vg_text) struct vg_text text = {0};
	vg_text_add(&text, vg_json_get_string(found, "content", ""));
	if (vg_text_is_utf8((const char *)bytes, size))
		vg_text_add_bytes(&text, bytes, size);
	else
		vg_text_addf(&text, "base64:%s\n", encoded);
	free(bytes);
	vg_json_set_string(found, "content", text.bytes);
	struct vg_json *value = vg_json_object();
	vg_json_set_integer(value, "count", (int64_t)size);
	vg_json_set_boolean(value, "eof", false);
	return value;
}

static struct vg_json *guest_file_close(struct vg_json *machine, const struct vg_json *arguments)
{
	char handle[24];
	snprintf(handle, sizeof(handle), "%lld",
		(long long)vg_json_get_integer(arguments, "handle", 0));
	vg_json_delete(vg_fake_object(machine, "handles"), handle);
	return vg_json_object();
}

// Is this about the word that the seed has been applied? Asked again and again, it leaves the world as
// it is, also where no more can be written.
static bool only_looks(const struct vg_json *request)
{
	const char *command = vg_json_get_string(request, "execute", "");
	const struct vg_json *arguments = vg_json_get(request, "arguments");
	if (strcmp(command, "guest-file-open") == 0)
		return strcmp(vg_json_get_string(arguments, "path", ""), ready_path) == 0;
	if (strcmp(command, "guest-file-close") == 0)
		return vg_json_get_integer(arguments, "handle", 0) == READY_HANDLE;
	return strcmp(command, "guest-ping") == 0;
}

static struct vg_json *answer(
	struct vg_json *machine, const struct vg_json *knobs, const struct vg_json *request)
{
	const char *command = vg_json_get_string(request, "execute", "");
	const struct vg_json *arguments = vg_json_get(request, "arguments");
	if (strcmp(command, "guest-ping") == 0)
		return vg_json_object();
	if (strcmp(command, "guest-exec") == 0)
		return guest_exec(machine, knobs, arguments);
	if (strcmp(command, "guest-exec-status") == 0)
		return guest_exec_status(machine, arguments);
	if (strcmp(command, "guest-file-open") == 0)
		return guest_file_open(machine, arguments);
	if (strcmp(command, "guest-file-write") == 0)
		return guest_file_write(machine, arguments);
	if (strcmp(command, "guest-file-close") == 0)
		return guest_file_close(machine, arguments);
	return NULL;
}

struct vg_error *vg_fake_agent(
	struct vg_json *machine, const struct vg_json *knobs, const char *request, char **ret_reply,
	bool *ret_is_changed)
{
	_auto(vg_json) struct vg_json *json = NULL;
	struct vg_error *error = vg_json_read(request, strlen(request), &json);
	if (error)
		return vg_error_while(error, "a request to the guest agent");
	_auto(vg_json) struct vg_json *reply = vg_json_object();
	struct vg_json *value = answer(machine, knobs, json);
	if (value) {
		vg_json_set(reply, "return", value);
	} else {
		struct vg_json *refusal = vg_json_object();
		vg_json_set_string(refusal, "class", "GenericError");
		bool opens =
			strcmp(vg_json_get_string(json, "execute", ""), "guest-file-open") == 0;
		vg_json_set_string(refusal, "desc",
			opens ? "failed to open file: No such file or directory"
			      : "the fake guest does not know that");
		vg_json_set(reply, "error", refusal);
	}
	*ret_reply = vg_json_write(reply);
	*ret_is_changed = !only_looks(json);
	return NULL;
}
