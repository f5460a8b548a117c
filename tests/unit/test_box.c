// SPDX-License-Identifier: Apache-2.0
//
// Claims about box/ that need no namespace: what is said where one is forbidden, how a box is
// recognised, and the boot sector of the race.
#include "tests/unit/test.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "box/accelerator.h"
#include "box/arguments.h"
#include "box/boot_sector.h"
#include "box/probe.h"
#include "box/registration.h"

// A made-up machine below a folder of its own.
static int make_machine(void **state)
{
	char path[] = "/tmp/vgrid-machine-XXXXXX";
	*state = mkdtemp(path) ? vg_strdup(path) : NULL;
	return *state ? 0 : -1;
}

static int remove_machine(void **state)
{
	vg_error_ignore(vg_folder_remove(*state));
	free(*state);
	return 0;
}

static void put(const char *root, const char *folder, const char *name, const char *text)
{
	_auto(vg_string) char *whole = vg_format("%s/%s", root, folder);
	_auto(vg_string) char *path = vg_format("%s/%s", whole, name);
	assert_null(vg_folder_make(whole, 0755));
	assert_null(vg_file_write(path, 0755, text, strlen(text)));
}

static void assert_says(struct vg_error *error, const char *text, const char *hint)
{
	assert_non_null(error);
	if (!strstr(vg_error_text(error), text) || !strstr(vg_error_remedy(error), hint))
		fail_msg("'%s' with hint '%s' lacks '%s' or '%s'", vg_error_text(error),
			vg_error_remedy(error), text, hint);
	vg_error_free(error);
}

static void each_setting_that_forbids_has_its_own_remedy(void **state)
{
	static const struct {
		const char *folder, *name, *value, *text, *hint;
	} cases[] = {
		{"proc/sys/kernel", "unprivileged_userns_clone", "0\n",
			"kernel.unprivileged_userns_clone=0",
			"sudo sysctl -w kernel.unprivileged_userns_clone=1\n"},
		{"proc/sys/user", "max_user_namespaces", "0\n", "user.max_user_namespaces=0",
			"sudo sysctl -w user.max_user_namespaces=15000\n"},
		{"proc/sys/kernel", "apparmor_restrict_unprivileged_userns", "1\n",
			"kernel.apparmor_restrict_unprivileged_userns=1",
			"echo kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee"},
		{"run", ".containerenv", "", "the container", "--security-opt seccomp="},
		{"proc/self", "status", "Name:\tx\nSeccomp:\t2\n", "the container",
			"--device /dev/net/tun"},
	};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		_auto(vg_string) char *root = vg_format("%s/%zu", (char *)*state, i);
		put(root, cases[i].folder, cases[i].name, cases[i].value);
		assert_says(vg_probe_explain_namespace(root, EPERM, "making a user namespace"),
			cases[i].text, cases[i].hint);
	}
}

static void a_setting_that_allows_is_not_blamed(void **state)
{
	put(*state, "proc/sys/kernel", "unprivileged_userns_clone", "1\n");
	put(*state, "proc/sys/user", "max_user_namespaces", "96343\n");
	put(*state, "proc/self", "status", "Name:\tx\nSeccomp:\t0\n");
	assert_says(vg_probe_explain_namespace(*state, EPERM, "making a user namespace"),
		"making a user namespace: Operation not permitted", "a chroot, a container");
	assert_says(vg_probe_explain_namespace(*state, ENOSPC, "making a user namespace"),
		"No space left", "user.max_user_namespaces=");
}

static void a_tun_that_is_missing_or_closed_has_its_own_remedy(void **state)
{
	assert_says(vg_probe_explain_tun(*state, ENOENT), "/dev/net/tun", "sudo modprobe tun\n");
	put(*state, "dev/net", "tun", "");
	assert_says(vg_probe_explain_tun(*state, EACCES), "Permission denied",
		"sudo chmod 0666 /dev/net/tun\n");
	assert_says(vg_probe_explain_tun(*state, EACCES), "Permission denied", "udev/rules.d");
	assert_says(vg_probe_explain_tun(*state, ENODEV), "No such device", "sudo modprobe tun");
}

static void missing_programs_are_named_with_the_packages(void **state)
{
	put(*state, "usr/sbin", "libvirtd", "");
	put(*state, "usr/bin", "qemu-system-x86_64", "");
	assert_says(vg_probe_programs(*state, "/usr/sbin:/usr/bin"), "not installed: virtlogd",
		"sudo apt-get install -y --no-install-recommends libvirt-daemon ");
	put(*state, "usr/sbin", "virtlogd", "");
	assert_null(vg_probe_programs(*state, "/usr/sbin:/usr/bin"));
	put(*state, "usr/bin", "ovs-vsctl", "");
	assert_says(vg_probe_switch_programs(*state, "/usr/sbin:/usr/bin"),
		"not installed: ovsdb-tool, ovsdb-server, ovs-vswitchd",
		"sudo apt-get install -y --no-install-recommends openvswitch-switch");
}

static void a_device_is_tried_without_capabilities(void **state)
{
	_auto(vg_string) char *path = vg_format("%s/device", (char *)*state);
	put(*state, ".", "device", "");
	assert_int_equal(vg_probe_device("/dev/null"), 0);
	assert_int_equal(vg_probe_device("/nowhere"), ENOENT);
	assert_int_equal(chmod(path, 0000), 0);
	assert_int_equal(vg_probe_device(path), EACCES); // also when the caller is root
}

static void a_box_is_recognised_by_its_arguments(void **state)
{
	(void)state;
	const struct vg_box_spec spec = {.home = "/a home",
		.tag = "vgrid:s:g/host/0",
		.name = "h",
		.folder = "/a home/v",
		.has_hypervisor = true};
	char *argv[VG_BOX_ARGC + 1];
	struct vg_box_spec read;
	vg_box_arguments_make(&spec, argv);
	assert_true(vg_box_is_main(VG_BOX_ARGC - 1, argv));
	assert_true(vg_box_arguments_read(VG_BOX_ARGC - 1, argv, &read));
	assert_string_equal(read.home, spec.home);
	assert_string_equal(read.tag, spec.tag);
	assert_null(read.images);
	assert_true(read.has_hypervisor && !read.has_switch);
	assert_null(read.keys);
	assert_false(vg_box_is_main(2, (char *[]){"vgrid", "up", NULL}));
	assert_false(vg_box_is_main(VG_BOX_ARGC - 2, argv));
	struct vg_box_process process;
	assert_false(vg_box_process_read(getpid(), &process));
}

static void what_runs_in_a_box_is_told_by_its_arguments(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		const struct vg_box_spec spec = {.home = "/h",
			.tag = "vgrid:s:site/lab/host/1",
			.name = "h1",
			.folder = "/h/sites/lab/h1",
			.keys = i & 1 ? "/h/sites/lab/pki/h1" : NULL,
			.has_hypervisor = i & 2,
			.has_switch = i & 4};
		char *argv[VG_BOX_ARGC + 1];
		struct vg_box_spec read;
		int argc = 0;
		vg_box_arguments_make(&spec, argv);
		while (argv[argc])
			argc++;
		assert_true(vg_box_arguments_read(argc, argv, &read));
		assert_true(vg_text_equal(read.keys, spec.keys));
		assert_int_equal(read.has_hypervisor, spec.has_hypervisor);
		assert_int_equal(read.has_switch, spec.has_switch);
	}
}

static void a_registration_of_another_boot_is_stale(void **state)
{
	_auto(vg_string) char *path = vg_format("%s/me.json", (char *)*state);
	struct vg_registration found = {0};
	assert_int_equal(vg_registration_read(path, &found), VG_REGISTRATION_NONE);
	assert_null(vg_registration_write(path, getpid(), "a test"));
	assert_int_equal(vg_registration_read(path, &found), VG_REGISTRATION_LIVE);
	assert_int_equal(found.pid, getpid());
	_auto(vg_string) char *text = NULL;
	assert_null(vg_file_read(path, 4096, &text, NULL));
	char *boot = strstr(text, "\"boot\"");
	assert_non_null(boot);
	boot = strchr(boot, '-') - 1;
	*boot = *boot == '0' ? '1' : '0';
	assert_null(vg_file_write(path, 0600, text, strlen(text)));
	assert_int_equal(vg_registration_read(path, &found), VG_REGISTRATION_STALE);
	assert_null(vg_file_write(path, 0600, text, strlen(text) / 2));
	assert_int_equal(vg_registration_read(path, &found), VG_REGISTRATION_NONE);
}

static void emulation_is_slow_within_bounds(void **state)
{
	(void)state;
	assert_int_equal(vg_accelerator_slowness(true, 250), 1);
	assert_int_equal(vg_accelerator_slowness(false, 250), 5);
	assert_int_equal(vg_accelerator_slowness(false, 1), 4);
	assert_int_equal(vg_accelerator_slowness(false, 60000), 20);
	assert_int_equal(vg_accelerator_slowness(false, 0), 20);
}

static void run(const char *const *argv)
{
	int status;
	_auto(vg_string) char *output = NULL;
	assert_null(vg_process_run(argv, NULL, &status, &output));
	if (status != 0)
		fail_msg("%s: %s", argv[0], output);
}

static void the_boot_sector_is_what_its_source_gives(void **state)
{
	if (!vg_file_exists("/usr/bin/as") || !vg_file_exists("/usr/bin/objcopy"))
		vg_test_lacks("as or objcopy (binutils)");
	_auto(vg_string) char *object = vg_format("%s/sector.o", (char *)*state);
	_auto(vg_string) char *binary = vg_format("%s/sector.bin", (char *)*state);
	run((const char *const[]){
		"as", "--64", "-o", object, VG_SOURCE_FOLDER "/box/boot_sector.s", NULL});
	run((const char *const[]){"objcopy", "-O", "binary", "-j", ".text", object, binary, NULL});
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	assert_null(vg_file_read(binary, 4096, &bytes, &size));
	assert_int_equal(size, VG_BOOT_SECTOR_SIZE);
	assert_memory_equal(bytes, vg_boot_sector, VG_BOOT_SECTOR_SIZE);
}

#define MACHINE_TEST(name) cmocka_unit_test_setup_teardown(name, make_machine, remove_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MACHINE_TEST(each_setting_that_forbids_has_its_own_remedy),
		MACHINE_TEST(a_setting_that_allows_is_not_blamed),
		MACHINE_TEST(a_tun_that_is_missing_or_closed_has_its_own_remedy),
		MACHINE_TEST(missing_programs_are_named_with_the_packages),
		MACHINE_TEST(a_device_is_tried_without_capabilities),
		cmocka_unit_test(a_box_is_recognised_by_its_arguments),
		cmocka_unit_test(what_runs_in_a_box_is_told_by_its_arguments),
		MACHINE_TEST(a_registration_of_another_boot_is_stale),
		cmocka_unit_test(emulation_is_slow_within_bounds),
		MACHINE_TEST(the_boot_sector_is_what_its_source_gives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
