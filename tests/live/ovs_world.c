// SPDX-License-Identifier: Apache-2.0
#include "tests/live/ovs_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "net/addresses.h"
#include "net/inside.h"
#include "tests/unit/test.h"

enum { TEST_UID = 64002, UNDERLAY_MTU = 1600, WAIT_MS = 10000 };

struct host hosts[HOSTS];
struct vg_ip tunnels[HOSTS];
char *world_folder;
const char world_store[] = "11111111-1111-8111-8111-111111111111";

static _Noreturn void leave(const char *why)
{
	fprintf(stderr, "skipped: %s: %s\n", why, strerror(errno));
	exit(SKIPPED);
}

uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		leave(path);
	close(fd);
}

// Root becomes an ordinary user with a tun node of its own, in a mount namespace of its own.
static void leave_root(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tun", "/dev/net", "tmpfs", MS_NOSUID, "mode=755") < 0 ||
		mknod("/dev/net/tun", S_IFCHR | 0600, makedev(10, 200)) < 0 ||
		chown("/dev/net/tun", TEST_UID, TEST_UID) < 0)
		leave("a private /dev/net/tun");
	if (setresgid(TEST_UID, TEST_UID, TEST_UID) < 0 ||
		setresuid(TEST_UID, TEST_UID, TEST_UID) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
		leave("becoming an ordinary user");
}

static void check_parts(void)
{
	static const char *const parts[] = {"/usr/sbin/ovsdb-server", "/usr/sbin/ovs-vswitchd",
		"/usr/bin/ovs-vsctl", "/usr/bin/openssl"};
	for (size_t i = 0; i < VG_LENGTH(parts); i++)
		if (access(parts[i], X_OK) < 0)
			leave(parts[i]);
}

static void enter_namespaces(void)
{
	if (geteuid() == 0)
		leave_root();
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0)
		leave("/dev/net/tun");
	close(tun);
	_auto(vg_string) char *uids = vg_format("0 %u 1\n", geteuid());
	_auto(vg_string) char *gids = vg_format("0 %u 1\n", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID) < 0)
		leave("a user namespace");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", uids);
	write_file("/proc/self/gid_map", gids);
}

// The child is process 1 of the pid namespace: whatever it leaves behind ends with it.
static void become_first(void)
{
	char folder[] = "/tmp/vg-ovs-XXXXXX";
	if (!mkdtemp(folder))
		leave("a folder");
	world_folder = vg_strdup(folder);
	pid_t pid = fork();
	if (pid < 0)
		leave("a process");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	vg_error_ignore(vg_folder_remove(folder));
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int this_namespace(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

struct program {
	const struct host *host;
	const char *const *argv;
	const char *log;
	pid_t pid;
};

// A child is in the network namespace of the thread that made it.
static struct vg_error *start(void *data)
{
	struct program *program = data;
	_auto(vg_string) char *folder = vg_format("OVS_RUNDIR=%s", program->host->folder);
	_auto(vg_string) char *log = vg_format("%s/%s", program->host->folder, program->log);
	const char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", folder, NULL};
	_auto(vg_fd) int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct vg_process_files files = {.in = -1, .out = fd, .err = fd};
	return vg_process_start(program->argv, environment, files, &program->pid);
}

static pid_t start_daemon(const struct host *host, const char *log, const char *const *argv)
{
	struct program program = {.host = host, .argv = argv, .log = log};
	assert_null(vg_inside(host->namespace_fd, start, &program));
	return program.pid;
}

// Until somebody listens: the file is there a moment before.
static void wait_for_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	for (uint64_t end = now_ms() + WAIT_MS; now_ms() < end; poll(NULL, 0, 10)) {
		_auto(vg_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return;
	}
	fail_msg("%s does not come", path);
}

void daemon_kill(pid_t *pid, int signal)
{
	assert_int_equal(kill(*pid, signal), 0);
	assert_int_equal(waitpid(*pid, NULL, 0), *pid);
	*pid = 0;
}

void database_start(struct host *host)
{
	_auto(vg_string) char *path = vg_format("%s/db.sock", host->folder);
	_auto(vg_string) char *remote = vg_format("--remote=punix:%s", path);
	_auto(vg_string) char *file = vg_format("%s/db", host->folder);
	_auto(vg_string) char *key = vg_format("--private-key=%s/host.key", world_folder);
	_auto(vg_string) char *certificate = vg_format("--certificate=%s/host.pem", world_folder);
	_auto(vg_string) char *authority = vg_format("--ca-cert=%s/ca.pem", world_folder);
	const char *const argv[] = {"/usr/sbin/ovsdb-server", "--remote=pssl:6640", "--no-chdir",
		"--remote=db:Open_vSwitch,Open_vSwitch,manager_options", remote, key, certificate,
		authority, file, NULL};
	unlink(path);
	host->database = start_daemon(host, "ovsdb-server.log", argv);
	wait_for_socket(path);
}

void vswitch_start(struct host *host)
{
	const char *const argv[] = {"/usr/sbin/ovs-vswitchd", "--no-chdir", host->endpoint, NULL};
	host->vswitch = start_daemon(host, "ovs-vswitchd.log", argv);
}

char *vsctl(const struct host *host, const char *arguments)
{
	_auto(vg_string) char *words = vg_strdup(arguments);
	_auto(vg_string) char *database = vg_format("--db=%s", host->endpoint);
	const char *argv[48] = {"/usr/bin/ovs-vsctl", database, "--timeout=10"};
	size_t n = 3;
	char *rest = NULL, *output;
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n < VG_LENGTH(argv) - 1);
		argv[n++] = word;
	}
	int status;
	assert_null(vg_process_run(argv, NULL, &status, &output));
	if (status != 0)
		fail_msg("ovs-vsctl %s: %s", arguments, output);
	return output;
}

// The host's own bridge holds the underlay's link, and the address, as its administrator would do
// it.
static void join_underlay(struct host *host, const struct vg_ip *tunnel)
{
	struct vg_error *error = NULL;
	uint64_t end = now_ms() + WAIT_MS;
	do {
		vg_error_free(error);
		poll(NULL, 0, error ? 20 : 0);
		error = vg_link_up(host->netlink, "br-phy");
		if (!error)
			error = vg_link_address(host->netlink, "br-phy", tunnel, 24);
	} while (error && now_ms() < end);
	assert_null(error);
}

void world_underlay(int host)
{
	join_underlay(&hosts[host], &tunnels[host]);
}

static void make_host(int i, struct vg_netlink *sw, int switch_fd)
{
	struct host *host = &hosts[i];
	_auto(vg_string) char *port = vg_format("port%d", i);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	host->namespace_fd = this_namespace();
	assert_int_equal(setns(switch_fd, CLONE_NEWNET), 0);
	assert_null(vg_link_veth(sw, port, "underlay", host->namespace_fd, UNDERLAY_MTU));
	assert_null(vg_link_master(sw, port, "switch"));
	assert_null(vg_link_up(sw, port));
	tunnels[i] = (struct vg_ip){.bytes = {192, 0, 2, (uint8_t)(11 + i)}};
	assert_null(vg_netlink_open(host->namespace_fd, &host->netlink));
	assert_null(vg_link_up(host->netlink, "underlay"));
	assert_null(vg_link_up(host->netlink, "lo"));
	host->folder = vg_format("%s/h%d", world_folder, i);
	host->endpoint = vg_format("unix:%s/db.sock", host->folder);
	assert_null(vg_folder_make(host->folder, 0700));
	_auto(vg_string) char *file = vg_format("%s/db", host->folder), *output = NULL;
	const char *const create[] = {"/usr/bin/ovsdb-tool", "create", file,
		"/usr/share/openvswitch/vswitch.ovsschema", NULL};
	int status;
	assert_null(vg_process_run(create, NULL, &status, &output));
	assert_int_equal(status, 0);
	database_start(host);
	free(vsctl(host, "--no-wait init -- set open_vswitch . ovs_version=3.1.0"));
	vswitch_start(host);
	_auto(vg_string) char *keys = vg_format("set-ssl %s/host.key %s/host.pem %s/ca.pem",
		world_folder, world_folder, world_folder);
	free(vsctl(host, keys));
	// A MAC of its own: else the kernel takes what comes in by the link itself for its own,
	// too, and answers beside the switch.
	_auto(vg_string) char *bridge =
		vg_format("add-br br-phy -- set bridge br-phy datapath_type=netdev "
			  "other-config:hwaddr=02:00:00:00:01:0%d -- add-port br-phy underlay",
			i + 1);
	free(vsctl(host, bridge));
	join_underlay(host, &tunnels[i]);
	_auto(vg_string) char *name = vg_format("h%d", i);
	struct vg_net_target target = {
		.host = name, .namespace_fd = -1, .endpoint = host->endpoint};
	struct vg_error *error = vg_net_ovs.open(&target, &host->net);
	if (error)
		fail_msg("%s", vg_error_text(error));
}

void world_make(void)
{
	check_parts();
	enter_namespaces();
	become_first();
	signal(SIGPIPE, SIG_DFL);
	world_certificates();
	_auto(vg_fd) int switch_fd = this_namespace();
	_auto(vg_netlink) struct vg_netlink *sw = NULL;
	assert_null(vg_netlink_open(-1, &sw));
	assert_null(vg_link_bridge(sw, "switch", UNDERLAY_MTU));
	assert_null(vg_link_up(sw, "switch"));
	for (int i = 0; i < HOSTS; i++)
		make_host(i, sw, switch_fd);
}

void world_done(void)
{
	for (int i = 0; i < HOSTS; i++) {
		vg_net_ovs.close(hosts[i].net);
		daemon_kill(&hosts[i].vswitch, SIGTERM);
		daemon_kill(&hosts[i].database, SIGTERM);
		vg_netlink_free(hosts[i].netlink);
		close(hosts[i].namespace_fd);
		free(hosts[i].folder);
		free(hosts[i].endpoint);
	}
	free(world_folder);
}

struct vg_grid *world_grid(
	struct vg_arena *arena, const char *uuid, unsigned n_nodes, uint64_t rate)
{
	struct vg_grid *grid = vg_arena_alloc(arena, sizeof(*grid));
	*grid = (struct vg_grid){
		.arena = arena, .uuid = uuid, .n_networks = n_nodes ? 1 : 0, .n_roles = 1};
	grid->networks = vg_arena_alloc(arena, sizeof(*grid->networks));
	grid->networks[0] =
		(struct vg_network){.name = "net-0", .place = {"t.yaml", 4, 3}, .mtu = 1450};
	assert_null(vg_cidr_read("10.9.0.0/24", &grid->networks[0].cidr));
	grid->roles = vg_arena_alloc(arena, sizeof(*grid->roles));
	grid->roles[0] =
		(struct vg_role){.name = "node", .count = n_nodes, .n_nics = grid->n_networks};
	grid->roles[0].nics = vg_arena_alloc(arena, sizeof(struct vg_nic));
	grid->roles[0].nics[0] =
		(struct vg_nic){.network = 0, .rate = rate, .place = {"t.yaml", 100, 5}};
	grid->n_nodes = n_nodes;
	grid->nodes = vg_arena_alloc(arena, (n_nodes + 1) * sizeof(*grid->nodes));
	for (unsigned i = 0; i < n_nodes; i++)
		grid->nodes[i] = (struct vg_node){
			.name = vg_arena_format(arena, "node-%u", i), .host = (int)i % HOSTS};
	assert_null(vg_addresses_allocate(grid, uuid, NULL, 0));
	return grid;
}

struct vg_slice *world_slice(const struct vg_grid *grid, int host, uint32_t vni)
{
	struct vg_slice_input input = {
		.grid = grid, .store = world_store, .vnis = &vni, .tunnels = tunnels};
	return vg_slice_build(&input, host);
}

void world_converge(const struct vg_grid *grid, uint32_t vni)
{
	for (int i = 0; i < HOSTS; i++) {
		_auto(vg_slice) struct vg_slice *slice = world_slice(grid, i, vni);
		_auto(vg_error) struct vg_error *error = vg_net_ovs.converge(hosts[i].net, slice);
		if (error)
			fail_msg("%s", vg_error_text(error));
	}
}

void world_clear(const char *uuid)
{
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	world_converge(world_grid(arena, uuid, 0, 0), 1);
}
