// SPDX-License-Identifier: Apache-2.0
#include "compute/cloudinit.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "compute/facts.h"
#include "compute/seed_format.h"
#include "templates/grid.h"

// Run early in each boot, with SERIAL PATH pairs as arguments: what mount_data_disk() of the guest
// program does. Only a disk without any signature is formatted.
static const char disks_script[] =
	"mkdir -p /run/vgrid\n"
	"fault() { echo \"$1\" >>/run/vgrid/disk-faults; }\n"
	"is_zero() { [ \"$(tr -d '\\0' | head -c1 | wc -c)\" -eq 0 ]; }\n"
	"while [ $# -gt 1 ]; do\n"
	"	serial=$1 path=$2 device=/dev/disk/by-id/virtio-$1 tries=0\n"
	"	shift 2\n"
	"	while [ ! -b \"$device\" ] && [ $tries -lt 30 ]; do\n"
	"		sleep 1\n"
	"		tries=$((tries + 1))\n"
	"	done\n"
	"	size=$(blockdev --getsz \"$device\") || { fault \"no disk '$serial'\"; continue; "
	"}\n"
	"	last=$((size > 2048 ? size - 2048 : 0))\n"
	"	if dd if=\"$device\" count=2048 2>/dev/null | is_zero &&\n"
	"		dd if=\"$device\" skip=$last 2>/dev/null | is_zero &&\n"
	"		! blkid -p \"$device\" >/dev/null; then\n"
	"		mkfs.ext4 -q -m 0 \"$device\" ||\n"
	"			{ fault \"disk '$serial' cannot be formatted\"; continue; }\n"
	"	fi\n"
	"	mkdir -p \"$path\"\n"
	"	mountpoint -q \"$path\" || mount \"$device\" \"$path\" ||\n"
	"		fault \"disk '$serial' is not blank and holds no file system that can "
	"be\"\\\n"
	"\" mounted at '$path'\"\n"
	"done\n";

// Run at the end of each boot: setup once per root disk, and what the guest program reports.
static const char boot_script[] =
	"#!/bin/sh\n"
	"say() { echo \"vgrid: $1\" >/dev/console; }\n"
	"fail() {\n"
	"	echo \"$1\" >" VG_FAILED_PATH ".new && mv " VG_FAILED_PATH ".new " VG_FAILED_PATH
	"\n"
	"	say \"failed: $1\"\n"
	"	exit 1\n"
	"}\n"
	"mkdir -p /run/vgrid " VG_STATE_FOLDER "\n"
	"systemctl daemon-reload && systemctl start --no-block vgrid-ssh.service\n"
	"[ ! -e /run/vgrid/disk-faults ] || fail \"$(head -n1 /run/vgrid/disk-faults)\"\n"
	"cd " VG_STATE_FOLDER " || exit 1\n"
	"if [ -e setup ] && [ ! -e setup-status ]; then\n"
	"	(\n"
	"		set -a\n"
	"		. /etc/vgrid/env\n"
	"		HOME=/root\n"
	"		set +a\n"
	"		cd /root && exec /bin/sh " VG_STATE_FOLDER "/setup\n"
	"	) </dev/null >>/var/log/vgrid-setup.log 2>&1\n"
	"	status=$?\n"
	"	cat /var/log/vgrid-setup.log >/dev/console\n"
	"	sync\n"
	"	echo $status >setup-status.new && sync && mv setup-status.new setup-status\n"
	"fi\n"
	"status=$(cat setup-status 2>/dev/null || echo 0)\n"
	"[ \"$status\" = 0 ] || fail \"setup exited with status $status\"\n"
	"echo ready >" VG_READY_PATH ".new && mv " VG_READY_PATH ".new " VG_READY_PATH "\n"
	"say ready\n";

// The ssh channel: waits until the host's side of the port is connected, then becomes an sshd on
// it. Python is there, since cloud-init is made of it; a shell cannot poll(2).
static const char channel_unit[] =
	"[Unit]\n"
	"Description=ssh over the virtio-serial port " VG_SSH_PORT "\n"
	"ConditionPathExists=/dev/virtio-ports/" VG_SSH_PORT "\n"
	"StartLimitIntervalSec=0\n"
	"[Service]\n"
	"ExecStart=/usr/bin/python3 -IS /usr/local/lib/vgrid/ssh-channel\n"
	"Restart=always\n"
	"RestartSec=200ms\n"
	"RuntimeDirectory=sshd\n"
	"RuntimeDirectoryMode=0755\n"
	"RuntimeDirectoryPreserve=yes\n";

static const char channel_script[] =
	"import os, select, time\n"
	"fd = os.open('/dev/virtio-ports/" VG_SSH_PORT "', os.O_RDWR)\n"
	"poll = select.poll()\n"
	"poll.register(fd, select.POLLIN)\n"
	"while any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0)):\n"
	"    time.sleep(0.5)\n"
	"os.dup2(fd, 0)\n"
	"os.dup2(fd, 1)\n"
	"os.execv('/usr/sbin/sshd', ['/usr/sbin/sshd', '-i'])\n";

// PyYAML takes no raw control characters and folds Unicode's line breaks: what is not ASCII is
// written as \uXXXX. Beyond the basic plane the raw form is fine, and the only one that YAML and
// JSON share.
static char *to_ascii(const char *json)
{
	struct vg_text text = {0};
	for (const unsigned char *at = (const unsigned char *)json; *at;) {
		unsigned size = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
		if (size == 2)
			vg_text_addf(&text, "\\u%04x", (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU));
		else if (size == 3)
			vg_text_addf(&text, "\\u%04x",
				(at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU));
		else if (*at == 0x7f)
			vg_text_add(&text, "\\u007f");
		else
			vg_text_add_bytes(&text, at, size);
		at += size;
	}
	return vg_text_take(&text);
}

static char *write_yaml(const struct vg_json *json, const char *head)
{
	char *plain = vg_json_write(json);
	char *ascii = to_ascii(plain);
	char *text = vg_format("%s%s\n", head, ascii);
	vg_secret_free(plain);
	vg_secret_free(ascii);
	return text;
}

char *vg_cloudinit_meta_data(const struct vg_node *node, const char *instance)
{
	_auto(vg_json) struct vg_json *json = vg_json_object();
	vg_json_set_string(json, "instance-id", instance);
	vg_json_set_string(json, "local-hostname", node->name);
	return write_yaml(json, "");
}

char *vg_cloudinit_network(const struct vg_grid *grid, const struct vg_node *node)
{
	_auto(vg_json) struct vg_json *json = vg_json_object();
	struct vg_json *ethernets = vg_json_object();
	const struct vg_role *role = vg_node_role(grid, node);
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_network *network = &grid->networks[role->nics[i].network];
		struct vg_json *nic = vg_json_object(), *match = vg_json_object();
		struct vg_json *addresses = vg_json_array();
		char mac[VG_MAC_LENGTH], ip[VG_IP_LENGTH];
		vg_mac_write(&node->nics[i].mac, mac);
		vg_ip_write(&node->nics[i].address, ip);
		_auto(vg_string) char *address = vg_format("%s/%u", ip, network->cidr.prefix);
		_auto(vg_string) char *id = vg_format("nic%zu", i);
		vg_json_set_string(match, "macaddress", mac);
		vg_json_set(nic, "match", match);
		vg_json_set_boolean(nic, "dhcp4", false);
		vg_json_set_boolean(nic, "dhcp6", false);
		vg_json_set_boolean(nic, "accept-ra", false);
		vg_json_push(addresses, vg_json_string(address));
		vg_json_set(nic, "addresses", addresses);
		vg_json_set_integer(nic, "mtu", network->mtu);
		vg_json_set(ethernets, id, nic);
	}
	vg_json_set_integer(json, "version", 2);
	vg_json_set(json, "ethernets", ethernets);
	return write_yaml(json, "");
}

static void push_file(struct vg_json *files, const struct vg_seed_file *file)
{
	struct vg_json *json = vg_json_object();
	_auto(vg_string) char *mode = vg_format("%04o", file->mode);
	char *base64 = file->base64 ? NULL : vg_base64_encode(file->content, file->size);
	vg_json_set_string(json, "path", file->path);
	vg_json_set_string(json, "owner", "root:root");
	vg_json_set_string(json, "permissions", mode);
	vg_json_set_string(json, "encoding", "b64");
	vg_json_set_string(json, "content", file->base64 ? file->base64 : base64);
	vg_json_push(files, json);
	vg_secret_free(base64);
}

static struct vg_json *list_files(
	const struct vg_node *node, const struct vg_seed_file *files, size_t n_files)
{
	static const struct vg_seed_file own[] = {
		{.path = "/usr/local/lib/vgrid/ssh-channel",
			.mode = 0644,
			.content = channel_script},
		{.path = "/etc/systemd/system/vgrid-ssh.service",
			.mode = 0644,
			.content = channel_unit},
		{.path = "/var/lib/cloud/scripts/per-boot/vgrid",
			.mode = 0755,
			.content = boot_script},
	};
	struct vg_json *list = vg_json_array();
	for (size_t i = 0; i < n_files; i++)
		push_file(list, &files[i]);
	if (node->setup)
		push_file(list, &(struct vg_seed_file){.path = VG_STATE_FOLDER "/setup",
					.mode = 0700,
					.content = node->setup,
					.size = strlen(node->setup)});
	for (size_t i = 0; i < VG_LENGTH(own); i++) {
		struct vg_seed_file file = own[i];
		file.size = strlen(file.content);
		push_file(list, &file);
	}
	return list;
}

// A command of bootcmd as a list: cloud-init quotes it.
static struct vg_json *list_disks(const struct vg_role *role)
{
	struct vg_json *command = vg_json_array(), *commands = vg_json_array();
	static const char *const head[] = {"/bin/sh", "-c", disks_script, "vgrid"};
	for (size_t i = 0; i < VG_LENGTH(head); i++)
		vg_json_push(command, vg_json_string(head[i]));
	for (size_t i = 0; i < role->n_disks; i++) {
		if (!role->disks[i].mount)
			continue;
		vg_json_push(command, vg_json_string(role->disks[i].name));
		vg_json_push(command, vg_json_string(role->disks[i].mount));
	}
	vg_json_push(commands, command);
	return commands;
}

char *vg_cloudinit_user_data(const struct vg_grid *grid, const struct vg_node *node,
	const struct vg_facts *facts, char *const host_key[2], const struct vg_seed_file *files,
	size_t n_files)
{
	_auto(vg_json) struct vg_json *json = vg_json_object();
	struct vg_json *host_keys = vg_json_object(), *authorized = vg_json_array();
	_auto(vg_string) char *public_key = vg_format("%s\n", host_key[0]);
	vg_json_set_string(json, "hostname", node->name);
	vg_json_set_boolean(json, "preserve_hostname", false);
	vg_json_set_boolean(json, "manage_etc_hosts", false);
	vg_json_set_boolean(json, "disable_root", false);
	vg_json_set_boolean(json, "ssh_pwauth", false);
	vg_json_push(authorized, vg_json_string(facts->public_key));
	vg_json_set(json, "ssh_authorized_keys", authorized);
	vg_json_set_string(host_keys, "ed25519_private", host_key[1]);
	vg_json_set_string(host_keys, "ed25519_public", public_key);
	vg_json_set(json, "ssh_keys", host_keys);
	vg_json_set(json, "bootcmd", list_disks(vg_node_role(grid, node)));
	vg_json_set(json, "write_files", list_files(node, files, n_files));
	return write_yaml(json, "#cloud-config\n");
}
