#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A data disk keeps what is on it through everything but an explicit word.
. "$(dirname "$0")/lib.sh"
begin
cat >disks.yaml <<'T'
vgrid: 1
name: disks
parameters:
  memory: {type: size, default: 160MiB}
  size: {type: size, default: 64MiB}
images:
  base: {builtin: tiny}
roles:
  store:
    image: base
    cpu: 1
    memory: "${memory}"
    disks:
      data:
        size: "${size}"
        mount: /data
T
boot_id() { in_node disks store 'cat /proc/sys/kernel/random/boot_id'; }
has_booted_since() { [ "$(boot_id)" != "$1" ] && in_node disks store 'test -e /run/vgrid/ready'; }
# The UUID of the ext4 file system is at byte 1024 + 0x68.
file_system() {
	in_node disks store 'disk=$(sed -n "s, /data .*,,p" /proc/mounts)
		dd if=$disk bs=8 skip=141 count=2 2>/dev/null | od -An -tx1'
}
disk_bytes() {
	in_node disks store 'disk=$(sed -n "s,^/dev/\([a-z]*\) /data .*,\1,p" /proc/mounts)
		echo $(($(cat /sys/class/block/$disk/size) * 512))'
}
kept() {
	same "$(in_node disks store 'cat /data/word')" kept
	same "$(file_system)" "$made" 'the file system is another one'
}

claim 'a disk with a mount is formatted and mounted'
expect 0 up disks.yaml
in_node disks store 'echo kept > /data/word'
made=$(file_system)
remember

claim 'data stays when the guest restarts by itself'
before=$(boot_id)
run "$vgrid" exec disks store -- reboot # its agent may be gone before it answers
await 120 'the guest has booted anew' has_booted_since "$before"
kept

claim 'data stays when memory changes, which is a restart and asked for'
before=$(boot_id)
expect 3 plan disks.yaml --set memory=192MiB
has "$out" '~ store.*restart.*160MiB.*192MiB'
expect 2 up disks.yaml --set memory=192MiB
same "$(boot_id)" "$before" 'boot ids'
expect 0 up disks.yaml --set memory=192MiB -y
[ "$(boot_id)" != "$before" ] || fail 'the guest was not restarted'
kept

claim 'data stays when the disk grows'
expect 0 up disks.yaml --set memory=192MiB --set size=96MiB -y
same "$(disk_bytes)" $((96 << 20))
kept

claim 'data stays over down --keep-disks and up'
remember
expect 0 down disks --keep-disks
same "$(box_pids)" '' 'a box is left'
expect 0 list -o json
same "$(json '[g["phase"] for g in it["grids"]]')" '["down"]'
expect 0 up disks.yaml --set memory=192MiB --set size=96MiB
kept
remember

claim 'what would recreate the disk is refused where the template says so'
before=$(boot_id)
for verb in up plan; do
	run "$vgrid" $verb disks.yaml --set memory=192MiB --set size=64MiB
	[ "$status" = 1 ] || [ "$status" = 2 ] || fail "'$verb' exits with $status"
	has "$err" 'disks\.yaml:1[0-9]:.*(96MiB.*64MiB|64MiB.*96MiB)' '--replace store/data'
done
run "$vgrid" up disks.yaml -y --set memory=192MiB --set size=64MiB
[ "$status" != 0 ] || fail "'-y' is no word for a disk"
same "$(boot_id)" "$before" 'boot ids'
kept

claim 'the explicit word makes it anew'
expect 0 up disks.yaml -y --set memory=192MiB --set size=64MiB --replace store/data
same "$(disk_bytes)" $((64 << 20))
in_node disks store 'test ! -e /data/word' || fail 'the data is still there'
[ "$(file_system)" != "$made" ] || fail 'the file system is the old one'

claim 'down leaves nothing'
remember
expect 0 down disks --delete-disks
nothing_is_left
