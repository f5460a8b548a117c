#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two grids of one template, with one address block, at the same time: each sees only itself.
. "$(dirname "$0")/lib.sh"
begin
cat >twin.yaml <<'T'
vgrid: 1
name: twin
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  n: {image: base, count: 2, cpu: 1, memory: 160MiB, nics: [lan]}
T

claim 'two grids of one template come up in parallel'
ups=()
for grid in a b; do
	"$vgrid" up twin.yaml --name $grid >up-$grid 2>&1 </dev/null &
	ups[${#ups[@]}]=$!
done
wait "${ups[0]}" || { cat up-a; fail "a: exit $?"; }
wait "${ups[1]}" || { cat up-b; fail "b: exit $?"; }
remember
same "$(ip -br link)" "$links_before" 'links during'
for grid in a b; do
	same "$(in_node $grid n-0 'cat /etc/hostname; ip -4 -o addr show dev eth0 |
		sed "s,.*inet \([^ ]*\).*,\1,"')" $'n-0\n10.9.0.2/24'
done

claim 'each reaches its own'
every_node_pings_every_other a n-0 n-1
every_node_pings_every_other b n-0 n-1

# chatter GRID PATTERN: unicast, broadcast and unanswered questions.
chatter() {
	in_node "$1" n-0 "ping -q -c3 -i0.2 -p $2 n-1; ping -q -b -c3 -i0.2 -p $2 10.9.0.255
		ping -q -c2 -W1 -p $2 10.9.0.77; :" >/dev/null 2>&1
}
macs() {
	in_node "$1" n-0 'cat /sys/class/net/eth0/address'
	in_node "$1" n-1 'cat /sys/class/net/eth0/address'
}
tag_of() {
	python3 -c 'import json, sys
print(next(n["uuid"] for n in [json.load(sys.stdin)]))' <"$VGRID_HOME/grids/$1@sandbox/record.json"
}
box_of() {
	grep -lF "$(tag_of "$1")" "$VGRID_HOME"/run/boxes/*.json | while read -r file; do
		python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["pid"])' "$file"
	done
}

# The other speaks first, the own one after it: what was captured last proves that the capture ran
# all the time.
for pair in 'a b a1a2a3a4 b1b2b3b4' 'b a b1b2b3b4 a1a2a3a4'; do
	read -r own other own_pattern other_pattern <<<"$pair"
	claim "a capture on all links of '$own' sees '$own' and nothing of '$other'"
	mkfifo stop
	in_box "$(box_of $own)" python3 "$source_folder/tests/live/capture.py" <stop >captured &
	capture=$!
	exec 9>stop
	await 10 'the capture runs' grep -q ready captured
	chatter $other "$other_pattern"
	chatter $own "$own_pattern"
	await 10 'the own frames are captured' grep -q "$own_pattern$own_pattern" captured
	exec 9>&-
	wait $capture
	rm stop
	for mac in $(macs $own); do
		grep -q "${mac//:/}" captured || fail "the positive control fails: no frame of $mac"
	done
	for mac in $(macs $other); do
		! grep -q "${mac//:/}" captured || fail "frames of $mac of '$other' were seen"
	done
	! grep -q "$other_pattern$other_pattern" captured || fail "'$other' was overheard"
done

claim 'one goes and the other stays'
before=$(boot_ids b n-0 n-1)
expect 0 down a
same "$(boot_ids b n-0 n-1)" "$before" 'boot ids'
expect 0 down b

claim 'nothing is left'
nothing_is_left
