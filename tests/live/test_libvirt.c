// SPDX-License-Identifier: Apache-2.0
//
// Claims about the libvirt driver, on a box with a real libvirtd and real emulators. The guest is a
// boot sector: it says UP on its serial console, gives back what it reads there, and panics when
// that is a P.
#include "tests/unit/test.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/text.h"
#include "box/box.h"
#include "box/namespace.h"
#include "compute/driver.h"

#define STORE "5f0c7a3e-0000-4000-8000-000000000001"
#define GRID "5f0c7a3e-0000-4000-8000-000000000002"

enum { LIBVIRTD_MS = 60 * 1000, GUEST_MS = 30 * 1000, MACHINES = 6, DISK_SIZE = 1 << 20 };

static const struct vg_compute_driver *const driver = &vg_compute_libvirt;
static char *home;
static struct vg_box *box;
static struct vg_compute *compute;

// 16-bit code, loaded at 0x7c00: print the text at its end; then for ever: read a byte from COM1,
// write it, and if it is 'P' write 1 (panicked) to the panic device's port 0x505.
static const unsigned char boot_sector[] = {0xfa, 0xba, 0xf8, 0x03, 0xbe, 0x3f, 0x00, 0x31, 0xc0,
	0x8e, 0xd8, 0x8a, 0x84, 0x00, 0x7c, 0x84, 0xc0, 0x74, 0x04, 0xee, 0x46, 0xeb, 0xf4, 0xba,
	0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8, 0xba, 0xf8, 0x03, 0xec, 0x88, 0xc3, 0xba, 0xfd,
	0x03, 0xec, 0xa8, 0x20, 0x74, 0xf8, 0x88, 0xd8, 0xba, 0xf8, 0x03, 0xee, 0x3c, 0x50, 0x75,
	0xe0, 0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, 0xeb, 0xd8, 'U', 'P', '\r', '\n', 0};

static void assert_ok(struct vg_error *error)
{
	if (error)
		fail_msg("%s", vg_error_text(error));
}

struct machine {
	char uuid[VG_UUID_LENGTH], tag[200], name[32], log[64];
	struct vg_machine_disk disk;
	struct vg_machine machine;
};

static void machine_auto_free(struct machine **machine)
{
	free(*machine);
}

static struct machine *make(const char *node)
{
	struct machine *made = vg_new(struct machine);
	vg_uuid_derive(GRID, node, made->uuid);
	snprintf(made->tag, sizeof(made->tag), "vgrid:%s:%s/node/%s", STORE, GRID, node);
	snprintf(made->name, sizeof(made->name), "live.%s", node);
	snprintf(made->log, sizeof(made->log), "/v/%s.log", node);
	made->disk = (struct vg_machine_disk){"root", "/v/boot.img", "raw", true, false};
	made->machine = (struct vg_machine){.tag = made->tag,
		.uuid = made->uuid,
		.name = made->name,
		.node = node,
		.place = {"live.yaml", 7, 3},
		.cpu = 1,
		.memory = 32 << 20,
		.disks = &made->disk,
		.n_disks = 1,
		.console_log = made->log,
		.applied = "{\"cpu\":1,\"motd\":\"<a> & 'b'\"}"};
	return made;
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_shortly(void)
{
	nanosleep(&(struct timespec){0, 50 * 1000000}, NULL);
}

static bool wait_for_state(const char *uuid, enum vg_machine_state wanted)
{
	enum vg_machine_state state = wanted + 1;
	const char *reason;
	for (uint64_t end = now_ms() + GUEST_MS; state != wanted && now_ms() < end; pause_shortly())
		vg_error_ignore(driver->state(compute, uuid, &state, &reason));
	return state == wanted;
}

// What is sent before would go to the firmware.
static bool wait_until_up(const char *uuid)
{
	bool is_up = false;
	for (uint64_t end = now_ms() + GUEST_MS; !is_up && now_ms() < end; pause_shortly()) {
		_auto(vg_string) char *log = NULL;
		size_t size;
		uint64_t log_end;
		vg_error_ignore(driver->console_log(compute, uuid, 0, 4096, &log, &size, &log_end));
		is_up = log && strstr(log, "UP");
	}
	return is_up;
}

// Reads until the text came, at most GUEST_MS.
static bool wait_for_text(int fd, const char *wanted)
{
	_auto(vg_text) struct vg_text text = {0};
	for (uint64_t end = now_ms() + GUEST_MS; now_ms() < end;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		char buffer[256];
		if (poll(&ready, 1, 100) <= 0)
			continue;
		ssize_t got = read(fd, buffer, sizeof(buffer));
		if (got <= 0)
			return false;
		vg_text_add_bytes(&text, buffer, (size_t)got);
		if (strstr(text.bytes, wanted))
			return true;
	}
	return false;
}

static struct vg_machine_seen *find(struct vg_machines_seen *seen, const char *uuid)
{
	for (size_t i = 0; i < seen->n_items; i++) {
		if (strcmp(seen->items[i].uuid, uuid) == 0)
			return &seen->items[i];
	}
	return NULL;
}

static void a_machine_lives_and_every_step_may_be_repeated(void **state)
{
	(void)state;
	_auto(machine) struct machine *head = make("head");
	for (int i = 0; i < 2; i++)
		assert_ok(driver->define(compute, &head->machine));
	for (int i = 0; i < 2; i++)
		assert_ok(driver->start(compute, head->uuid));
	_auto(vg_machines_seen) struct vg_machines_seen seen = {0};
	assert_ok(driver->observe(compute, STORE, GRID, &seen));
	struct vg_machine_seen *found = find(&seen, head->uuid);
	assert_non_null(found);
	assert_string_equal(found->tag, head->tag);
	assert_string_equal(found->applied, head->machine.applied);
	assert_int_equal(found->now.memory, 32 << 20);
	assert_int_equal(found->state, VG_MACHINE_RUNNING);
	for (int i = 0; i < 2; i++)
		assert_ok(driver->stop(compute, head->uuid, VG_STOP_CLEAN, 300));
	assert_true(wait_for_state(head->uuid, VG_MACHINE_STOPPED));
	for (int i = 0; i < 2; i++)
		assert_ok(driver->remove(compute, head->uuid));
}

static void another_owner_of_the_uuid_is_refused_at_the_role(void **state)
{
	(void)state;
	_auto(machine) struct machine *head = make("head");
	assert_ok(driver->define(compute, &head->machine));
	head->machine.tag = "vgrid:" STORE ":" STORE "/node/head";
	_auto(vg_error) struct vg_error *error = driver->define(compute, &head->machine);
	assert_non_null(error);
	assert_int_equal(vg_error_where(error).line, 7);
	assert_ok(driver->remove(compute, head->uuid));
}

static void the_console_is_a_stream_and_a_log(void **state)
{
	(void)state;
	_auto(machine) struct machine *head = make("console");
	assert_ok(driver->define(compute, &head->machine));
	_auto(vg_string) char *none = NULL, *log = NULL;
	size_t size;
	uint64_t end;
	assert_ok(driver->console_log(compute, head->uuid, 0, 100, &none, &size, &end));
	assert_int_equal(size, 0);
	assert_ok(driver->start(compute, head->uuid));
	assert_true(wait_until_up(head->uuid));
	for (int i = 0; i < 5; i++) {
		_auto(vg_fd) int fd = -1;
		assert_ok(driver->open_stream(compute, head->uuid, NULL, &fd));
		_auto(vg_string) char *word = vg_format("<%d>", i);
		assert_int_equal(write(fd, word, strlen(word)), strlen(word));
		shutdown(fd, SHUT_WR); // and still hears the answer
		assert_true(wait_for_text(fd, word));
	}
	assert_ok(driver->console_log(compute, head->uuid, 0, 100, &log, &size, &end));
	assert_non_null(strstr(log, "UP"));
	assert_non_null(strstr(log, "<4>"));
	assert_int_equal(end, size);
	assert_ok(driver->remove(compute, head->uuid));
}

static void a_channel_has_one_user(void **state)
{
	(void)state;
	_auto(machine) struct machine *head = make("channel");
	assert_ok(driver->define(compute, &head->machine));
	assert_ok(driver->start(compute, head->uuid));
	_auto(vg_fd) int fd = -1;
	int second = -1;
	assert_ok(driver->open_stream(compute, head->uuid, "org.vgrid.ssh.0", &fd));
	_auto(vg_error) struct vg_error *error =
		driver->open_stream(compute, head->uuid, "org.vgrid.ssh.0", &second);
	assert_non_null(error);
	char *reply = NULL;
	_auto(vg_error) struct vg_error *silent =
		driver->agent(compute, head->uuid, "{\"execute\":\"guest-ping\"}", 1, &reply);
	assert_non_null(silent);
	assert_int_equal(vg_error_kind(silent), VG_ERROR_TIMEOUT);
	assert_ok(driver->remove(compute, head->uuid));
}

static void a_panic_is_a_crash_and_a_start_starts_again(void **state)
{
	(void)state;
	_auto(machine) struct machine *head = make("panic");
	assert_ok(driver->define(compute, &head->machine));
	assert_ok(driver->start(compute, head->uuid));
	int fd;
	assert_true(wait_until_up(head->uuid));
	assert_ok(driver->open_stream(compute, head->uuid, NULL, &fd));
	assert_int_equal(write(fd, "P", 1), 1);
	assert_true(wait_for_state(head->uuid, VG_MACHINE_CRASHED));
	close(fd);
	assert_ok(driver->start(compute, head->uuid));
	assert_true(wait_for_state(head->uuid, VG_MACHINE_RUNNING));
	assert_ok(driver->remove(compute, head->uuid));
}

// No assertions here: cmocka's jump out of a thread that it did not start.
static void *live_a_life(void *data)
{
	struct machine *one = data;
	int fd = -1;
	struct vg_error *error = driver->define(compute, &one->machine);
	if (!error)
		error = driver->start(compute, one->uuid);
	if (!error && !wait_until_up(one->uuid))
		error = vg_error_new("%s: it does not come up", one->name);
	if (!error)
		error = driver->open_stream(compute, one->uuid, NULL, &fd);
	if (!error &&
		(write(fd, one->name, strlen(one->name)) < 0 || !wait_for_text(fd, one->name)))
		error = vg_error_new("%s: no echo", one->name);
	if (fd >= 0)
		close(fd);
	if (!error)
		error = driver->remove(compute, one->uuid);
	return error;
}

static void many_threads_share_a_host(void **state)
{
	(void)state;
	struct machine *all[MACHINES];
	pthread_t threads[MACHINES];
	for (size_t i = 0; i < MACHINES; i++) {
		_auto(vg_string) char *node = vg_format("w-%zu", i);
		all[i] = make(node);
		all[i]->machine.node = all[i]->name;
		assert_int_equal(pthread_create(&threads[i], NULL, live_a_life, all[i]), 0);
	}
	struct vg_error *errors[MACHINES];
	for (size_t i = 0; i < MACHINES; i++) {
		pthread_join(threads[i], (void **)&errors[i]);
		free(all[i]);
	}
	for (size_t i = 0; i < MACHINES; i++)
		assert_ok(errors[i]);
	_auto(vg_machines_seen) struct vg_machines_seen seen = {0};
	assert_ok(driver->observe(compute, STORE, GRID, &seen));
	assert_int_equal(seen.n_items, 0);
}

static int start_host(void **state)
{
	(void)state;
	_auto(vg_string) char *folder = vg_format("%s/box", home);
	_auto(vg_string) char *image = vg_format("%s/boot.img", folder);
	_auto(vg_string) char *uri = NULL;
	_auto(vg_string) char *sectors = vg_alloc(DISK_SIZE);
	memcpy(sectors, boot_sector, sizeof(boot_sector));
	sectors[510] = 0x55;
	sectors[511] = (char)0xaa;
	struct vg_box_spec spec = {.home = home,
		.tag = "vgrid:" STORE ":" GRID "/host/0",
		.name = "live",
		.folder = folder,
		.has_hypervisor = true};
	struct vg_error *error = vg_folder_make(folder, 0700);
	if (!error)
		error = vg_file_write(image, 0644, sectors, DISK_SIZE);
	if (!error)
		error = vg_box_start(&spec, &box);
	if (!error)
		error = vg_box_hypervisor(box, LIBVIRTD_MS, &uri, NULL);
	struct vg_compute_target target = {
		.host = "live", .uri = uri, .folder = folder, .folder_seen = "/v"};
	if (!error)
		error = driver->open(&target, &compute);
	if (error)
		fprintf(stderr, "%s\n", vg_error_text(error));
	int code = error ? -1 : 0;
	vg_error_free(error);
	return code;
}

static int stop_host(void **state)
{
	(void)state;
	driver->close(compute);
	if (box)
		vg_error_ignore(vg_box_stop(box));
	vg_box_free(box);
	return 0;
}

static int run_inside(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_lives_and_every_step_may_be_repeated),
		cmocka_unit_test(another_owner_of_the_uuid_is_refused_at_the_role),
		cmocka_unit_test(the_console_is_a_stream_and_a_log),
		cmocka_unit_test(a_channel_has_one_user),
		cmocka_unit_test(a_panic_is_a_crash_and_a_start_starts_again),
		cmocka_unit_test(many_threads_share_a_host),
	};
	return cmocka_run_group_tests(tests, start_host, stop_host);
}

int main(int argc, char *argv[])
{
	if (vg_box_is_main(argc, argv))
		vg_box_main(argc, argv);
	char scratch[] = "/tmp/vgrid-libvirt-XXXXXX";
	home = vg_strdup(argc == 1 ? mkdtemp(scratch) : argv[1]);
	struct vg_error *error = vg_namespace_enter(home, "live_libvirt");
	if (error)
		fprintf(stderr, "%s\n", vg_error_text(error));
	int n_failed = error ? 1 : run_inside();
	vg_error_ignore(vg_folder_remove(home));
	vg_error_free(error);
	free(home);
	return n_failed ? 1 : 0;
}
