#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The first grid of the catalog, lived through from outside: up, looked at, changed, broken,
# repaired, taken down.
. "$(dirname "$0")/lib.sh"
begin
template=$source_folder/templates/catalog/hello.yaml

# Comes first: an `up` that is under way is not in the way of looking.
claim 'a grid comes up, and others may look at it meanwhile'
"$vgrid" up "$template" >up.out 2>up.err </dev/null &
up=$!
await 60 'the head runs' "$vgrid" exec -q hello head -- true
expect 0 status hello
same "$(ip -br link)" "$links_before" 'links during up'
wait $up || { cat up.err; fail "'up' exits with $?"; }
out=$(cat up.out)
has "$out" '^NODE ' '^head +box-0 +ready +10\.9\.0\.2$' '^worker-1 ' '^workers: worker-0 worker-1$'
remember
before=$(boot_ids hello head worker-0 worker-1)

claim 'every node pings every other by name'
every_node_pings_every_other hello head worker-0 worker-1

claim 'ssh from the head to a worker needs no further word'
same "$(in_node hello head 'ssh -o BatchMode=yes worker-1 hostname')" worker-1

claim 'env, files, setup and the mounted disk have taken effect'
same "$(in_node hello head 'cat /data/greeting')" welcome
same "$(in_node hello head 'cat /etc/motd')" 'welcome to hello, this is head'
same "$(in_node hello worker-1 '. /etc/vgrid/env; echo $RANK $HEAD')" '1 10.9.0.2'
has "$(in_node hello head 'cat /proc/mounts')" '^/dev/vd. /data ext4 rw'

claim 'a second up and a plan find nothing to do'
expect 0 up "$template"
has "$err" 'nothing to do'
expect 0 plan "$template"
has "$out" 'nothing to do'
same "$(boot_ids hello head worker-0 worker-1)" "$before" 'boot ids'

claim 'the tests of the template pass'
expect 0 test hello
has "$out" '^6 of 6 tests passed$'

claim 'exec passes arguments, input, output and status exactly'
arguments=('a  b' '$HOME' $'x\ny' '' "it's" '"q"' '*' '\n' '-n' 'ü' '%s')
same "$("$vgrid" exec hello head -- printf '[%s]' "${arguments[@]}" </dev/null)" \
	"$(printf '[%s]' "${arguments[@]}")"
head -c 1000000 /dev/urandom >sent
"$vgrid" exec hello worker-0 -- cat <sent >received
cmp sent received || fail 'the bytes differ'
expect 37 exec hello head -- sh -c 'echo to-err >&2; echo to-out; exit 37'
same "$out/$err" to-out/to-err
expect 127 exec hello head -- no-such-program
has "$err" "no-such-program"
expect 1 exec hello worker-7 -- true
has "$err" "worker-7"

claim 'exec carries more than a message to the agent holds, and leaves nothing in the node'
"$vgrid" exec hello worker-0 -- sh -c 'head -c 4000000 /dev/zero; head -c 600000 /dev/zero >&2' \
	</dev/null >many 2>errors
same "$(stat -c %s many errors)" $'4000000\n600000'
folders_of_exec() { in_node hello worker-0 'ls -d /run/vgrid-exec* | wc -l'; }
same "$(folders_of_exec)" 1 'the folder of this exec itself'
expect 0 exec hello worker-0 -- rm /usr/sbin/vgrid-run # as in an image that is not ours
head -c 200000 sent >less
"$vgrid" exec hello worker-0 -- sh -c 'tee /dev/stderr' <less >received 2>errors
cmp less received && cmp less errors || fail 'the bytes differ'
expect 37 exec hello worker-0 -- sh -c 'echo a; echo b >/dev/stderr; echo c >/dev/stderr; exit 37'
same "$out/$err" $'a/b\nc'
expect 127 exec hello worker-0 -- exit 3
same "$(folders_of_exec)" 1 'the folder of this exec itself'

claim 'logs, console and ssh reach a node'
expect 0 logs hello head
has "$out" 'vgrid'
expect 0 logs hello -n 1
has "$out" '^worker-0'
printf '\necho $((6 * 7))-on-$(hostname)\n' >typed
input=typed expect 0 console hello worker-0
has "$out" '42-on-worker-0'
expect 0 ssh hello worker-1 -- 'echo "$HOSTNAME:$(hostname)"; exit 0'
has "$out" 'worker-1$'
expect 3 ssh hello worker-1 -- exit 3

claim 'everything that prints a result prints JSON'
expect 0 status hello -o json
same "$(json '[n["name"] for n in it["nodes"]]')" '["head", "worker-0", "worker-1"]'
expect 0 list -o json
same "$(json '[(g["name"], g["phase"]) for g in it["grids"]]')" '[["hello", "up"]]'
expect 0 up "$template" -o json
same "$(json '(it["steps"], it["outputs"]["head"])')" '[0, "10.9.0.2"]'
expect 0 plan "$template" -o json
same "$(json '(it["changes"], it["steps"])')" '[[], []]'
for verb in 'image list' doctor gc "check $template"; do
	expect 0 $verb -o json
	json it >/dev/null || fail "'$verb' prints no JSON"
done

claim 'two may look at once'
"$vgrid" status hello >status-1 2>&1 </dev/null &
first=$!
expect 0 status hello
wait $first || fail 'the other one failed'
for text in "$(cat status-1)" "$out"; do
	same "$(grep -cE '^(head|worker-.) .* running +yes ' <<<"$text")" 3 'nodes that are ready'
done

claim 'one more worker touches no other node, and all know it at once'
expect 3 plan "$template" --set workers=3
has "$out" '\+ worker-2'
has_not "$out" '(head|worker-[01]) +(create|restart|recreate)'
expect 0 up "$template" --set workers=3
same "$(boot_ids hello head worker-0 worker-1)" "$before" 'boot ids'
every_node_pings_every_other hello head worker-0 worker-1 worker-2
same "$(in_node hello head 'ssh -o BatchMode=yes worker-2 hostname')" worker-2
has "$(in_node hello worker-0 'cat /etc/vgrid/grid.json')" 'worker-2'
remember

claim 'one worker less removes just that one, and asks before'
expect 2 up "$template"
has "$err" "'-y' goes ahead"
expect 0 up "$template" -y
same "$(boot_ids hello head worker-0 worker-1)" "$before" 'boot ids'
has_not "$(in_node hello head 'cat /etc/hosts')" 'worker-2'
expect 1 exec hello worker-2 -- true

claim 'a killed libvirtd is noticed and repaired by the next command; the guests run on'
box=$(box_pids)
for pid in $(descendants "$box"); do
	if [ "$(cat "/proc/$pid/comm")" = libvirtd ]; then
		kill -9 "$pid"
	fi
done
same "$(boot_ids hello head worker-0 worker-1)" "$before" 'boot ids'
expect 0 status hello
expect 0 up "$template"
has "$err" 'nothing to do'
remember

claim 'a reboot of the machine is noticed, and up brings the grid back with its data'
in_node hello head 'echo kept > /data/kept; sync'
kill -9 "$box"
await 20 'the box is gone' is_gone "$box"
expect 0 status hello
has "$out" "^The sandbox does not run; 'vgrid up' starts it\.$"
has_not "$out" '^(head|worker-.) .* running'
expect 3 status hello --check
expect 1 exec hello head -- true
expect 0 up "$template"
same "$(in_node hello head 'cat /data/kept /data/greeting')" $'kept\nwelcome'
every_node_pings_every_other hello head worker-0 worker-1
remember

claim 'data dies only by an explicit word'
expect 2 down hello
has "$err" 'data disk' '--delete-disks.*--keep-disks'
expect 2 down hello -y
same "$(in_node hello head 'cat /data/kept')" kept

claim 'down leaves nothing'
expect 0 down hello --delete-disks
nothing_is_left
expect 0 list -o json
same "$(json 'it["grids"]')" '[]'
expect 1 status hello
