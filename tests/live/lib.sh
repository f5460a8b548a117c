# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the live tests written as scripts share. Each begins with
#
#	. "$(dirname "$0")/lib.sh"
#
# is run as `tests/live/as-user tests/live/NAME.sh VGRID IMAGES` (a built program and a store of
# images that has `tiny`), gets a VGRID_HOME of its own, and looks at vgrid from outside only. At its
# end, also by a failure or an interrupt, all grids are taken down; and then nothing may be left:
# no process, namespace, link, mount, folder of a grid, or record.
set -eEuo pipefail
export LC_ALL=C
vgrid=$(realpath "$1")
images=$(realpath "$2")
source_folder=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
folder=$(mktemp -d /tmp/vgrid-live-XXXXXX)
declare -A seen_namespaces=() seen_processes=()
out='' err='' status=0

# claim TEXT: what is shown next. A test that fails names the last one.
current='the start'
claim() {
	current=$*
	printf -- '- %s [%ss]\n' "$current" "$SECONDS"
}

fail() {
	printf 'FAILED: %s: %s\n' "$current" "$*" >&2
	exit 1
}

show_last() {
	printf '%s\n' "--- exit status $status, stdout:" "$out" '--- stderr:' "$err" >&2
}

# [input=FILE] run COMMAND…: sets $out, $err and $status. A command that does not end is a failure,
# which says what it and the machine were at.
patience=300 # seconds
run() {
	status=0
	timeout --foreground -k 20 "$patience" \
		"$@" <"${input:-/dev/null}" >"$folder/out" 2>"$folder/err" || status=$?
	out=$(tr -d '\0' <"$folder/out")
	err=$(tr -d '\0' <"$folder/err")
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		ps -ewwo pid,ppid,stat,wchan:20,etimes,args --forest | cut -c1-160 >&2
		show_last
		fail "'$*' has not ended after $patience s"
	fi
}

# [input=FILE] expect STATUS VERB…: vgrid ends with this status.
expect() {
	local wanted=$1
	shift
	run "$vgrid" "$@"
	if [ "$status" != "$wanted" ]; then
		show_last
		fail "'vgrid $*' exits with $status, not $wanted"
	fi
}

# has TEXT REGEX… (extended, a line of it)
has() {
	local text=$1 regex
	shift
	for regex; do
		if ! grep -Eq -- "$regex" <<<"$text"; then
			show_last
			fail "no line matches '$regex' in: $text"
		fi
	done
}

has_not() {
	if grep -Eq -- "$2" <<<"$1"; then
		show_last
		fail "a line matches '$2' in: $1"
	fi
}

same() {
	[ "$1" = "$2" ] || fail "'$1' is not '$2'${3:+: $3}"
}

# await SECONDS WHAT COMMAND…: until the command succeeds.
await() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt "$end" ] || fail "waited in vain until $what"
		read -rt 0.1 <>"$folder/pause" || :
	done
}

# json PYTHON-EXPRESSION: its value, with the last $out as `it`.
json() {
	python3 -c 'import json, sys
it = json.loads(sys.argv[1])
value = eval(sys.argv[2])
print(value if isinstance(value, str) else json.dumps(value))' "$out" "$1"
}

# in_node GRID NODE SHELL-COMMAND: its output.
in_node() {
	"$vgrid" exec -q "$1" "$2" -- sh -c "$3" </dev/null
}

boot_ids() {
	local grid=$1 node
	shift
	for node; do
		printf '%s %s\n' "$node" "$(in_node "$grid" "$node" 'cat /proc/sys/kernel/random/boot_id')"
	done
}

# every_node_pings_every_other GRID NODE…
every_node_pings_every_other() {
	local grid=$1 from
	shift
	for from; do
		in_node "$grid" "$from" "for to in $*; do
			ping -q -c1 -W5 \$to >/dev/null || ping -q -c3 -W5 \$to >/dev/null || {
				echo $from does not reach \$to; exit 1; }; done" ||
			fail "not every node is reached"
	done
}

# both COMMAND ARGUMENT… -- ARGUMENT…: the command with these and with those, at the same time.
both() {
	local command=$1 first=() pid
	shift
	while [ "$1" != -- ]; do
		first+=("$1")
		shift
	done
	shift
	"$command" "${first[@]}" &
	pid=$!
	"$command" "$@"
	wait $pid
}

# bring_up VERB-ARGUMENT…
bring_up() {
	"$vgrid" up "$@" >"up.$BASHPID" 2>&1 </dev/null || {
		cat "up.$BASHPID"
		fail "'vgrid up $*' fails"
	}
}

# all_reach_all_at_full_mtu GRID NODE…: by their names, with packets that must not be fragmented; one byte
# more does not pass. All nodes at once.
all_reach_all_at_full_mtu() {
	local grid=$1 full=1422 from pid pids=() # 1450 less the headers of IPv4 and ICMP
	shift
	for from; do
		in_node "$grid" "$from" "for to in $*; do
			ping -q -c1 -W5 -M do -s $full \$to >/dev/null ||
				ping -q -c3 -W5 -M do -s $full \$to >/dev/null || {
				echo $from does not reach \$to; exit 1; }; done" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "not every node of $grid is reached"
	done
	! in_node "$grid" "$1" "ping -q -c1 -W2 -M do -s $((full + 1)) $2" >/dev/null 2>&1 ||
		fail 'more than the MTU passes'
}

# serve GRID NODE: a file of 50 MB. fetch GRID FROM TO: FROM gets the one of TO, whole.
serve() {
	in_node "$1" "$2" 'mkdir -p /tmp/www; head -c 2000000 /dev/urandom >/tmp/part
		for i in $(seq 25); do cat /tmp/part; done >/tmp/www/file; httpd -p 8080 -h /tmp/www'
}
fetch() {
	same "$(in_node "$1" "$2" "timeout 150 wget -q -O - http://$3:8080/file | md5sum")" \
		"$(in_node "$1" "$3" 'md5sum </tmp/www/file')" "the file from $3 to $2"
}

# record FILE BOX-PID PROGRAM [ARGUMENT…]: tests/live/PROGRAM writes into the file what it sees in that box's
# network, until end_recording.
record() {
	local file=$1 pid=$2 program=$3
	shift 3
	rm -f stop
	mkfifo stop
	in_box "$pid" python3 "$source_folder/tests/live/$program" "$@" <stop >"$file" &
	recorder=$!
	exec 9>stop
	await 10 'the recorder runs' grep -q ready "$file"
}
end_recording() {
	exec 9>&-
	wait $recorder
}

# broadcast FILE GRID N-HOSTS: w-0 of a grid on that many hosts, whose VNI the file is a record of
# (overlay.py), asks everybody: the copies on the underlay are few.
broadcast() {
	local file=$1 grid=$2 n_hosts=$3 copies
	in_node "$grid" w-1 'echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts'
	in_node "$grid" w-0 'ping -b -c1 -W3 -p b5b6b7b8 10.9.0.255 2>&1 || :' >answers
	has "$(cat answers)" '^64 bytes from 10\.9\.0\.3:'
	quiet_from=$(python3 -c 'import time; print(time.monotonic() + 1)')
	copies=$(grep -c ' ffffffffffff.*b5b6b7b8b5b6b7b8' "$file" || :)
	[ "$copies" -ge $((n_hosts - 1)) ] || fail "the positive control fails: $copies copies were heard"
	[ "$copies" -le $((2 * n_hosts)) ] || fail "$copies copies"
}
# it_stayed_quiet FILE: and then less than one packet a second came from each host, for 30 s.
it_stayed_quiet() {
	local port n
	await 60 'the 30 s are over' python3 -c \
		"import sys, time; sys.exit(time.monotonic() < $quiet_from + 30)"
	for port in box0 box1 box2; do
		n=$(awk -v port=$port -v from="$quiet_from" \
			'$2 == port && $1 > from && $1 < from + 30' "$1" | wc -l)
		[ "$n" -lt 30 ] || fail "$n packets from $port in 30 s"
	done
}

uuid_of() {
	expect 0 status "$1" -o json
	json 'it["uuid"]'
}

# links_of BOX-PID UUID: the links of a grid in that box.
links_of() {
	in_box "$1" ip -d -j link | python3 -c 'import json, sys
for link in json.load(sys.stdin):
    if sys.argv[1] in link.get("ifalias", ""): print(link["ifname"])' "$2"
}

# chatter GRID FROM TO PATTERN: unicast, broadcast, and questions that nobody answers.
chatter() {
	in_node "$1" "$2" "ping -q -c3 -W1 -i0.2 -p $4 $3; ping -q -b -c3 -W1 -i0.2 -p $4 10.9.0.255
		ping -q -c2 -W1 -p $4 10.9.0.77; :" >/dev/null 2>&1
}

# they_are_apart BOX-PID GRID FROM TO GRID FROM TO: while both speak no frame of one is on a link that the
# other has in that box.
they_are_apart() {
	local pid=$1 grid own other
	record captured "$pid" capture.py
	both chatter "$2" "$3" "$4" a1a2a3a4 -- "$5" "$6" "$7" b1b2b3b4
	await 10 'the frames of both are captured' grep -q a1a2a3a4a1a2a3a4 captured
	await 10 'the frames of both are captured' grep -q b1b2b3b4b1b2b3b4 captured
	end_recording
	for pair in "$2 a1a2a3a4 b1b2b3b4" "$5 b1b2b3b4 a1a2a3a4"; do
		read -r grid own other <<<"$pair"
		links_of "$pid" "$(uuid_of "$grid")" >own-links
		[ -s own-links ] || fail "no links of $grid"
		grep -wFf own-links captured >on-own || fail 'the positive control fails: nothing was captured'
		grep -q "$own$own" on-own || fail "the positive control fails: no $own"
		! grep -q "$other$other" on-own || fail "$other was overheard"
	done
}

# box_pids [TAG-END]: process 1 of every box of this VGRID_HOME that runs (and whose tag ends so), in the
# order of the hosts.
box_pids() {
	python3 -c 'import glob, json, os, sys
boxes = [json.load(open(name)) for name in glob.glob(sys.argv[1] + "/run/boxes/*.json")]
for box in sorted(boxes, key=lambda box: box["what"].rsplit("/", 1)[-1].rjust(8)):
    if os.path.exists("/proc/%d" % box["pid"]) and box["what"].endswith(sys.argv[2]):
        print(box["pid"])' "$VGRID_HOME" "${1-}"
}

# descendants PID…: all processes below, themselves included.
descendants() {
	local pid
	for pid; do
		echo "$pid"
		# shellcheck disable=SC2046
		descendants $(cat "/proc/$pid/task/"*/children 2>/dev/null || :)
	done
}

# in_box PID COMMAND…: inside a box's user and network namespace.
in_box() {
	local pid=$1
	shift
	nsenter --target "$pid" --user --net --preserve-credentials -- "$@"
}

# box_pid HOST-NUMBER: process 1 of that box of the only grid.
box_pid() {
	box_pids | sed -n "$(($1 + 1))p"
}

# in_libvirt HOST-NUMBER COMMAND…: virsh on the private libvirtd of that box.
in_libvirt() {
	local pid
	pid=$(box_pid "$1")
	shift
	nsenter --target "$pid" --user --preserve-credentials -- virsh -q \
		-c "qemu+unix:///session?socket=/proc/$pid/root/run/vg/libvirt/libvirt-sock" "$@"
}

# process_in HOST-NUMBER REGEX: the process of that box whose command line matches.
process_in() {
	local pid
	for pid in $(descendants "$(box_pid "$1")"); do
		if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -Eq -- "$2"; then
			echo "$pid"
			return
		fi
	done
	fail "no process matches '$2'"
}

# link_of HOST-NUMBER PATH: the link whose alias ends with this path of a tag.
link_of() {
	in_box "$(box_pid "$1")" ip -j link | python3 -c 'import json, sys
print(*[link["ifname"] for link in json.load(sys.stdin)
	if link.get("ifalias", "").endswith("/" + sys.argv[1])])' "$2"
}

# Notes what there is of this home's boxes, for nothing_is_left.
remember() {
	local pid link own
	own=$(readlink /proc/self/ns/* | sort -u)
	for pid in $(descendants $(box_pids)); do
		seen_processes[$pid]=$(start_time "$pid")
		for link in $(readlink "/proc/$pid/ns/"* 2>/dev/null || :); do
			grep -qxF "$link" <<<"$own" || seen_namespaces[$link]=$pid
		done
	done
}

start_time() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	# A dead one whose parent, the machine's process 1, has yet to take notice is no process.
	stat=${stat##*) }
	[ "${stat%% *}" = Z ] || cut -d' ' -f20 <<<"$stat"
}

is_gone() {
	[ -z "$(start_time "$1")" ]
}

# end_process PID: kills a daemon of a box and waits until it has gone, its sockets with it: until it is
# waited for, since what looks dead may have threads that still end.
end_process() {
	kill -9 "$1"
	await 10 "process $1 has gone" is_waited_for "$1"
}

is_waited_for() {
	[ ! -e "/proc/$1" ]
}

# A namespace that some process is in, or that a mount or an open file keeps.
namespace_exists() {
	readlink /proc/[0-9]*/ns/* /proc/[0-9]*/fd/* 2>/dev/null | grep -qF "$1" ||
		grep -qF "$1" /proc/self/mountinfo
}

nothing_is_left() {
	local pid link rest
	for pid in "${!seen_processes[@]}"; do
		[ "$(start_time "$pid")" != "${seen_processes[$pid]:-none}" ] || fail "process $pid is left"
	done
	for link in "${!seen_namespaces[@]}"; do
		! namespace_exists "$link" || fail "namespace $link is left"
	done
	rest=$(cd "$VGRID_HOME" && find . \( -path ./images -o -path ./cache \) -prune -o -type f -print |
		grep -vxE './(store|store\.lock|run/lock)' || :)
	same "$rest" '' 'files are left'
	rest=$(find "$VGRID_HOME/grids" "$VGRID_HOME/sites" -mindepth 1 2>/dev/null || :)
	same "$rest" '' 'folders are left'
	! grep -qF "$folder" /proc/self/mountinfo || fail 'a mount is left'
	same "$(ip -br link)" "$links_before" "the machine's links have changed"
}

down_all() {
	local grid site
	for site in "$VGRID_HOME"/sites/*/; do
		[ ! -e "$site" ] || "$vgrid" site stop "$(basename "$site")" --with-grids -q </dev/null
	done
	"$vgrid" list -o json 2>/dev/null >"$folder/list" </dev/null || return 0
	for grid in $(python3 -c 'import json, sys
for grid in json.load(sys.stdin)["grids"]: print(grid["name"])' <"$folder/list"); do
		"$vgrid" down "$grid" --delete-disks </dev/null >"$folder/down" 2>&1 || {
			cat "$folder/down" >&2
			return 1
		}
	done
}

# end [STATUS]
end() {
	local result=${1:-$?}
	trap - EXIT
	trap '' INT TERM
	# shellcheck disable=SC2046
	kill -9 $(jobs -p) 2>/dev/null || :
	wait
	if [ $result != 0 ]; then
		keep_evidence
	fi
	remember
	current='the end'
	(down_all && nothing_is_left) || result=1
	# What is left in spite of all must not outlive the test.
	for pid in $(box_pids); do
		kill -9 "$pid"
	done
	chmod -R u+w "$folder"
	rm -rf "$folder"
	exit "$result"
}

# The consoles and the record of what failed.
keep_evidence() {
	local file pid
	for file in "$VGRID_HOME"/grids/*/host-*/console/*.log "$VGRID_HOME"/sites/*/h*/console/*.log; do
		[ -e "$file" ] || continue
		printf '%s\n' "--- the end of ${file#"$VGRID_HOME"/}:" >&2
		tail -n 15 "$file" | tr -d '\0\r' >&2
	done
	for pid in $(box_pids); do
		nsenter --target "$pid" --user --mount --preserve-credentials -- \
			tail -v -n 15 /run/vg/ovs-vswitchd.log /run/vg/ovsdb-server.log 2>/dev/null >&2 || :
	done
}

# begin [HOME-FOLDER]: an empty home that has the image.
begin() {
	export VGRID_HOME=${1:-$folder/home}
	mkdir -p "$VGRID_HOME"
	mkfifo "$folder/pause"
	links_before=$(ip -br link)
	trap end EXIT
	trap 'printf "FAILED: %s: line %s: %s\n" "$current" "$LINENO" "$BASH_COMMAND" >&2' ERR
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$VGRID_HOME/images"
	cp -al "$images"/[0-9a-f]* "$VGRID_HOME/images" 2>/dev/null || {
		rm -rf "$VGRID_HOME"/images/*
		cp -a "$images"/[0-9a-f]* "$VGRID_HOME/images"
	}
	cd "$folder"
}
