// SPDX-License-Identifier: Apache-2.0
//
// Claims about the XML of domains: what is written (golden files in tests/golden/domain, written
// anew when VGRID_GOLDEN_WRITE is set), and what is read back.
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "compute/domain_read.h"
#include "compute/domain_xml.h"

#define STORE "0a4f9e9c-6a0c-4d4e-9a3e-5f0c8e1b2d3c"
#define GRID "7d0c2b1a-1111-4222-8333-944455566677"

static struct vg_machine_disk disks[] = {
	{"root", "/v/grids/mpi/head/root.qcow2", "qcow2", false, false},
	{"data", "/v/grids/mpi/head/data.qcow2", "qcow2", false, true},
	{"seed", "/v/grids/mpi/head/seed.img", "raw", true, false},
};

static struct vg_machine_nic nics[] = {
	{"lan", "vgabcdefghijk", {{0x52, 0x54, 0x00, 0x01, 0x02, 0x03}}, 1450, false},
	{"wan", "vgabcdefghijl", {{0x52, 0x54, 0x00, 0x01, 0x02, 0x04}}, 0, false},
};

static struct vg_machine head(void)
{
	return (struct vg_machine){
		.tag = "vgrid:" STORE ":" GRID "/node/head",
		.uuid = "3c5b8e52-95b9-4f0c-9f0c-0d3b3e1f7a10",
		.name = "mpi.head",
		.node = "head",
		.place = {"mpi.yaml", 12, 3},
		.cpu = 2,
		.memory = 256 << 20,
		.kernel = "/i/tiny/kernel",
		.initrd = "/i/tiny/initrd",
		.cmdline = "console=ttyS0 no_timer_check panic=-1",
		.disks = disks,
		.n_disks = VG_LENGTH(disks),
		.nics = nics,
		.n_nics = VG_LENGTH(nics),
		.console_log = "/v/grids/mpi/head/console.log",
		.applied = "{\"cpu\":2,\"generator\":1,\"memory\":268435456}",
	};
}

// Machine and golden file agree; libvirt's own schema, where it is installed, accepts the text.
static void expect_golden(const struct vg_machine *machine, const char *name)
{
	_auto(vg_string) char *xml = NULL;
	assert_null(vg_domain_xml(machine, &xml));
	_auto(vg_string) char *path =
		vg_format(VG_SOURCE_FOLDER "/tests/golden/domain/%s.xml", name);
	if (getenv("VGRID_GOLDEN_WRITE"))
		assert_null(vg_file_write(path, 0644, xml, strlen(xml)));
	_auto(vg_string) char *golden = NULL;
	assert_null(vg_file_read(path, 1 << 20, &golden, NULL));
	assert_string_equal(xml, golden);
	static const char schema[] = "/usr/share/libvirt/schemas/domain.rng";
	if (!vg_file_exists(schema) || !vg_file_exists("/usr/bin/xmllint"))
		return;
	int status;
	_auto(vg_string) char *output = NULL;
	assert_null(vg_process_run((const char *const[]){"/usr/bin/xmllint", "--nonet", "--noout",
					   "--relaxng", schema, path, NULL},
		NULL, &status, &output));
	if (status != 0)
		fail_msg("%s", output);
}

static void a_machine_with_a_kernel_boots_it_directly(void **state)
{
	(void)state;
	struct vg_machine machine = head();
	expect_golden(&machine, "kernel");
}

static void a_machine_without_a_kernel_boots_its_root_disk(void **state)
{
	(void)state;
	struct vg_machine machine = head();
	machine.kernel = machine.initrd = machine.cmdline = NULL;
	machine.n_nics = 0;
	machine.n_disks = 1;
	expect_golden(&machine, "disk");
}

static void hardware_acceleration_passes_the_cpu_through(void **state)
{
	(void)state;
	struct vg_machine machine = head();
	machine.accelerator = VG_ACCELERATOR_KVM;
	machine.n_nics = 1;
	expect_golden(&machine, "kvm");
}

static void where_the_network_needs_it_a_nic_leaves_nothing_to_the_hardware(void **state)
{
	(void)state;
	struct vg_machine machine = head();
	struct vg_machine_nic plain = nics[0];
	plain.is_plain = true;
	machine.nics = &plain;
	machine.n_nics = 1;
	machine.n_disks = 0;
	expect_golden(&machine, "plain");
}

static void a_cpu_limit_holds_for_the_whole_domain(void **state)
{
	(void)state;
	struct vg_machine machine = head();
	machine.cpu_limit = 1500;
	machine.n_disks = machine.n_nics = 0;
	expect_golden(&machine, "cpu-limit");
	machine.cpu_limit = 1; // a quota below 1 ms would be refused by the kernel
	_auto(vg_string) char *xml = NULL;
	assert_null(vg_domain_xml(&machine, &xml));
	assert_non_null(strstr(xml, "<global_period>1000000</global_period>"));
	assert_non_null(strstr(xml, "<global_quota>1000</global_quota>"));
}

static void what_a_user_wrote_cannot_become_markup(void **state)
{
	(void)state;
	struct vg_machine machine = head();
	machine.cmdline = "motd=\"<b>&'\" x='y'";
	machine.console_log = "/v/it's <here> & \"there\"/console.log";
	machine.applied = "{\"env\":\"]]></vgrid:applied><x/>\\n\"}";
	struct vg_machine_disk disk = {"root", "/v/a'/><devil x='\t", "raw", false, false};
	machine.disks = &disk;
	machine.n_disks = 1;
	expect_golden(&machine, "escapes");
	_auto(vg_string) char *xml = NULL;
	assert_null(vg_domain_xml(&machine, &xml));
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	assert_null(vg_domain_read(xml, strlen(xml), &seen));
	assert_string_equal(seen.applied, machine.applied);
	assert_string_equal(seen.console_log, machine.console_log);
}

static void what_xml_cannot_hold_is_an_error_at_the_role(void **state)
{
	(void)state;
	static const char *const bad[] = {"a\x01z", "\xff\xfe"};
	for (size_t i = 0; i < VG_LENGTH(bad); i++) {
		struct vg_machine machine = head();
		machine.cmdline = bad[i];
		char *xml = NULL;
		_auto(vg_error) struct vg_error *error = vg_domain_xml(&machine, &xml);
		assert_non_null(error);
		assert_int_equal(vg_error_where(error).line, 12);
		assert_null(xml);
	}
}

static void thirty_disks_have_thirty_names(void **state)
{
	(void)state;
	struct vg_machine_disk many[30];
	for (size_t i = 0; i < VG_LENGTH(many); i++)
		many[i] = disks[1];
	struct vg_machine machine = head();
	machine.disks = many;
	machine.n_disks = VG_LENGTH(many);
	_auto(vg_string) char *xml = NULL;
	assert_null(vg_domain_xml(&machine, &xml));
	assert_non_null(strstr(xml, "dev='vdz'"));
	assert_non_null(strstr(xml, "dev='vdaa'"));
	assert_non_null(strstr(xml, "dev='vdad'"));
}

static void tag_and_sizes_are_read_back(void **state)
{
	(void)state;
	static const char xml[] =
		"<domain type='qemu' id='3'><name>mpi.head</name><metadata>"
		"<other:machine xmlns:other='urn:other'><tag>vgrid:lie</tag></other:machine>"
		"<v:machine xmlns:v='" VG_DOMAIN_NAMESPACE "'><v:tag>vgrid:a</v:tag>"
		"<v:applied>{\"a\":\"&lt;\"}</v:applied></v:machine></metadata>"
		"<memory unit='KiB'>524288</memory><currentMemory unit='KiB'>262144</currentMemory>"
		"<vcpu placement='static' current='2'>8</vcpu><devices>"
		"<serial type='pty'><log file='/v/c.log' append='on'/></serial>"
		"<channel type='unix'><source mode='bind' path='/run/s'/>"
		"<target type='virtio' name='org.vgrid.ssh.0'/></channel></devices></domain>";
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	assert_null(vg_domain_read(xml, strlen(xml), &seen));
	assert_string_equal(seen.tag, "vgrid:a");
	assert_string_equal(seen.applied, "{\"a\":\"<\"}");
	assert_int_equal(seen.form.memory, 256 << 20);
	assert_int_equal(seen.form.cpu, 2);
	assert_string_equal(seen.console_log, "/v/c.log");
	assert_string_equal(seen.ssh_channel, "/run/s");
}

static void a_domain_of_somebody_else_has_no_tag(void **state)
{
	(void)state;
	static const char xml[] = "<domain><name>x</name><metadata><v:machine xmlns:v='urn:other'>"
				  "<v:tag>vgrid:a</v:tag></v:machine></metadata></domain>";
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	assert_null(vg_domain_read(xml, strlen(xml), &seen));
	assert_null(seen.tag);
}

static void hostile_xml_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "no xml", "<domain>", "<network/>",
		"<domain/><domain/>",
		"<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
		"<domain><name>&x;</name></domain>",
		"<!DOCTYPE domain SYSTEM 'http://127.0.0.1:1/x.dtd'><domain/>"};
	for (size_t i = 0; i < VG_LENGTH(bad); i++) {
		struct vg_domain_seen seen = {0};
		_auto(vg_error) struct vg_error *error =
			vg_domain_read(bad[i], strlen(bad[i]), &seen);
		assert_non_null(error);
		assert_null(seen.tag);
	}
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	static const char odd[] = "<domain><memory>99999999999999999999999</memory>"
				  "<vcpu current='x'>-3</vcpu></domain>";
	assert_null(vg_domain_read(odd, strlen(odd), &seen));
	assert_int_equal(seen.form.memory, 0);
	assert_int_equal(seen.form.cpu, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_with_a_kernel_boots_it_directly),
		cmocka_unit_test(a_machine_without_a_kernel_boots_its_root_disk),
		cmocka_unit_test(hardware_acceleration_passes_the_cpu_through),
		cmocka_unit_test(where_the_network_needs_it_a_nic_leaves_nothing_to_the_hardware),
		cmocka_unit_test(a_cpu_limit_holds_for_the_whole_domain),
		cmocka_unit_test(what_a_user_wrote_cannot_become_markup),
		cmocka_unit_test(what_xml_cannot_hold_is_an_error_at_the_role),
		cmocka_unit_test(thirty_disks_have_thirty_names),
		cmocka_unit_test(tag_and_sizes_are_read_back),
		cmocka_unit_test(a_domain_of_somebody_else_has_no_tag),
		cmocka_unit_test(hostile_xml_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
