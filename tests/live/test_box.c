// SPDX-License-Identifier: Apache-2.0
//
// Claims about boxes, with real namespaces, a real libvirtd and a real emulator. Run by an ordinary
// user (tests/live/as-user) and by root. Goes through three lives: outside the user namespace,
// inside, and, executed again, the boxes themselves.
#include "tests/live/box_world.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <libvirt/libvirt.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "box/accelerator.h"
#include "box/box.h"
#include "box/namespace.h"

enum { LIBVIRTD_MS = 60 * 1000, ROUNDS = 12 };

static char *read_whole(const char *path)
{
	char *text = NULL;
	world_ok(vg_file_read(path, 1 << 20, &text, NULL));
	return text;
}

// Names of this thread's network links, one a line.
static char *list_links(void)
{
	struct vg_text text = {0};
	struct if_nameindex *links = if_nameindex();
	for (struct if_nameindex *link = links; link && link->if_name; link++)
		vg_text_addf(&text, "%s\n", link->if_name);
	if_freenameindex(links);
	return vg_text_take(&text);
}

// --- outside -----------------------------------------------------------------------------------

// In a child: enters, says on fd 1 which user namespace it is in, stays until its fd 0 ends.
static pid_t start_member(char *const argv[], int *ret_in, int *ret_out)
{
	int in[2], out[2];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid_t pid;
	world_ok(vg_process_start((const char *const[]){argv[0], world_home, "member", NULL}, NULL,
		(struct vg_process_files){in[0], out[1], STDERR_FILENO}, &pid));
	close(in[0]);
	close(out[1]);
	*ret_in = in[1];
	*ret_out = out[0];
	return pid;
}

static char **program;

static void processes_that_enter_at_once_land_in_one_namespace(void **state)
{
	(void)state;
	enum { N = 4 };
	pid_t pids[N];
	int ins[N], outs[N];
	for (size_t i = 0; i < N; i++)
		pids[i] = start_member(program, &ins[i], &outs[i]);
	unsigned long long spaces[N] = {0};
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(read(outs[i], &spaces[i], sizeof(spaces[i])), sizeof(spaces[i]));
		assert_int_equal(spaces[i], spaces[0]);
		assert_int_not_equal(spaces[i], world_namespace(getpid(), "user"));
	}
	for (size_t i = 0; i < N; i++) {
		int status;
		close(ins[i]);
		world_ok(vg_process_wait(pids[i], &status));
		close(outs[i]);
		assert_int_equal(status, 0);
	}
}

static void a_killed_member_leaves_no_trace_after_the_next_command(void **state)
{
	(void)state;
	_auto(vg_string) char *members = vg_format("%s/run/members", world_home);
	int in, out, status;
	unsigned long long space;
	for (int round = 0; round < 2; round++) {
		pid_t pid = start_member(program, &in, &out);
		assert_int_equal(read(out, &space, sizeof(space)), sizeof(space));
		if (round == 0)
			kill(pid, SIGKILL);
		close(in);
		world_ok(vg_process_wait(pid, &status));
		close(out);
	}
	char **names;
	size_t n_names;
	world_ok(vg_folder_list(members, &names, &n_names));
	vg_folder_list_free(names, n_names);
	assert_int_equal(n_names, 0);
}

static int be_member(void)
{
	unsigned long long space = world_namespace(getpid(), "user");
	char byte;
	if (write(STDOUT_FILENO, &space, sizeof(space)) != sizeof(space))
		return 1;
	return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}

static int run_outside(char **argv)
{
	program = argv;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_that_enter_at_once_land_in_one_namespace),
		cmocka_unit_test(a_killed_member_leaves_no_trace_after_the_next_command),
	};
	return cmocka_run_group_tests_name("outside", tests, NULL, NULL);
}

// --- inside ------------------------------------------------------------------------------------

static void nothing_is_forbidden_here(void **state)
{
	(void)state;
	world_ok(vg_namespace_probe_tun());
	world_ok(vg_box_probe_programs());
	assert_true(vg_namespace_is_inside());
	assert_int_equal(strlen(world_home), HOME_LENGTH);
}

static virConnectPtr connect_to(struct vg_box *box, bool *ret_was_restarted)
{
	_auto(vg_string) char *uri = NULL;
	world_ok(vg_box_hypervisor(box, LIBVIRTD_MS, &uri, ret_was_restarted));
	virConnectPtr connection = virConnectOpen(uri);
	assert_non_null(connection);
	return connection;
}

static const char stub[] =
	"<domain type='qemu'><name>a-grid-with-a-very-long-name-here-worker-0</name>"
	"<memory unit='MiB'>16</memory><vcpu>1</vcpu>"
	"<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
	"<serial type='pty'><log file='/v/console.log' append='on'/></serial>"
	"<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
	"</devices></domain>";

static void a_guest_survives_its_libvirtd_and_is_adopted_again(void **state)
{
	(void)state;
	bool was_restarted;
	_auto(vg_box) struct vg_box *box = world_start(TAG(0), "host0", true);
	virConnectPtr connection = connect_to(box, &was_restarted);
	assert_false(was_restarted);
	assert_int_equal(virConnectNumOfDomains(connection), 0);
	virDomainPtr domain = virDomainDefineXML(connection, stub);
	assert_non_null(domain);
	assert_int_equal(virDomainCreate(domain), 0);
	char uuid[VIR_UUID_STRING_BUFLEN];
	virDomainGetUUIDString(domain, uuid);
	virDomainFree(domain);
	virConnectClose(connection);

	pid_t libvirtd = 0, emulator = 0, same = 0;
	ino_t space = world_namespace(box->pid, "pid");
	assert_int_equal(world_count_processes(space, "libvirtd", &libvirtd), 1);
	assert_int_equal(world_count_processes(space, "qemu-system", &emulator), 1);
	_auto(vg_string) char *log = vg_format("%s/console.log", box->folder);
	assert_true(vg_file_exists(log));
	assert_true(vg_box_has_hypervisor(box));
	_auto(vg_fd) int pidfd = pidfd_open(libvirtd, 0);
	kill(libvirtd, SIGKILL);
	world_wait_for_end(pidfd);
	assert_false(vg_box_has_hypervisor(box));

	connection = connect_to(box, &was_restarted);
	assert_true(was_restarted);
	domain = virDomainLookupByUUIDString(connection, uuid);
	assert_non_null(domain);
	assert_int_equal(virDomainIsActive(domain), 1);
	assert_int_equal(world_count_processes(space, "qemu-system", &same), 1);
	assert_int_equal(same, emulator);
	virDomainFree(domain);
	virConnectClose(connection);
}

// Goes on with the box of the claim before, and its running guest.
static void a_stopped_box_leaves_nothing_but_its_folder(void **state)
{
	(void)state;
	_auto(vg_string) char *mounts = read_whole("/proc/self/mountinfo");
	_auto(vg_box) struct vg_box *box = NULL;
	world_ok(vg_box_find(world_home, TAG(0), &box));
	assert_non_null(box);
	ino_t space = world_namespace(box->pid, "pid");
	assert_true(world_count_processes(space, NULL, NULL) >= 3);
	world_ok(vg_box_stop(box));
	assert_int_equal(world_count_processes(space, NULL, NULL), 0);
	world_ok(vg_box_stop(box)); // again is no error
	assert_int_equal(world_count_boxes(), 0);
	_auto(vg_string) char *mounts_after = read_whole("/proc/self/mountinfo");
	assert_string_equal(mounts_after, mounts);
	world_assert_nothing_registered();
}

static void two_boxes_run_side_by_side(void **state)
{
	(void)state;
	_auto(vg_box) struct vg_box *one = world_start(TAG(1), "host1", true);
	_auto(vg_box) struct vg_box *two = world_start(TAG(2), "host2", true);
	assert_int_not_equal(one->pid, two->pid);
	assert_int_not_equal(world_namespace(one->pid, "net"), world_namespace(two->pid, "net"));
	assert_int_equal(world_count_boxes(), 2);
	virConnectPtr first = connect_to(one, NULL), second = connect_to(two, NULL);
	char *name = virConnectGetHostname(second);
	assert_string_equal(name, "host2");
	free(name);
	virConnectClose(first);
	virConnectClose(second);
	world_ok(vg_box_stop(one));
	assert_int_equal(world_count_boxes(), 1);
	assert_true(vg_process_is(two->pid, two->start_time));
	world_ok(vg_box_stop(two));
}

static void *start_in_a_thread(void *data)
{
	struct vg_box **box = data;
	*box = world_start(TAG(3), "host3", false);
	return NULL;
}

static void two_starts_at_once_make_one_box(void **state)
{
	(void)state;
	pthread_t threads[2];
	struct vg_box *boxes[2] = {0};
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, start_in_a_thread, &boxes[i]), 0);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(boxes[0]->pid, boxes[1]->pid);
	assert_int_equal(world_count_boxes(), 1);
	world_ok(vg_box_stop(boxes[0]));
	vg_box_free(boxes[0]);
	vg_box_free(boxes[1]);
}

static void a_box_is_found_without_its_registration(void **state)
{
	(void)state;
	_auto(vg_box) struct vg_box *box = world_start(TAG(4), "host4", false);
	_auto(vg_string) char *boxes = vg_format("%s/run/boxes", world_home);
	world_ok(vg_folder_remove(boxes));
	world_ok(vg_folder_make(boxes, 0700));
	_auto(vg_box) struct vg_box *found = NULL;
	world_ok(vg_box_find(world_home, TAG(4), &found));
	assert_non_null(found);
	assert_int_equal(found->pid, box->pid);
	assert_string_equal(found->name, "host4");
	world_ok(vg_box_stop(found));
}

static void a_box_leaves_when_its_folder_vanishes(void **state)
{
	(void)state;
	_auto(vg_box) struct vg_box *box = world_start(TAG(5), "host5", false);
	_auto(vg_fd) int pidfd = pidfd_open(box->pid, 0);
	world_ok(vg_folder_remove(box->folder));
	world_wait_for_end(pidfd);
	assert_int_equal(world_count_boxes(), 0);
	world_assert_nothing_registered();
	_auto(vg_box) struct vg_box *found = NULL;
	world_ok(vg_box_find(world_home, TAG(5), &found));
	assert_null(found);
}

static void pause_us(long microseconds)
{
	struct timespec pause = {.tv_nsec = microseconds * 1000};
	nanosleep(&pause, NULL);
}

// Whenever its starter is killed: there is no box, or one that the next start finds and that works.
static void a_starter_may_die_at_any_moment(void **state)
{
	(void)state;
	for (long round = 0; round < ROUNDS; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			_exit(world_start(TAG(6), "host6", false) ? 0 : 1);
		}
		pause_us(round * 4000); // the moment is what varies, nothing is waited for
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		struct vg_box_list list;
		world_ok(vg_box_list(world_home, STORE, GRID, &list));
		_auto(vg_box) struct vg_box *box = world_start(TAG(6), "host6", false);
		if (list.n_items)
			assert_int_equal(box->pid, list.items[0]->pid);
		assert_int_equal(world_count_boxes(), 1);
		_auto(vg_string) char *folder = vg_format("/proc/%d/root/v", (int)box->pid);
		assert_true(vg_file_exists(folder));
		vg_box_list_done(&list);
		world_ok(vg_box_stop(box));
		assert_int_equal(world_count_boxes(), 0);
	}
}

static void a_box_shows_nothing_else_of_the_machine(void **state)
{
	(void)state;
	static const char *const hidden[] = {"home", "root", "mnt", "var/lib", "etc/../opt"};
	_auto(vg_box) struct vg_box *box = world_start(TAG(7), "host7", false);
	for (size_t i = 0; i < VG_LENGTH(hidden); i++) {
		_auto(vg_string) char *path =
			vg_format("/proc/%d/root/%s", (int)box->pid, hidden[i]);
		assert_false(vg_file_exists(path));
	}
	_auto(vg_string) char *file = vg_format("/proc/%d/root/usr/written", (int)box->pid);
	assert_int_equal(open(file, O_WRONLY | O_CREAT, 0600), -1);
	assert_int_equal(errno, EROFS);
	_auto(vg_string) char *outside = vg_format("%s/seen", box->folder);
	_auto(vg_string) char *inside = vg_format("/proc/%d/root/v/seen", (int)box->pid);
	world_ok(vg_file_write(outside, 0600, "", 0));
	assert_true(vg_file_exists(inside));
	world_ok(vg_box_stop(box));
}

// At least by emulation; /dev/kvm that does not open for an emulator is a reason and no error.
static void the_race_of_accelerators_has_a_winner_and_is_remembered(void **state)
{
	(void)state;
	_auto(vg_race) struct vg_race *race = NULL, *again = NULL;
	world_ok(vg_accelerator_race(world_home, true, &race));
	assert_true(race->is_kvm || race->tcg_ms > 0);
	assert_true(race->slowness >= 1 && race->slowness <= 20);
	assert_non_null(race->reason);
	if (geteuid() != 0 || access("/dev/kvm", R_OK | W_OK) != 0)
		assert_false(race->is_kvm);
	print_message("winner %s, tcg %llu ms, kvm %llu ms, slowness %u, %s\n",
		race->is_kvm ? "kvm" : "tcg", (unsigned long long)race->tcg_ms,
		(unsigned long long)race->kvm_ms, race->slowness, race->reason);
	world_ok(vg_accelerator_race(world_home, true, &again));
	assert_int_equal(again->tcg_ms, race->tcg_ms);
	assert_string_equal(again->reason, race->reason);
}

static void images_are_seen_and_not_written(void **state)
{
	(void)state;
	_auto(vg_string) char *folder = world_folder("host14");
	_auto(vg_string) char *images = world_folder("images");
	struct vg_box_spec spec = {.home = world_home,
		.tag = TAG(14),
		.name = "host14",
		.folder = folder,
		.images = images};
	_auto(vg_box) struct vg_box *box = NULL;
	world_ok(vg_box_start(&spec, &box));
	_auto(vg_string) char *outside = vg_format("%s/base", images);
	_auto(vg_string) char *inside = vg_format("/proc/%d/root/i/base", (int)box->pid);
	world_ok(vg_file_write(outside, 0600, "", 0));
	assert_int_equal(open(inside, O_WRONLY), -1);
	assert_int_equal(errno, EROFS);
	world_ok(vg_box_stop(box));
}

static void where_it_is_forbidden_the_remedy_is_said(void **state)
{
	(void)state;
	assert_null(vg_namespace_probe());
	pid_t pid = fork();
	if (pid == 0) {
		// The setting is one for each user namespace: here one of this child's own.
		int fd = unshare(CLONE_NEWUSER) == 0
				 ? open("/proc/sys/user/max_user_namespaces", O_WRONLY)
				 : -1;
		if (write(fd, "0", 1) != 1)
			_exit(2);
		struct vg_error *error = vg_namespace_probe();
		_exit(error && strstr(vg_error_remedy(error),
				       "sudo sysctl -w user.max_user_namespaces=15000")
				? 0
				: 1);
	}
	int status;
	world_ok(vg_process_wait(pid, &status));
	assert_int_equal(status, 0);
}

static struct vg_error *look_at_links(void *data)
{
	char **links = data;
	struct ifreq request = {.ifr_name = "lo"};
	_auto(vg_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0 || !(request.ifr_flags & IFF_UP))
		return vg_error_new("'lo' is not up");
	*links = list_links();
	return NULL;
}

static void a_call_runs_in_the_network_of_a_box(void **state)
{
	(void)state;
	_auto(vg_box) struct vg_box *box = world_start(TAG(8), "host8", false);
	_auto(vg_string) char *links = NULL;
	world_ok(vg_namespace_call(box->net_fd, look_at_links, &links));
	assert_string_equal(links, "lo\n");
	world_ok(vg_box_stop(box));
}

static void the_machine_has_the_links_that_it_had(void **state)
{
	_auto(vg_string) char *links = list_links();
	assert_string_equal(links, *state);
}

static int run_inside(void)
{
	_auto(vg_string) char *links = list_links();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_forbidden_here),
		cmocka_unit_test(a_guest_survives_its_libvirtd_and_is_adopted_again),
		cmocka_unit_test(a_stopped_box_leaves_nothing_but_its_folder),
		cmocka_unit_test(two_boxes_run_side_by_side),
		cmocka_unit_test(two_starts_at_once_make_one_box),
		cmocka_unit_test(a_box_is_found_without_its_registration),
		cmocka_unit_test(a_box_leaves_when_its_folder_vanishes),
		cmocka_unit_test(a_starter_may_die_at_any_moment),
		cmocka_unit_test(a_box_shows_nothing_else_of_the_machine),
		cmocka_unit_test(images_are_seen_and_not_written),
		cmocka_unit_test(where_it_is_forbidden_the_remedy_is_said),
		cmocka_unit_test(the_race_of_accelerators_has_a_winner_and_is_remembered),
		cmocka_unit_test(a_call_runs_in_the_network_of_a_box),
		cmocka_unit_test(boxes_of_a_site_reach_each_other_also_when_one_is_replaced),
		cmocka_unit_test_prestate(the_machine_has_the_links_that_it_had, links),
	};
	return cmocka_run_group_tests_name("inside", tests, NULL, NULL);
}

int main(int argc, char *argv[])
{
	if (vg_box_is_main(argc, argv))
		vg_box_main(argc, argv);
	bool is_first = argc == 1;
	world_home = is_first ? world_make_home() : vg_strdup(argv[1]);
	int n_failed = is_first ? run_outside(argv) : 0;
	struct vg_error *error = NULL;
	if (n_failed == 0)
		error = vg_namespace_enter(world_home, "live_box");
	if (error)
		fprintf(stderr, "%s\n", vg_error_text(error));
	if (!is_first && strcmp(argv[2], "member") == 0)
		return error ? 1 : be_member();
	if (!error && n_failed == 0)
		n_failed = run_inside();
	world_remove_home();
	free(world_home);
	return error || n_failed ? 1 : 0;
}
