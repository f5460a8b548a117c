#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Overlays in Open vSwitch, on a practice site of three hosts: what works with the kernel's overlays
# (practice.sh) works with these; and their daemons die and hang.
. "$(dirname "$0")/lib.sh"
begin
export VGRID_CALL_TIMEOUT=60s # a busy machine is no hung host
cp "$source_folder/templates/catalog/hello.yaml" .
cat >mesh.yaml <<'T'
vgrid: 1
name: mesh
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  w: {image: base, count: 3, cpu: 1, memory: 128MiB, nics: [lan], place: {spread: host}}
T
hello=(head worker-0 worker-1 worker-2 worker-3 worker-4 worker-5)

# host NUMBER: process 1 of that host. daemon_of NUMBER NAME. on_host NUMBER COMMAND…: in all its namespaces.
host() {
	box_pids "site/lab/host/$1"
}
daemon_of() {
	pgrep -P "$(host "$1")" "$2"
}
on_host() {
	local pid
	pid=$(host "$1")
	shift
	nsenter --target "$pid" --user --mount --net --ipc --pid --uts --preserve-credentials -- "$@"
}

claim 'a head and six workers are spread 2/2/2 over three hosts, beside a grid with the same addresses'
expect 0 site practice lab --hosts 3 --ovs
both bring_up hello.yaml --site lab --set workers=6 -- mesh.yaml --site lab
remember
expect 0 status hello --check -o json
same "$(json 'sorted(n["host"] for n in it["nodes"] if n["role"] == "worker")')" \
	'["h1", "h1", "h2", "h2", "h3", "h3"]'
expect 0 status mesh --check -o json
same "$(json '[n["host"] for n in it["nodes"]]')" '["h1", "h2", "h3"]'
vni=$(json 'it["networks"][0]["vni"]')

claim 'no frame of one grid is on a link of the other, while both speak'
they_are_apart "$(host 1)" mesh w-0 w-1 hello worker-0 worker-1

claim 'a broadcast leaves at most 2 × hosts copies on the underlay'
record heard "$(box_pids site/lab/underlay)" overlay.py "$vni"
broadcast heard mesh 3

claim 'all nodes reach each other by name at the full MTU, and no further'
all_reach_all_at_full_mtu hello "${hello[@]}"

claim 'TCP carries 50 MB between nodes on different hosts, in both directions'
both serve hello worker-0 -- hello worker-1
both fetch hello worker-0 worker-1 -- hello worker-1 worker-0

# agent_pings FROM TO: without vgrid, which would look after the daemons.
agent_pings() {
	on_host 1 python3 - "$1" "$2" <<'P'
import json, subprocess, sys, time
def agent(name, **arguments):
    request = json.dumps({"execute": name, "arguments": arguments})
    answer = subprocess.run(["virsh", "-q", "-c",
        "qemu+unix:///session?socket=/run/vg/libvirt/libvirt-sock",
        "qemu-agent-command", "hello." + sys.argv[1], request], capture_output=True, check=True)
    return json.loads(answer.stdout)["return"]
pid = agent("guest-exec", path="/bin/ping", arg=["-q", "-c2", "-W2", sys.argv[2]])["pid"]
while not (state := agent("guest-exec-status", pid=pid))["exited"]:
    time.sleep(0.1)
sys.exit(state["exitcode"])
P
}

claim 'a killed ovs-vswitchd that is started again carries everything on, without vgrid'
before=$(boot_ids hello "${hello[@]}")
agent_pings worker-0 worker-1 || fail 'the positive control fails'
switch=$(daemon_of 1 ovs-vswitchd)
mapfile -d '' -t arguments <"/proc/$switch/cmdline"
mapfile -d '' -t environment <"/proc/$switch/environ"
end_process "$switch"
! agent_pings worker-0 worker-1 || fail 'the positive control fails: pings pass without it'
nsenter --target "$(host 1)" --user --mount --net --ipc --pid --uts --preserve-credentials -- \
	env -i "${environment[@]}" "${arguments[@]}" >vswitchd.log 2>&1 9>&- &
by_hand=$!
await 15 'the nodes reach each other again' agent_pings worker-0 worker-1
expect 3 status hello --check
has "$out" "port of 'worker-0' on 'lan' is not guarded"
kill -9 "$(pgrep -P $by_hand)"
wait $by_hand 2>/dev/null || :

claim 'a dead one is started by the next command, up guards the ports again, the guests have not noticed'
expect 0 up hello.yaml --site lab --set workers=6
has "$err" 'The ovs-vswitchd of h1 had died and was started again'
expect 0 up mesh.yaml --site lab
expect 0 status hello --check
expect 0 status mesh --check
same "$(boot_ids hello "${hello[@]}")" "$before" 'boot ids'

claim 'a killed ovsdb-server is started by the next command, and all is as it was'
end_process "$(daemon_of 2 ovsdb-server)"
expect 3 status hello --check
has "$out" 'h2 +its ovsdb-server had died, and was started again' 'nothing to do'
expect 0 status hello --check
agent_pings worker-0 worker-1 || agent_pings worker-0 worker-1 || fail 'the nodes do not reach each other'

claim 'a hung ovsdb-server and a hung libvirtd are named within seconds, and the third host is served'
unset VGRID_CALL_TIMEOUT
hung=("$(daemon_of 2 ovsdb-server)" "$(daemon_of 3 libvirtd)")
kill -STOP "${hung[@]}"
begun=$SECONDS
run "$vgrid" status hello
kill -CONT "${hung[@]}"
[ $((SECONDS - begun)) -le 25 ] || fail "it took $((SECONDS - begun)) s"
has "$out" '^head .* h1 +running +yes' '^worker-0 .* h1 +running +yes' '^worker-1 .* h2 ' '^worker-2 .* h3 '
has "$out$err" 'ovsdb-server of the box .h2. does not answer' 'libvirtd of the box .h3. does not answer'
expect 0 status hello --check
export VGRID_CALL_TIMEOUT=60s

claim 'after the broadcast less than one packet a second and host for 30 s'
it_stayed_quiet heard
end_recording

claim 'a rate is enforced from the next up on, without a restart'
before=$(boot_ids mesh w-0)
sed 's/nics: .lan./nics: {lan: {rate: 20Mbit}}/' mesh.yaml >limited.yaml
expect 0 up limited.yaml --site lab
has "$err" "h1 +mend networks: port of 'w-0' on 'lan' has no rate instead of the rate 20Mbit"
expect 0 status mesh --check
has_not "$out" 'not enforced'
bridge=$(on_host 1 ovs-vsctl --db=unix:/run/vg/ovs/db.sock list-br | grep -vx br-phy)
has "$(on_host 1 ovs-ofctl -O OpenFlow15 dump-meters "unix:/run/vg/ovs/$bridge.mgmt")" 'rate=20000'
same "$(boot_ids mesh w-0)" "$before" 'boot ids'

claim 'grids go and leave no bridge, port, tap or machine; and the site goes'
expect 0 down hello --delete-disks
expect 0 down mesh
for number in 1 2 3; do
	same "$(links_of "$(host $number)" vgrid:)" '' "links on h$number"
	same "$(on_host $number ovs-vsctl --db=unix:/run/vg/ovs/db.sock list-br)" br-phy "bridges on h$number"
done
expect 0 gc
has "$out" '^Nothing is left over'
expect 0 site stop lab
nothing_is_left
