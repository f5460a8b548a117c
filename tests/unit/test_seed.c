// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a node knows: compute/facts and compute/seed, read back with libarchive.
#include "tests/unit/test.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "compute/facts.h"
#include "compute/seed.h"
#include "compute/seed_format.h"
#include "templates/grid.h"

static const uint8_t secret[VG_SECRET_SIZE] = {1, 2, 3};
static const char hostile[] = "a'b\"c\n$(rm -rf /)\\ `x` %41 \x7f é \xe2\x80\xa8 end";

// A grid of one head with two nics, a disk, a file, and n workers.
static struct vg_network networks[] = {{.name = "lan", .mtu = 1450, .cidr = {.prefix = 16}},
	{.name = "six", .mtu = 1400, .cidr = {.base = {.is_ipv6 = true}, .prefix = 64}}};
static struct vg_nic nics[] = {{.network = 0}, {.network = 1}};
static struct vg_disk disks[] = {{.name = "data", .mount = "/da ta"}, {.name = "raw"}};
static struct vg_environment environment[] = {{.name = "MOTD"}};
static struct vg_role_file files[] = {{.path = "/etc/mo td\n", .mode = 0640}};

struct fixture {
	struct vg_grid grid;
	struct vg_role roles[2];
	struct vg_node *nodes;
	struct vg_nic_binding *bindings;
	char (*names)[24];
	const char *values[1], *contents[1];
};

static void address(struct fixture *f, size_t i, size_t nic, struct vg_nic_binding *ret)
{
	(void)f;
	char text[VG_IP_LENGTH];
	snprintf(text, sizeof(text), nic == 0 ? "10.9.%zu.%zu" : "fd00::%zx:%zx", i / 250,
		i % 250 + 2);
	assert_null(vg_ip_read(text, &ret->address));
	ret->mac = (struct vg_mac){{0x52, 0x54, 0, (uint8_t)nic, (uint8_t)(i >> 8), (uint8_t)i}};
}

static struct fixture *grid_of(unsigned n_workers, const char *value)
{
	struct fixture *f = vg_new(struct fixture);
	size_t n_nodes = n_workers + 1;
	f->values[0] = f->contents[0] = value;
	f->roles[0] = (struct vg_role){.name = "head",
		.count = 1,
		.nics = nics,
		.n_nics = 2,
		.disks = disks,
		.n_disks = 2,
		.environment = environment,
		.n_environment = 1,
		.files = files,
		.n_files = 1};
	f->roles[1] = (struct vg_role){.name = "worker",
		.is_counted = true,
		.count = n_workers,
		.nics = nics,
		.n_nics = 1};
	f->nodes = vg_alloc(n_nodes * sizeof(*f->nodes));
	f->bindings = vg_alloc(n_nodes * 2 * sizeof(*f->bindings));
	f->names = vg_alloc(n_nodes * sizeof(*f->names));
	for (size_t i = 0; i < n_nodes; i++) {
		struct vg_node *node = &f->nodes[i];
		if (i > 0)
			snprintf(f->names[i], sizeof(f->names[i]), "worker-%zu", i - 1);
		*node = (struct vg_node){.name = i == 0 ? "head" : f->names[i],
			.role = i > 0,
			.index = i > 0 ? (unsigned)i - 1 : 0,
			.nics = &f->bindings[i * 2]};
		address(f, i, 0, &node->nics[0]);
		address(f, i, 1, &node->nics[1]);
	}
	f->nodes[0].environment = f->values;
	f->nodes[0].contents = f->contents;
	f->nodes[0].setup = value;
	f->grid = (struct vg_grid){.name = "lab",
		.uuid = "u",
		.identity = "i",
		.networks = networks,
		.n_networks = 2,
		.roles = f->roles,
		.n_roles = 2,
		.nodes = f->nodes,
		.n_nodes = n_nodes};
	return f;
}

static void fixture_free(struct fixture *f)
{
	free(f->nodes);
	free(f->bindings);
	free(f->names);
	free(f);
}
VG_AUTO(fixture);

// The files of an image by path, as vg_text.
static struct vg_map *unpack(const uint8_t *bytes, size_t size)
{
	struct vg_map *map = vg_map_new();
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	assert_int_equal(archive_read_support_format_iso9660(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(archive, bytes, size), ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		if (archive_entry_filetype(entry) != AE_IFREG)
			continue;
		struct vg_text *text = vg_new(struct vg_text);
		char buffer[4096];
		la_ssize_t n;
		while ((n = archive_read_data(archive, buffer, sizeof(buffer))) > 0)
			vg_text_add_bytes(text, buffer, (size_t)n);
		assert_null(vg_map_set(map, archive_entry_pathname(entry), text));
	}
	archive_read_free(archive);
	return map;
}

static void unpacked_free(struct vg_map *map)
{
	for (size_t i = 0; map && i < vg_map_size(map); i++) {
		vg_text_done(vg_map_value_at(map, i));
		free(vg_map_value_at(map, i));
	}
	vg_map_free(map);
}

static const char *text_of(const struct vg_map *map, const char *path)
{
	const struct vg_text *text = vg_map_get(map, path);
	assert_non_null(text);
	return text->bytes ? text->bytes : "";
}

static struct vg_map *seed_of(const struct fixture *f, size_t node)
{
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	uint8_t *bytes;
	size_t size;
	assert_null(vg_seed_build(&f->grid, &f->nodes[node], secret, facts, &bytes, &size));
	struct vg_map *map = unpack(bytes, size);
	free(bytes);
	return map;
}

static struct vg_json *json_of(const struct vg_map *map, const char *path)
{
	struct vg_json *json = NULL;
	const char *text = text_of(map, path);
	if (vg_text_starts(text, "#cloud-config\n"))
		text += strlen("#cloud-config\n");
	assert_null(vg_json_read(text, strlen(text), &json));
	return json;
}

// What the index says of a file, read as the guest program does.
static const char *plain_file(const struct vg_map *map, const char *line_start)
{
	const char *index = text_of(map, "vgrid/index"), *line = strstr(index, line_start);
	assert_non_null(line);
	_auto(vg_string) char *whole = vg_strndup(line + 1, strcspn(line + 1, "\n"));
	_auto(vg_string) char *path = vg_format("vgrid/%s", strrchr(whole, ' ') + 1);
	return text_of(map, path);
}

static char *cloud_file(const struct vg_json *user_data, const char *path)
{
	const struct vg_json *list = vg_json_get(user_data, "write_files");
	for (size_t i = 0; i < vg_json_length(list); i++) {
		const struct vg_json *file = vg_json_at(list, i);
		if (strcmp(vg_json_get_string(file, "path", ""), path) != 0)
			continue;
		uint8_t *bytes;
		size_t size;
		assert_null(
			vg_base64_decode(vg_json_get_string(file, "content", ""), &bytes, &size));
		char *text = vg_strndup((char *)bytes, size);
		free(bytes);
		return text;
	}
	return NULL;
}

static void the_bare_name_goes_with_the_first_network(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(1, "x");
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	assert_string_equal(facts->files[VG_SHARED_HOSTS].content,
		"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
		"10.9.0.2 head head.lan\nfd00::2 head.six\n10.9.0.3 worker-0 worker-0.lan\n");
}

static void known_hosts_has_every_name_and_address_with_the_nodes_own_key(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(1, "x");
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	const char *text = facts->files[VG_SHARED_KNOWN_HOSTS].content;
	assert_true(
		vg_text_starts(text, "head,head.lan,10.9.0.2,head.six,fd00::2 ssh-ed25519 AAAA"));
	char *public_key, *private_key;
	vg_facts_host_key("worker-0", secret, &public_key, &private_key);
	_auto(vg_string) char *line =
		vg_format("\nworker-0,worker-0.lan,10.9.0.3 %s\n", public_key);
	assert_non_null(strstr(text, line));
	free(public_key);
	vg_secret_free(private_key);
}

static void shared_files_hold_no_secret(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(2, "x");
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	for (size_t i = 0; i < VG_SHARED_FILES; i++)
		assert_null(strstr(facts->files[i].content, "PRIVATE"));
	_auto(vg_json) struct vg_json *json = NULL;
	const struct vg_shared_file *grid = &facts->files[VG_SHARED_GRID];
	assert_null(vg_json_read(grid->content, grid->size, &json));
	const struct vg_json *node = vg_json_at(vg_json_get(json, "nodes"), 2);
	assert_string_equal(vg_json_get_string(node, "name", ""), "worker-1");
	assert_string_equal(
		vg_json_get_string(vg_json_get(node, "addresses"), "lan", ""), "10.9.0.4");
}

static void a_draft_of_the_facts_has_their_version_and_no_key(void **state)
{
	(void)state;
	static const uint8_t other_secret[VG_SECRET_SIZE] = {7};
	_auto(fixture) struct fixture *f = grid_of(1, "x"), *g = grid_of(2, "x");
	_auto(vg_facts) struct vg_facts *draft = vg_facts_draft(&f->grid, secret);
	_auto(vg_facts) struct vg_facts *whole = vg_facts_new(&f->grid, secret);
	_auto(vg_facts) struct vg_facts *more = vg_facts_draft(&g->grid, secret);
	_auto(vg_facts) struct vg_facts *foreign = vg_facts_draft(&f->grid, other_secret);
	assert_int_equal(strlen(draft->version), VG_FACTS_VERSION - 1);
	assert_string_equal(draft->version, whole->version);
	assert_string_not_equal(draft->version, more->version);    // a node more
	assert_string_not_equal(draft->version, foreign->version); // other host keys
	assert_false(draft->is_complete);
	assert_null(draft->private_key);
	vg_facts_complete(draft, &f->grid, secret);
	assert_string_equal(draft->private_key, whole->private_key);
	for (size_t i = 0; i < VG_SHARED_FILES; i++)
		assert_string_equal(draft->files[i].sha256, whole->files[i].sha256);
}

static void a_seed_is_a_no_cloud_source(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(1, "x");
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	uint8_t *bytes;
	size_t size;
	assert_null(vg_seed_build(&f->grid, &f->nodes[0], secret, facts, &bytes, &size));
	assert_memory_equal(bytes + 16 * 2048 + 40, "cidata ", 7); // ECMA-119 8.4.7
	struct vg_map *map = unpack(bytes, size);
	free(bytes);
	_auto(vg_json) struct vg_json *meta = json_of(map, "meta-data");
	assert_string_equal(vg_json_get_string(meta, "local-hostname", ""), "head");
	assert_int_equal(strlen(vg_json_get_string(meta, "instance-id", "")), 36);
	assert_string_equal(text_of(map, "network-config"),
		"{\"version\":2,\"ethernets\":{"
		"\"nic0\":{\"match\":{\"macaddress\":\"52:54:00:00:00:00\"},\"dhcp4\":false,"
		"\"dhcp6\":false,\"accept-ra\":false,\"addresses\":[\"10.9.0.2/16\"],\"mtu\":1450},"
		"\"nic1\":{\"match\":{\"macaddress\":\"52:54:00:01:00:00\"},\"dhcp4\":false,"
		"\"dhcp6\":false,\"accept-ra\":false,\"addresses\":[\"fd00::2/"
		"64\"],\"mtu\":1400}}}\n");
	assert_true(vg_text_starts(text_of(map, "user-data"), "#cloud-config\n{"));
	_auto(vg_json) struct vg_json *user = json_of(map, "user-data");
	assert_false(vg_json_get_boolean(user, "manage_etc_hosts", true));
	_auto(vg_string) char *hosts = cloud_file(user, "/etc/hosts");
	assert_string_equal(hosts, facts->files[VG_SHARED_HOSTS].content);
	unpacked_free(map);
}

static void what_a_user_wrote_arrives_byte_for_byte(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(1, hostile);
	struct vg_map *map = seed_of(f, 0);
	assert_string_equal(plain_file(map, "\nfile 640 /etc/mo%20td%0A "), hostile);
	assert_string_equal(plain_file(map, "\nsetup "), hostile);
	_auto(vg_json) struct vg_json *user = json_of(map, "user-data");
	_auto(vg_string) char *file = cloud_file(user, "/etc/mo td\n");
	assert_string_equal(file, hostile);
	_auto(vg_string) char *setup = cloud_file(user, "/var/lib/vgrid/setup");
	assert_string_equal(setup, hostile);
	for (const char *at = text_of(map, "vgrid/index"); *at; at++)
		assert_true(*at == '\n' || (*at >= ' ' && *at < 0x7f));
	for (const char *at = text_of(map, "user-data"); *at; at++)
		assert_true(*at == '\n' || (*at >= ' ' && *at < 0x7f));
	unpacked_free(map);
}

// Else the line that somebody appends to one of them is lost.
static void public_keys_are_whole_lines(void **state)
{
	(void)state;
	static const char *const lines[] = {"\nfile 600 /root/.ssh/authorized_keys ",
		"\nfile 644 /root/.ssh/id_ed25519.pub ",
		"\nfile 644 /etc/ssh/ssh_host_ed25519_key.pub "};
	_auto(fixture) struct fixture *f = grid_of(1, "x");
	struct vg_map *map = seed_of(f, 0);
	for (size_t i = 0; i < VG_LENGTH(lines); i++) {
		const char *text = plain_file(map, lines[i]);
		assert_true(vg_text_starts(text, "ssh-ed25519 "));
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	}
	_auto(vg_json) struct vg_json *user = json_of(map, "user-data");
	_auto(vg_string) char *key = cloud_file(user, "/root/.ssh/id_ed25519.pub");
	assert_string_equal(key, plain_file(map, lines[1]));
	assert_string_equal(vg_json_get_string(vg_json_get(user, "ssh_keys"), "ed25519_public", ""),
		plain_file(map, lines[2]));
	unpacked_free(map);
}

static void a_shell_reads_the_environment_back(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(1, hostile);
	struct vg_map *map = seed_of(f, 0);
	assert_string_equal(plain_file(map, "\nfile 600 /etc/vgrid/env "),
		"MOTD='a'\\''b\"c\n$(rm -rf /)\\ `x` %41 \x7f é \xe2\x80\xa8 end'\n");
	assert_non_null(strstr(text_of(map, "vgrid/index"), "\nenv MOTD a'b\"c%0A$(rm%20-rf%20/)"));
	unpacked_free(map);
}

static void a_name_that_no_shell_can_hold_is_refused_at_its_place(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(0, "x");
	struct vg_environment bad = {.name = "A;rm", .value.place = {"t.yaml", 3, 7}};
	f->roles[0].environment = &bad;
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	uint8_t *bytes;
	size_t size;
	_auto(vg_error) struct vg_error *error =
		vg_seed_build(&f->grid, &f->nodes[0], secret, facts, &bytes, &size);
	assert_string_equal(
		vg_error_text(error), "t.yaml:3:7: 'A;rm' is no name for an environment variable");
}

static void disks_without_a_mount_are_left_alone(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(0, "x");
	struct vg_map *map = seed_of(f, 0);
	assert_non_null(strstr(text_of(map, "vgrid/index"), "\ndisk data /da%20ta\n"));
	assert_null(strstr(text_of(map, "vgrid/index"), "disk raw"));
	_auto(vg_json) struct vg_json *user = json_of(map, "user-data");
	const struct vg_json *command = vg_json_at(vg_json_get(user, "bootcmd"), 0);
	assert_int_equal(vg_json_length(command), 6);
	assert_string_equal(vg_json_text(vg_json_at(command, 5), ""), "/da ta");
	unpacked_free(map);
}

static void the_same_inputs_give_the_same_bytes_on_another_day(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(3, "x");
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	uint8_t *bytes[2];
	size_t size[2];
	for (size_t i = 0; i < 2; i++) {
		// The ISO format has a resolution of seconds: wait for the clock's next one.
		for (time_t start = time(NULL); i == 1 && time(NULL) == start;)
			;
		assert_null(
			vg_seed_build(&f->grid, &f->nodes[1], secret, facts, &bytes[i], &size[i]));
	}
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(bytes[0], bytes[1], size[0]);
	free(bytes[0]);
	free(bytes[1]);
}

static char *instance_of(const struct fixture *f, size_t node)
{
	struct vg_map *map = seed_of(f, node);
	_auto(vg_json) struct vg_json *meta = json_of(map, "meta-data");
	char *instance = vg_strdup(vg_json_get_string(meta, "instance-id", ""));
	unpacked_free(map);
	return instance;
}

static void the_instance_changes_with_content_and_node(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(2, "x"), *g = grid_of(2, "y"),
				      *h = grid_of(3, "x");
	_auto(vg_string) char *first = instance_of(f, 0), *again = instance_of(f, 0),
			      *other_value = instance_of(g, 0), *other_node = instance_of(f, 1),
			      *other_members = instance_of(h, 0);
	assert_string_equal(first, again);
	assert_string_not_equal(first, other_value);
	assert_string_not_equal(first, other_node);
	assert_string_not_equal(first, other_members);
}

static void a_thousand_nodes_are_quick(void **state)
{
	(void)state;
	_auto(fixture) struct fixture *f = grid_of(1000, "x");
	struct timespec start, end;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	_auto(vg_facts) struct vg_facts *facts = vg_facts_new(&f->grid, secret);
	for (size_t i = 0; i < 100; i++) {
		uint8_t *bytes;
		size_t size;
		assert_null(vg_seed_build(&f->grid, &f->nodes[i], secret, facts, &bytes, &size));
		free(bytes);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	double seconds =
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	print_message("facts of 1,001 nodes and 100 seeds: %.2f s\n", seconds);
	assert_true(seconds < 20); // sanitizers included
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bare_name_goes_with_the_first_network),
		cmocka_unit_test(known_hosts_has_every_name_and_address_with_the_nodes_own_key),
		cmocka_unit_test(shared_files_hold_no_secret),
		cmocka_unit_test(a_draft_of_the_facts_has_their_version_and_no_key),
		cmocka_unit_test(a_seed_is_a_no_cloud_source),
		cmocka_unit_test(what_a_user_wrote_arrives_byte_for_byte),
		cmocka_unit_test(public_keys_are_whole_lines),
		cmocka_unit_test(a_shell_reads_the_environment_back),
		cmocka_unit_test(a_name_that_no_shell_can_hold_is_refused_at_its_place),
		cmocka_unit_test(disks_without_a_mount_are_left_alone),
		cmocka_unit_test(the_same_inputs_give_the_same_bytes_on_another_day),
		cmocka_unit_test(the_instance_changes_with_content_and_node),
		cmocka_unit_test(a_thousand_nodes_are_quick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
