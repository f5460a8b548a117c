// SPDX-License-Identifier: Apache-2.0
//
// Claims about the house itself, read from its source files: folders are layers, each outside header
// has its one or two doors, no file outgrows the head, no shell is started.
#include "tests/unit/test.h"

#include <ctype.h>

#include "base/file.h"
#include "base/text.h"

enum { LINES_MAX = 600, SOURCE_MAX = 1 << 20 };

// From the bottom up; a file may include from its own folder and from those below it that stand in
// its row.
static const struct {
	const char *folder;
	const char *below; // blank-separated
} layers[] = {
	{"base", ""},
	{"templates", "base"},
	{"compute", "base templates"},
	{"net", "base templates"},
	{"storage", "base"},
	{"box", "base net"},
	{"orchestrator/plan", "base templates compute net storage"},
	{"orchestrator/state", "base templates orchestrator orchestrator/report"},
	{"orchestrator/report", "base"},
	{"orchestrator/run",
		"base templates compute net storage orchestrator orchestrator/plan "
		"orchestrator/state orchestrator/report"},
	{"orchestrator/gc", "base compute net storage box orchestrator orchestrator/state orchestrator/report"},
	{"orchestrator/doctor", "base templates compute net storage box orchestrator"},
	{"orchestrator/cli",
		"base templates compute net storage box orchestrator orchestrator/plan "
		"orchestrator/state orchestrator/report orchestrator/run orchestrator/gc "
		"orchestrator/doctor"},
	{"orchestrator", "base templates compute net storage box orchestrator/report"},
};

// The doors to the outside: header prefix and the files that may include it.
static const struct {
	const char *header, *doors;
} outside[] = {
	{"json-c/", "base/json.c"},
	{"openssl/", "base/crypto.c base/certificate.c net/ovs_tls.c"},
	{"libfyaml.h", "templates/document.c"},
	{"libvirt/", "compute/libvirt bench/define_start.c"},
	{"libxml/", "compute/domain_read.c"},
	{"archive", "compute/seed_iso.c compute/seed.c"},
	{"netlink/", "net/link.c net/kernel"},
	{"openvswitch/", "net/ovs_openflow.c"},
	{"openflow/", "net/ovs_openflow.c"},
	{"libsmartcols", "orchestrator/report/table.c"},
};

struct source {
	char *path, *text;
};

struct sources {
	struct source *items;
	size_t n_items;
};

static void add_folder(struct sources *sources, const char *folder)
{
	_auto(vg_string) char *whole = vg_format("%s/%s", VG_SOURCE_FOLDER, folder);
	char **names;
	size_t n_names;
	assert_null(vg_folder_list(whole, &names, &n_names));
	for (size_t i = 0; i < n_names; i++) {
		if (!vg_text_ends(names[i], ".c") && !vg_text_ends(names[i], ".h"))
			continue;
		_auto(vg_string) char *path = vg_format("%s/%s", whole, names[i]);
		struct source *source = &vg_append(sources->items, sources->n_items);
		source->path = vg_format("%s/%s", folder, names[i]);
		assert_null(vg_file_read(path, SOURCE_MAX, &source->text, NULL));
	}
	vg_folder_list_free(names, n_names);
}

static int read_sources(void **state)
{
	static const char *const others[] = {
		"images/guest", "tests/unit", "tests/live", "tests/fuzz", "bench"};
	struct sources *sources = vg_new(struct sources);
	for (size_t i = 0; i < VG_LENGTH(layers); i++)
		add_folder(sources, layers[i].folder);
	for (size_t i = 0; i < VG_LENGTH(others); i++)
		add_folder(sources, others[i]);
	assert_true(sources->n_items > 50);
	*state = sources;
	return 0;
}

static int free_sources(void **state)
{
	struct sources *sources = *state;
	for (size_t i = 0; i < sources->n_items; i++) {
		free(sources->items[i].path);
		free(sources->items[i].text);
	}
	free(sources->items);
	free(sources);
	return 0;
}

// Calls for each #include line: "…" gives the path with is_ours, <…> without.
static size_t each_include(const struct source *source,
	size_t (*check)(const struct source *source, const char *header, bool is_ours))
{
	size_t n_wrong = 0;
	for (const char *line = source->text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!vg_text_starts(line, "#include "))
			continue;
		const char *from = line + strlen("#include ");
		bool is_ours = *from == '"';
		const char *to = strpbrk(from + 1, is_ours ? "\"\n" : ">\n");
		_auto(vg_string) char *header =
			vg_strndup(from + 1, to ? (size_t)(to - from - 1) : 0);
		n_wrong += check(source, header, is_ours);
	}
	return n_wrong;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return vg_strndup(path, slash ? (size_t)(slash - path) : 0);
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += length) {
		bool begins = at == words || at[-1] == ' ';
		if (begins && (at[length] == ' ' || at[length] == '\0'))
			return true;
	}
	return false;
}

static size_t check_layer(const struct source *source, const char *header, bool is_ours)
{
	if (!is_ours)
		return 0;
	_auto(vg_string) char *from = folder_of(source->path);
	_auto(vg_string) char *to = folder_of(header);
	for (size_t i = 0; i < VG_LENGTH(layers); i++) {
		if (strcmp(layers[i].folder, from) != 0)
			continue;
		if (strcmp(from, to) == 0 || has_word(layers[i].below, to))
			return 0;
		print_error("%s includes %s: '%s' is not below '%s'\n", source->path, header, to,
			from);
		return 1;
	}
	return 0; // tests and the guest program stand outside the layers
}

static void includes_point_downwards_only(void **state)
{
	struct sources *sources = *state;
	size_t n_wrong = 0;
	for (size_t i = 0; i < sources->n_items; i++)
		n_wrong += each_include(&sources->items[i], check_layer);
	assert_int_equal(n_wrong, 0);
}

static bool is_door(const char *doors, const char *path)
{
	for (const char *door = doors; *door;) {
		size_t length = strcspn(door, " ");
		if (strncmp(path, door, length) == 0)
			return true;
		door += length + (door[length] == ' ');
	}
	return false;
}

static size_t check_outside(const struct source *source, const char *header, bool is_ours)
{
	if (is_ours || vg_text_starts(source->path, "tests/"))
		return 0;
	for (size_t i = 0; i < VG_LENGTH(outside); i++) {
		if (!vg_text_starts(header, outside[i].header) ||
			is_door(outside[i].doors, source->path))
			continue;
		print_error("%s includes <%s>, whose door is %s\n", source->path, header,
			outside[i].doors);
		return 1;
	}
	return 0;
}

static void each_outside_header_has_its_door(void **state)
{
	struct sources *sources = *state;
	size_t n_wrong = 0;
	for (size_t i = 0; i < sources->n_items; i++)
		n_wrong += each_include(&sources->items[i], check_outside);
	assert_int_equal(n_wrong, 0);
}

static void no_file_outgrows_the_head_and_each_names_its_licence(void **state)
{
	struct sources *sources = *state;
	size_t n_wrong = 0;
	for (size_t i = 0; i < sources->n_items; i++) {
		const struct source *source = &sources->items[i];
		size_t n_lines = 0;
		for (const char *at = source->text; *at; at++)
			n_lines += *at == '\n';
		if (n_lines > LINES_MAX) {
			print_error("%s has %zu lines\n", source->path, n_lines);
			n_wrong++;
		}
		if (!vg_text_starts(source->text, "// SPDX-License-Identifier: Apache-2.0\n")) {
			print_error("%s does not begin with its licence\n", source->path);
			n_wrong++;
		}
	}
	assert_int_equal(n_wrong, 0);
}

// Is there a call of `name` that is not part of a longer word or of a comment's prose?
static bool calls(const char *text, const char *name)
{
	for (const char *at = text; (at = strstr(at, name)); at++) {
		bool is_word = at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
		if (is_word && at[strlen(name)] == '(')
			return true;
	}
	return false;
}

static void the_program_starts_no_shell(void **state)
{
	static const char *const shells[] = {"system", "popen", "wordexp"};
	struct sources *sources = *state;
	size_t n_wrong = 0;
	for (size_t i = 0; i < sources->n_items; i++) {
		const struct source *source = &sources->items[i];
		bool is_guest = vg_text_starts(source->path, "images/guest/");
		if (is_guest || vg_text_starts(source->path, "tests/"))
			continue;
		for (size_t k = 0; k < VG_LENGTH(shells); k++) {
			if (!calls(source->text, shells[k]))
				continue;
			print_error("%s calls %s()\n", source->path, shells[k]);
			n_wrong++;
		}
	}
	assert_int_equal(n_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(includes_point_downwards_only),
		cmocka_unit_test(each_outside_header_has_its_door),
		cmocka_unit_test(no_file_outgrows_the_head_and_each_names_its_licence),
		cmocka_unit_test(the_program_starts_no_shell),
	};
	return cmocka_run_group_tests(tests, read_sources, free_sources);
}
