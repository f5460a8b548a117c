// SPDX-License-Identifier: Apache-2.0
//
// Claims about the fake compute driver, and with it about the driver's contract, and about the
// filter around it.
#include "tests/unit/test.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/filter_spec.h"
#include "base/json.h"
#include "base/text.h"
#include "compute/agent.h"
#include "compute/fake_world.h"
#include "compute/filter.h"

#define STORE "0a4f9e9c-6a0c-4d4e-9a3e-5f0c8e1b2d3c"
#define GRID "7d0c2b1a-1111-4222-8333-944455566677"
#define UUID "3c5b8e52-95b9-4f0c-9f0c-0d3b3e1f7a10"

static const struct vg_compute_driver *const fake = &vg_compute_fake;
static char folder[] = "/tmp/vgrid-fake-XXXXXX";

static struct vg_machine head(void)
{
	return (struct vg_machine){.tag = "vgrid:" STORE ":" GRID "/node/head",
		.uuid = UUID,
		.name = "mpi.head",
		.node = "head",
		.place = {"mpi.yaml", 12, 3},
		.cpu = 1,
		.memory = 128 << 20,
		.applied = "{\"cpu\":1}"};
}

static struct vg_compute *open_world(const char *uri)
{
	struct vg_compute *compute = NULL;
	struct vg_compute_target target = {.host = "h1", .uri = uri};
	assert_null(fake->open(&target, &compute));
	return compute;
}

static struct vg_machines_seen look(struct vg_compute *compute)
{
	struct vg_machines_seen seen = {0};
	assert_null(fake->observe(compute, STORE, GRID, &seen));
	return seen;
}

static void a_machine_lives_from_define_to_remove(void **state)
{
	(void)state;
	vg_fake_world_reset();
	struct vg_compute *compute = open_world("fake:");
	struct vg_machine machine = head();
	_auto(vg_error) struct vg_error *early = fake->start(compute, UUID);
	assert_non_null(early);
	assert_int_equal(vg_error_kind(early), VG_ERROR_NOT_FOUND);
	for (int i = 0; i < 2; i++)
		assert_null(fake->define(compute, &machine));
	for (int i = 0; i < 2; i++)
		assert_null(fake->start(compute, UUID));
	_auto(vg_machines_seen) struct vg_machines_seen seen = look(compute);
	assert_int_equal(seen.n_items, 1);
	assert_int_equal(seen.items[0].state, VG_MACHINE_RUNNING);
	assert_string_equal(seen.items[0].reason, "");
	assert_string_equal(seen.items[0].tag, machine.tag);
	assert_string_equal(seen.items[0].applied, "{\"cpu\":1}");
	assert_int_equal(seen.items[0].now.memory, 128 << 20);
	for (int i = 0; i < 2; i++)
		assert_null(fake->stop(compute, UUID, VG_STOP_CLEAN, 1000));
	_auto(vg_machines_seen) struct vg_machines_seen stopped = look(compute);
	assert_int_equal(stopped.items[0].state, VG_MACHINE_STOPPED);
	assert_string_equal(stopped.items[0].reason, "the guest powered itself off");
	for (int i = 0; i < 2; i++)
		assert_null(fake->remove(compute, UUID));
	_auto(vg_machines_seen) struct vg_machines_seen gone = look(compute);
	assert_int_equal(gone.n_items, 0);
	fake->close(compute);
}

static void what_runs_goes_on_as_it_was_until_its_next_start(void **state)
{
	(void)state;
	vg_fake_world_reset();
	struct vg_compute *compute = open_world("fake:");
	struct vg_machine machine = head();
	assert_null(fake->define(compute, &machine));
	assert_null(fake->start(compute, UUID));
	machine.cpu = 4;
	machine.applied = "{\"cpu\":4}";
	assert_null(fake->define(compute, &machine));
	_auto(vg_machines_seen) struct vg_machines_seen before = look(compute);
	assert_int_equal(before.items[0].now.cpu, 1);
	assert_string_equal(before.items[0].applied, "{\"cpu\":1}");
	assert_null(fake->stop(compute, UUID, VG_STOP_NOW, 0));
	assert_null(fake->start(compute, UUID));
	_auto(vg_machines_seen) struct vg_machines_seen after = look(compute);
	assert_int_equal(after.items[0].now.cpu, 4);
	fake->close(compute);
}

static void another_owner_is_refused_at_the_role(void **state)
{
	(void)state;
	vg_fake_world_reset();
	struct vg_compute *compute = open_world("fake:");
	struct vg_machine machine = head();
	assert_null(fake->define(compute, &machine));
	machine.tag = "vgrid:" STORE ":" STORE "/node/head";
	_auto(vg_error) struct vg_error *error = fake->define(compute, &machine);
	assert_non_null(error);
	assert_int_equal(vg_error_where(error).line, 12);
	machine = head();
	machine.uuid = STORE;
	_auto(vg_error) struct vg_error *taken = fake->define(compute, &machine);
	assert_non_null(taken);
	_auto(vg_machines_seen) struct vg_machines_seen seen = {0};
	assert_null(fake->observe(compute, GRID, NULL, &seen)); // another store
	assert_int_equal(seen.n_items, 0);
	fake->close(compute);
}

static char *run_in(struct vg_compute *compute, const char *const *argv, int *ret_status)
{
	struct vg_agent agent = {fake, compute, UUID};
	_auto(vg_agent_result) struct vg_agent_result result = {0};
	assert_null(vg_agent_exec(&agent, argv, NULL, 0, 1000, NULL, NULL, &result));
	*ret_status = result.status;
	return vg_take(result.out);
}

#define RUN(...) run_in(compute, (const char *const[]){__VA_ARGS__, NULL}, &status)

static void its_guest_runs_a_few_programs(void **state)
{
	(void)state;
	vg_fake_world_reset();
	struct vg_compute *compute = open_world("fake:");
	struct vg_machine machine = head();
	assert_null(fake->define(compute, &machine));
	assert_null(fake->start(compute, UUID));
	struct vg_agent agent = {fake, compute, UUID};
	assert_null(vg_agent_ping(&agent, 1));
	int status;
	_auto(vg_string) char *echoed = RUN("/bin/sh", "-c", "echo a b");
	assert_string_equal(echoed, "a b\n");
	_auto(vg_string) char *nothing = RUN("false");
	assert_int_equal(status, 1);
	assert_null(vg_agent_write_file(&agent, "/etc/motd", 0640, "hello\n", 6));
	_auto(vg_string) char *motd = RUN("cat", "/etc/motd");
	assert_string_equal(motd, "hello\n");
	_auto(vg_string) char *fresh = RUN("test", "-f", "/etc/motd.vgrid-new");
	assert_int_equal(status, 1);
	_auto(vg_string) char *first = RUN("cat", "/proc/sys/kernel/random/boot_id");
	assert_null(fake->stop(compute, UUID, VG_STOP_NOW, 0));
	_auto(vg_error) struct vg_error *off = vg_agent_ping(&agent, 1);
	assert_non_null(off);
	assert_null(fake->start(compute, UUID));
	_auto(vg_string) char *second = RUN("cat", "/proc/sys/kernel/random/boot_id");
	assert_string_not_equal(first, second);
	fake->close(compute);
}

static void its_console_is_read_from_an_offset_and_echoes(void **state)
{
	(void)state;
	vg_fake_world_reset();
	struct vg_compute *compute = open_world("fake:");
	struct vg_machine machine = head();
	assert_null(fake->define(compute, &machine));
	_auto(vg_string) char *bytes = NULL, *tail = NULL;
	size_t size;
	uint64_t end;
	assert_null(fake->console_log(compute, UUID, 0, 100, &bytes, &size, &end));
	assert_int_equal(size, 0);
	assert_null(fake->start(compute, UUID));
	assert_null(fake->console_log(compute, UUID, 7, 3, &tail, &size, &end));
	assert_string_equal(tail, "rea");
	assert_int_equal(end, 10);
	_auto(vg_fd) int fd = -1;
	assert_null(fake->open_stream(compute, UUID, NULL, &fd));
	assert_int_equal(write(fd, "x\n", 2), 2);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	_auto(vg_string) char *said = NULL;
	assert_null(vg_file_read_fd(fd, "console", 100, &said, NULL));
	assert_string_equal(said, "vgrid: ready\nx\n");
	fake->close(compute);
}

static void knobs_of_the_world_file_are_obeyed(void **state)
{
	(void)state;
	_auto(vg_string) char *path = vg_format("%s/knobs.json", folder);
	_auto(vg_string) char *uri = vg_format("fake:%s", path);
	static const char knobs[] =
		"{\"knobs\":{\"head\":{\"never_ready\":true,\"fail\":{\"stop\":\"stuck\"}}}}";
	assert_null(vg_file_write(path, 0600, knobs, strlen(knobs)));
	struct vg_compute *compute = open_world(uri);
	struct vg_machine machine = head();
	assert_null(fake->define(compute, &machine));
	assert_null(fake->start(compute, UUID));
	struct vg_agent agent = {fake, compute, UUID};
	_auto(vg_error) struct vg_error *silent = vg_agent_ping(&agent, 1);
	assert_non_null(silent);
	assert_int_equal(vg_error_kind(silent), VG_ERROR_TIMEOUT);
	_auto(vg_error) struct vg_error *stuck = fake->stop(compute, UUID, VG_STOP_NOW, 0);
	assert_non_null(stuck);
	assert_string_equal(vg_error_message(stuck), "host 'h1': stop: stuck");
	fake->close(compute);
}

static void define_many(const char *uri, int who, int n_machines)
{
	struct vg_compute *compute = open_world(uri);
	for (int i = 0; i < n_machines; i++) {
		struct vg_machine machine = head();
		_auto(vg_string) char *name = vg_format("mpi.w-%d-%d", who, i);
		_auto(vg_string) char *tag =
			vg_format("vgrid:%s:%s/node/w-%d-%d", STORE, GRID, who, i);
		char uuid[VG_UUID_LENGTH];
		vg_uuid_derive(GRID, name, uuid);
		machine.name = name;
		machine.tag = tag;
		machine.uuid = uuid;
		assert_null(fake->define(compute, &machine));
		assert_null(fake->start(compute, uuid));
	}
	fake->close(compute);
}

static void processes_share_a_world_file(void **state)
{
	(void)state;
	enum { PROCESSES = 4, MACHINES = 25 };
	_auto(vg_string) char *uri = vg_format("fake:%s/deep/shared.json", folder);
	pid_t pids[PROCESSES];
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			define_many(uri, i, MACHINES);
			_exit(0);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	struct vg_compute *compute = open_world(uri);
	_auto(vg_machines_seen) struct vg_machines_seen seen = look(compute);
	assert_int_equal(seen.n_items, PROCESSES * MACHINES);
	fake->close(compute);
}

static void ten_thousand_machines_are_no_matter_in_memory(void **state)
{
	(void)state;
	vg_fake_world_reset();
	define_many("fake:", 0, 10000);
	struct vg_compute *compute = open_world("fake:");
	_auto(vg_machines_seen) struct vg_machines_seen seen = look(compute);
	assert_int_equal(seen.n_items, 10000);
	fake->close(compute);
	vg_fake_world_reset();
}

static struct vg_call_rules rules;

static struct vg_compute *open_filtered(const char *text, struct vg_filter **ret_filter)
{
	vg_fake_world_reset();
	assert_null(vg_filter_read(text, ret_filter));
	rules = (struct vg_call_rules){.filter = *ret_filter};
	struct vg_compute *compute = NULL;
	const struct vg_compute_target target = {.host = "h1", .uri = "fake:"};
	assert_null(vg_compute_filter_open(fake, &rules, &target, &compute));
	return compute;
}

static const struct vg_compute_driver *const filtered = &vg_compute_filtered;

static void the_second_call_fails_once(void **state)
{
	(void)state;
	_auto(vg_filter) struct vg_filter *filter = NULL;
	struct vg_compute *compute = open_filtered("fault:compute.define:2", &filter);
	struct vg_machine machine = head();
	assert_null(filtered->define(compute, &machine));
	_auto(vg_error) struct vg_error *error = filtered->define(compute, &machine);
	assert_non_null(error);
	assert_int_equal(vg_error_where(error).line, 12);
	assert_null(filtered->define(compute, &machine));
	filtered->close(compute);
}

static void a_lost_call_is_done_and_a_failed_one_is_not(void **state)
{
	(void)state;
	_auto(vg_filter) struct vg_filter *filter = NULL;
	struct vg_compute *compute = open_filtered(
		"lost:compute.define:1,fault:compute.s*:2+,delay:compute.o*:1", &filter);
	struct vg_machine machine = head();
	_auto(vg_error) struct vg_error *lost = filtered->define(compute, &machine);
	assert_non_null(lost);
	_auto(vg_machines_seen) struct vg_machines_seen seen = {0};
	assert_null(filtered->observe(compute, STORE, GRID, &seen));
	assert_int_equal(seen.n_items, 1);
	assert_null(filtered->start(compute, UUID));
	for (int i = 0; i < 2; i++) {
		_auto(vg_error) struct vg_error *error =
			filtered->stop(compute, UUID, VG_STOP_NOW, 0);
		assert_non_null(error);
	}
	_auto(vg_machines_seen) struct vg_machines_seen still = {0};
	assert_null(filtered->observe(compute, STORE, GRID, &still));
	assert_int_equal(still.items[0].state, VG_MACHINE_RUNNING);
	filtered->close(compute);
}

static void a_trace_tells_every_call(void **state)
{
	(void)state;
	_auto(vg_string) char *path = vg_format("%s/trace", folder);
	_auto(vg_string) char *text = vg_format("trace:%s,fault:compute.start:1", path);
	_auto(vg_filter) struct vg_filter *filter = NULL;
	struct vg_compute *compute = open_filtered(text, &filter);
	struct vg_machine machine = head();
	assert_null(filtered->define(compute, &machine));
	vg_error_ignore(filtered->start(compute, UUID));
	filtered->close(compute);
	_auto(vg_string) char *trace = NULL;
	assert_null(vg_file_read(path, 4096, &trace, NULL));
	assert_non_null(strstr(trace, "compute.open h1 ok "));
	assert_non_null(strstr(trace, "compute.define mpi.head ok "));
	assert_non_null(strstr(trace, "compute.start " UUID " compute.start fails"));
}

static void a_kill_takes_the_process_before_or_after_the_call(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		_auto(vg_string) char *uri = vg_format("fake:%s/kill-%d.json", folder, i);
		pid_t pid = fork();
		if (pid == 0) {
			struct vg_filter *filter = NULL;
			struct vg_compute *compute = NULL;
			struct vg_compute_target target = {.host = "h1", .uri = uri};
			struct vg_machine machine = head();
			vg_error_ignore(vg_filter_read(
				i ? "killed:compute.define" : "kill:compute.define", &filter));
			rules = (struct vg_call_rules){.filter = filter};
			vg_error_ignore(vg_compute_filter_open(fake, &rules, &target, &compute));
			vg_error_ignore(filtered->define(compute, &machine));
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		struct vg_compute *compute = open_world(uri);
		_auto(vg_machines_seen) struct vg_machines_seen seen = look(compute);
		assert_int_equal(seen.n_items, i);
		fake->close(compute);
	}
}

static void a_wrong_filter_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"fault", "fault:", "boom:compute.start",
		"fault:compute.start:0", "fault:compute.start:x", "fault:compute.start:-1",
		"delay:compute.start", "delay:compute.start:5+", "trace:/nonexistent/x"};
	for (size_t i = 0; i < VG_LENGTH(bad); i++) {
		struct vg_filter *filter = NULL;
		_auto(vg_error) struct vg_error *error = vg_filter_read(bad[i], &filter);
		assert_non_null(error);
		assert_null(filter);
	}
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	vg_error_ignore(vg_folder_remove(folder));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		// It forks: before any call has left a thread.
		cmocka_unit_test(a_kill_takes_the_process_before_or_after_the_call),
		cmocka_unit_test(a_machine_lives_from_define_to_remove),
		cmocka_unit_test(what_runs_goes_on_as_it_was_until_its_next_start),
		cmocka_unit_test(another_owner_is_refused_at_the_role),
		cmocka_unit_test(its_guest_runs_a_few_programs),
		cmocka_unit_test(its_console_is_read_from_an_offset_and_echoes),
		cmocka_unit_test(knobs_of_the_world_file_are_obeyed),
		cmocka_unit_test(processes_share_a_world_file),
		cmocka_unit_test(ten_thousand_machines_are_no_matter_in_memory),
		cmocka_unit_test(the_second_call_fails_once),
		cmocka_unit_test(a_lost_call_is_done_and_a_failed_one_is_not),
		cmocka_unit_test(a_trace_tells_every_call),
		cmocka_unit_test(a_wrong_filter_is_refused),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
