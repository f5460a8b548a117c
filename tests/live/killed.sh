#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Killed at a dozen random moments, up, down and image build are run again and converge to what an
# undisturbed run makes. VGRID_SEED repeats the moments of an earlier run.
. "$(dirname "$0")/lib.sh"
begin
RANDOM=${VGRID_SEED:=$RANDOM}
cat >killed.yaml <<'T'
vgrid: 1
name: killed
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  n:
    image: base
    count: 3
    memory: 128MiB
    nics: [lan]
    disks: {data: {size: 32MiB, mount: /data}}
T
folder_of=$VGRID_HOME/grids/killed@sandbox
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# timed VARIABLE VERB…: how long it takes, in milliseconds.
timed() {
	local begun
	begun=$(milliseconds)
	expect 0 "${@:2}"
	printf -v "$1" %s $(($(milliseconds) - begun))
}

# killed_within MILLISECONDS PART OF-PARTS VERB…: kills it at a random moment of this part of the
# time. The first parts are shorter: that is where most happens.
killed_within() {
	local within=$1 moment process part
	part=$((((($2 - 1) * 32768) + RANDOM) / $3))
	shift 3
	moment=$((within * part / 32768 * part / 32768))
	printf '  %s killed after %d.%03d of %d.%03d s\n' "$*" $((moment / 1000)) $((moment % 1000)) \
		$((within / 1000)) $((within % 1000))
	"$vgrid" "$@" </dev/null >killed.out 2>&1 &
	process=$!
	read -rt "$((moment / 1000)).$(printf %03d $((moment % 1000)))" <>"$folder/pause" || :
	kill -9 $process 2>/dev/null || :
	wait $process 2>/dev/null || :
	remember
}

# What there is of the grid but for its uuid.
picture() {
	expect 0 status killed -o json
	json '[[n["name"], n["host"], n["state"], n["is_ready"], n["addresses"], n["cpu"], n["memory"]]
		for n in it["nodes"]] + it["networks"]'
	(cd "$folder_of" && find . -type f | sed 's,volumes/[^/]*/,,' | sort)
	in_box "$(box_pid 0)" ip -br link | wc -l
	in_box "$(box_pid 1)" ip -br link | wc -l
	in_libvirt 0 list --all | sort -k2
	in_libvirt 1 list --all | sort -k2
}

converges() {
	expect 0 up killed.yaml --site sandbox:2
	remember
	same "$(picture | sed 's/^ [0-9]* *//')" "$undisturbed"
	every_node_pings_every_other killed n-0 n-1 n-2
	expect 0 status killed --check
	expect 0 up killed.yaml
	has "$err" 'nothing to do'
}

is_known() { [ -e "$folder_of/record.json" ]; }

printf 'the moments are those of VGRID_SEED=%s\n' "$VGRID_SEED"
claim 'an undisturbed up and down, for comparison'
timed up_ms up killed.yaml --site sandbox:2
remember
undisturbed=$(picture | sed 's/^ [0-9]* *//')
timed down_ms down killed --delete-disks
nothing_is_left

for round in 1 2; do
	claim "up, killed four times and run again, converges (round $round)"
	for part in 1 2 3 4; do
		killed_within "$up_ms" $part 4 up killed.yaml --site sandbox:2
	done
	expect 0 list
	converges
	claim "down, killed and run again, leaves nothing (round $round)"
	killed_within "$down_ms" 1 2 down killed --delete-disks
	if is_known; then
		killed_within "$down_ms" 2 2 down killed --delete-disks
	fi
	if is_known; then
		expect 0 down killed --delete-disks
	fi
	# Killed behind its last act, a command leaves its own registration: any that enters removes it.
	expect 0 gc
	same "$out" 'Nothing is left over.'
	nothing_is_left
done

claim 'image build, killed and run again, makes the image whole'
cp -a "$images/.cache" "$VGRID_HOME/images/" 2>/dev/null || :
killed_within 8000 1 2 image build tiny
killed_within 8000 2 2 image build tiny
expect 0 image build tiny
expect 0 image list
has "$out" '^tiny'
expect 0 gc
same "$out" 'Nothing is left over.'
nothing_is_left
