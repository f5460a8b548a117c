// SPDX-License-Identifier: Apache-2.0
#include "compute/domain_xml.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "templates/grid_resources.h"

// XML being written. The first string that XML cannot hold is remembered and spoils the result.
struct writer {
	struct vg_text text;
	const char *bad; // borrowed
};

static void add(struct writer *writer, const char *xml)
{
	vg_text_add(&writer->text, xml);
}

// White space is written as references: a parser would turn it into blanks in attributes.
static void add_escaped(struct writer *writer, const char *value)
{
	if (!vg_text_is_utf8(value, strlen(value)))
		writer->bad = value;
	for (const char *at = value; *at; at++) {
		if (strchr("&<>\"'\t\r\n", *at))
			vg_text_addf(&writer->text, "&#%d;", *at);
		else if ((unsigned char)*at < 0x20)
			writer->bad = value;
		else
			vg_text_add_bytes(&writer->text, at, 1);
	}
}

// `before`, the escaped value, `after`.
static void add_value(
	struct writer *writer, const char *before, const char *value, const char *after)
{
	add(writer, before);
	add_escaped(writer, value);
	add(writer, after);
}

static void add_metadata(struct writer *writer, const struct vg_machine *machine)
{
	add(writer, "  <metadata>\n"
		    "    <vgrid:machine xmlns:vgrid=\"" VG_DOMAIN_NAMESPACE "\">\n");
	add_value(writer, "      <vgrid:tag>", machine->tag, "</vgrid:tag>\n");
	if (machine->applied)
		add_value(writer, "      <vgrid:applied>", machine->applied, "</vgrid:applied>\n");
	add(writer, "    </vgrid:machine>\n"
		    "  </metadata>\n");
}

// The cap holds for all that the domain does, emulator threads included: it is in cores, not in
// shares of one vCPU. The kernel takes quotas of 1 ms and more, periods of up to 1 s.
static void add_cpu_limit(struct writer *writer, unsigned cpu_limit)
{
	if (!cpu_limit)
		return;
	unsigned period = cpu_limit < 10 ? 1000000 : 100000; // microseconds
	vg_text_addf(&writer->text,
		"  <cputune>\n"
		"    <global_period>%u</global_period>\n"
		"    <global_quota>%" PRIu64 "</global_quota>\n"
		"  </cputune>\n",
		period, (uint64_t)cpu_limit * period / 1000);
}

static void add_boot(struct writer *writer, const struct vg_machine *machine)
{
	add(writer, "  <os>\n"
		    "    <type arch='x86_64' machine='q35'>hvm</type>\n");
	if (machine->kernel) {
		add_value(writer, "    <kernel>", machine->kernel, "</kernel>\n");
		if (machine->initrd)
			add_value(writer, "    <initrd>", machine->initrd, "</initrd>\n");
		if (machine->cmdline)
			add_value(writer, "    <cmdline>", machine->cmdline, "</cmdline>\n");
	} else {
		add(writer, "    <boot dev='hd'/>\n");
	}
	add(writer, "  </os>\n");
}

// An empty <backingStore/> makes libvirt probe nothing and tells QEMU that nothing is behind the
// disk. A root disk is a clone: what is behind it, format included, says the header that vgrid
// wrote.
static void add_backing(struct writer *writer, const struct vg_machine_disk *disk)
{
	if (disk->is_data || strcmp(disk->format, "raw") == 0)
		add(writer, "      <backingStore/>\n");
}

static void add_disk(struct writer *writer, const struct vg_machine_disk *disk, size_t i)
{
	add(writer, "    <disk type='file' device='disk'>\n");
	add_value(writer, "      <driver name='qemu' type='", disk->format, "'");
	add(writer, disk->is_read_only ? "/>\n" : " discard='unmap'/>\n");
	add_value(writer, "      <source file='", disk->path, "'/>\n");
	add_backing(writer, disk);
	if (i < 26)
		vg_text_addf(&writer->text, "      <target dev='vd%c' bus='virtio'/>\n",
			(char)('a' + i));
	else
		vg_text_addf(&writer->text, "      <target dev='vd%c%c' bus='virtio'/>\n",
			(char)('a' + i / 26 - 1), (char)('a' + i % 26));
	if (disk->is_read_only)
		add(writer, "      <readonly/>\n");
	add_value(writer, "      <serial>", disk->name, "</serial>\n");
	add(writer, "    </disk>\n");
}

// The tap is the net driver's; libvirt attaches to it and leaves it alone.
static void add_nic(struct writer *writer, const struct vg_machine_nic *nic)
{
	char mac[VG_MAC_LENGTH];
	vg_mac_write(&nic->mac, mac);
	vg_text_addf(&writer->text,
		"    <interface type='ethernet'>\n"
		"      <mac address='%s'/>\n",
		mac);
	add_value(writer, "      <target dev='", nic->link, "' managed='no'/>\n");
	add(writer, "      <model type='virtio'/>\n");
	if (nic->is_plain)
		add(writer,
			"      <driver>\n"
			"        <host csum='off' gso='off' tso4='off' tso6='off' ecn='off'"
			" ufo='off'/>\n"
			"        <guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/>\n"
			"      </driver>\n");
	if (nic->mtu)
		vg_text_addf(&writer->text, "      <mtu size='%u'/>\n", nic->mtu);
	add(writer, "    </interface>\n");
}

static void add_console(struct writer *writer, const char *log)
{
	add(writer, "    <serial type='pty'>\n");
	if (log)
		add_value(writer, "      <log file='", log, "' append='on'/>\n");
	add(writer, "      <target type='isa-serial' port='0'/>\n"
		    "    </serial>\n"
		    "    <console type='pty'>\n"
		    "      <target type='serial' port='0'/>\n"
		    "    </console>\n");
}

static void add_channel(struct writer *writer, const char *name)
{
	vg_text_addf(&writer->text,
		"    <channel type='unix'>\n"
		"      <target type='virtio' name='%s'/>\n"
		"    </channel>\n",
		name);
}

// No balloon: it would keep a warm start from sharing memory. No USB, no video, no input: nothing
// of ours needs them, and each costs start time. The panic device makes a guest's panic an event.
static void add_devices(struct writer *writer, const struct vg_machine *machine)
{
	add(writer, "  <devices>\n");
	for (size_t i = 0; i < machine->n_disks; i++)
		add_disk(writer, &machine->disks[i], i);
	add(writer, "    <controller type='usb' model='none'/>\n");
	for (size_t i = 0; i < machine->n_nics; i++)
		add_nic(writer, &machine->nics[i]);
	add_console(writer, machine->console_log);
	add_channel(writer, VG_CHANNEL_AGENT);
	add_channel(writer, VG_CHANNEL_SSH);
	add(writer, "    <memballoon model='none'/>\n"
		    "    <rng model='virtio'>\n"
		    "      <backend model='random'>/dev/urandom</backend>\n"
		    "    </rng>\n"
		    "    <panic model='isa'/>\n"
		    "  </devices>\n");
}

// Once a guest's emulator is there, libvirt asks it for each of about 400 properties of its CPU, one
// by one, and QEMU reads each question byte by byte: most of a start's time. Without this capability
// libvirt asks for the CPU's feature words instead, in one question, and finds the same (libvirt 9.0,
// qemuProcessFetchGuestCPU). Only for emulated CPUs, which are the same on every host.
static void add_quick_start(struct writer *writer)
{
	add(writer, "  <qemu:capabilities>\n"
		    "    <qemu:del capability='cpu-unavailable-features'/>\n"
		    "  </qemu:capabilities>\n");
}

struct vg_error *vg_domain_xml(const struct vg_machine *machine, char **ret_xml)
{
	struct writer writer = {0};
	bool is_kvm = machine->accelerator == VG_ACCELERATOR_KVM;
	add(&writer, is_kvm ? "<domain type='kvm'>\n"
			    : "<domain type='qemu' "
			      "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n");
	add_value(&writer, "  <name>", machine->name, "</name>\n");
	add_value(&writer, "  <uuid>", machine->uuid, "</uuid>\n");
	add_metadata(&writer, machine);
	vg_text_addf(&writer.text, "  <memory unit='b'>%" PRIu64 "</memory>\n", machine->memory);
	vg_text_addf(&writer.text, "  <vcpu placement='static'>%u</vcpu>\n", machine->cpu);
	add_cpu_limit(&writer, machine->cpu_limit);
	add_boot(&writer, machine);
	add(&writer, "  <features>\n"
		     "    <acpi/>\n"
		     "    <apic/>\n");
	if (!is_kvm)
		vg_text_addf(&writer.text,
			"    <tcg>\n"
			"      <tb-cache unit='MiB'>%" PRIu64 "</tb-cache>\n"
			"    </tcg>\n",
			vg_emulator_code_cache(machine->cpu, machine->memory) >> 20);
	add(&writer, "  </features>\n");
	if (is_kvm)
		add(&writer, "  <cpu mode='host-passthrough' migratable='on'/>\n");
	// Who has panicked stays as he is, stopped: that tells a panic from an emulator that died.
	add(&writer, "  <clock offset='utc'/>\n"
		     "  <on_poweroff>destroy</on_poweroff>\n"
		     "  <on_reboot>restart</on_reboot>\n"
		     "  <on_crash>preserve</on_crash>\n");
	add_devices(&writer, machine);
	if (!is_kvm)
		add_quick_start(&writer);
	add(&writer, "</domain>\n");
	if (writer.bad) {
		vg_text_done(&writer.text);
		return vg_error_at(machine->place,
			"machine '%s': a text of it is not UTF-8 or has a control character, which"
			" a domain cannot hold",
			machine->name);
	}
	*ret_xml = vg_text_take(&writer.text);
	return NULL;
}
