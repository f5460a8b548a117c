#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The seed is standard: a stock-style Debian with cloud-init becomes a node like any other. Slow, for
# such a guest boots for minutes without hardware acceleration. The third argument is the image that
# tests/live/debian/image has built.
if [ ! -e "$3" ]; then
	echo "skipped: there is no image of Debian; live.debian-image says why"
	exit 77
fi
image=$(realpath "$3")
. "$(dirname "$0")/lib.sh"
begin
patience=1400
ln -s "$image" debian.qcow2
cat >stock.yaml <<'T'
vgrid: 1
name: stock
images:
  base: {builtin: tiny}
  linux: {file: debian.qcow2}
networks:
  lan: {cidr: 10.9.0.0/24, mtu: 1400}
roles:
  deb:
    image: linux
    cpu: 1
    memory: 640MiB
    disks: {data: {size: 64MiB, mount: /srv/data}}
    nics: [lan]
    env:
      WORD: it's a "word" of ${grid.name}
    files:
      /srv/data/told/name: {content: "${node.name}, grüß dich\n", mode: "0640"}
      /usr/local/bin/answer: {content: "#!/bin/sh\necho 42\n", mode: "0755"}
    setup: |
      printf '%s %s\n' "$WORD" "$(answer)" >>/srv/data/setup
      getent ahostsv4 small >>/srv/data/setup
    ready: {within: 300s}
  small:
    image: base
    cpu: 1
    memory: 128MiB
    nics: [lan]
T
in_deb() { in_node stock deb "$1"; }
boot_id() { in_deb 'cat /proc/sys/kernel/random/boot_id'; }
has_booted_since() { [ "$(boot_id)" != "$1" ] && in_deb 'test -e /run/vgrid/ready'; }

claim 'a grid with a stock-style Debian comes up'
expect 0 up stock.yaml
remember
expect 0 status stock
has "$out" '^deb .* running +yes' '^small .* running +yes'

claim 'cloud-init took the seed for its own, and found no fault in it'
same "$(in_deb 'cat /run/cloud-init/cloud-id')" nocloud
in_deb 'cloud-init status --wait' >cloud.status || {
	cat cloud.status
	in_deb 'grep -E "WARNING|ERROR|CRITICAL|Traceback" /var/log/cloud-init.log' || :
	fail 'cloud-init has failed'
}
same "$(in_deb 'grep -cE " - [^ ]+\[(WARNING|ERROR|CRITICAL)\]" /var/log/cloud-init.log' || :)" 0 \
	"warnings of cloud-init"

claim 'hostname and address are those of the node'
same "$(in_deb hostname)" deb
same "$(in_deb 'cat /etc/hostname')" deb
same "$(in_deb 'ip -4 -o addr show scope global' | awk '{ print $4 }')" 10.9.0.2/24
has "$(in_deb 'ip -o link')" ' mtu 1400 '

claim 'files have content, owner and mode, also on the mounted disk'
same "$(in_deb 'cat /srv/data/told/name')" 'deb, grüß dich'
same "$(in_deb 'stat -c "%a %U:%G" /srv/data/told/name /usr/local/bin/answer')" \
	$'640 root:root\n755 root:root'
same "$(in_deb 'stat -c %a /etc/vgrid/env /root/.ssh/id_ed25519')" $'600\n600'
has "$(in_deb 'cat /proc/mounts')" '^/dev/vd. /srv/data ext4 rw'

claim 'env is there, and setup has run once, with all of it'
same "$(in_deb '. /etc/vgrid/env; echo "$WORD"')" "it's a \"word\" of stock"
made=$(in_deb 'cat /srv/data/setup')
same "$(head -n 1 <<<"$made")" "it's a \"word\" of stock 42"
has "$made" '^10\.9\.0\.3 '

claim 'the two ping each other by name'
every_node_pings_every_other stock deb small

claim 'ssh between the two needs no further word'
same "$(in_node stock small 'ssh -o BatchMode=yes deb hostname')" deb
same "$(in_deb 'ssh -o BatchMode=yes small hostname')" small

claim 'ssh from outside needs no network'
expect 0 ssh stock deb -- 'echo "$(id -un)@$(hostname)"'
same "$out" root@deb

claim 'a second up finds nothing to do'
before=$(boot_id)
expect 0 up stock.yaml
has "$err" 'nothing to do'
same "$(boot_id)" "$before" 'boot ids'

claim 'what runs at each boot does not run setup again'
in_deb 'rm /run/vgrid/ready; /var/lib/cloud/scripts/per-boot/vgrid && cat /run/vgrid/ready' >again ||
	fail "it failed: $(cat again)"
same "$(tail -n 1 again)" ready
same "$(in_deb 'cat /srv/data/setup')" "$made"

if [ -n "${VGRID_SOAK-}" ]; then
	claim 'after a restart of the guest all is there, and setup has not run again'
	run "$vgrid" exec stock deb -- reboot # its agent may be gone before it answers
	await 900 'the guest has booted anew' has_booted_since "$before"
	same "$(in_deb 'cat /srv/data/setup')" "$made"
	same "$(in_deb hostname)" deb
	every_node_pings_every_other stock deb small
fi

claim 'down leaves nothing'
remember
expect 0 down stock --delete-disks
nothing_is_left
