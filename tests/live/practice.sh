#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The practice site: three hosts over TLS, two grids on them at once, wrong keys, dead daemons, a dead
# host, and an end without a trace.
. "$(dirname "$0")/lib.sh"
begin
cat >mesh.yaml <<'T'
vgrid: 1
name: mesh
parameters:
  nodes: {type: integer, default: 6, min: 1, max: 9}
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  w:
    image: base
    count: ${nodes}
    cpu: 1
    memory: 128MiB
    nics: [lan]
    place: {spread: host}
T
keys=$VGRID_HOME/sites/lab/pki

claim 'what cannot be a site is refused before anything is made'
expect 2 site practice sandbox
expect 2 site practice 'La b'
expect 2 site practice lab --hosts 0
expect 1 site stop lab
has "$err" "no practice site 'lab'"
expect 0 site list
has_not "$out" 'practice'
expect 2 plan mesh.yaml --site lab
has "$err" "there is no site 'lab'"
[ ! -e "$VGRID_HOME/sites" ] || fail 'something was made'

claim 'a site of three hosts is there in seconds, and says where everything is'
begun=$SECONDS
expect 0 site practice lab
[ $((SECONDS - begun)) -le 20 ] || fail 'it took too long'
has "$out" '^h1 +running +192\.0\.2\.1 +qemu\+tls://192\.0\.2\.1/session$' '^h3 +running ' \
	'^site file: .*/sites/lab/site\.yaml$' '^next: +vgrid up FILE --site lab$'
remember
same "$(ip -br link)" "$links_before" 'links during'
same "$(find "$keys" -name '*.pem' ! -perm 600)" '' 'keys that others can read'
expect 0 site list -o json
same "$(json '[[s["name"], s["hosts"], s["running"]] for s in it["sites"]]')" \
	'[["sandbox", 1, null], ["lab", 3, 3]]'

# ovsdb KEYS COMMAND…: over TLS from the underlay of the site 'other'.
ovsdb() {
	local from=$1
	shift
	in_box "$(box_pids site/other/underlay)" ovs-vsctl --timeout=5 --db=ssl:192.0.2.1:6640 \
		-p "$from/clientkey.pem" -c "$from/clientcert.pem" -C "$others/cacert.pem" "$@"
}
others=$VGRID_HOME/sites/other/pki/operator
other_host() {
	in_box "$(box_pids site/other/host/1)" "$@"
}

claim 'with Open vSwitch: its database answers over TLS to those who have the keys, the underlay is in its bridge'
expect 0 site practice other --hosts 2 --ovs
has "$out" '^h1 +running +192\.0\.2\.1 .* ssl:192\.0\.2\.1:6640 *$'
remember
same "$(ovsdb "$others" list-ports br-phy)" underlay
! ovsdb "$keys/operator" list-ports br-phy >/dev/null 2>&1 || fail 'the keys of another site are accepted'
other_host ping -q -c2 -W2 192.0.2.2 >ping || fail 'the hosts do not reach each other'
has_not "$(cat ping)" duplicates

claim 'a killed ovs-vswitchd or ovsdb-server is named, and started again'
for daemon in ovs-vswitchd ovsdb-server; do
	kill -9 "$(pgrep -P "$(box_pids site/other/host/1)" "$daemon")"
	expect 0 site show other
	has "$out" "^h1 +no $daemon " '^h2 +running'
	expect 0 site practice other
	other_host ping -q -c2 -W2 192.0.2.2 >/dev/null || fail 'the hosts do not reach each other'
done
remember

claim 'a wrong certificate is refused at once, on both sides, and the error says what would be right'
cp -a "$keys/operator" own
cp "$VGRID_HOME"/sites/other/pki/operator/* "$keys/operator"
expect 1 plan mesh.yaml --site lab
has "$err" "host 'h[123]': .*verify peer's certificate" "'192\.0\.2\.[123]' .* cacert\.pem"
cat own/cacert.pem >>"$keys/operator/cacert.pem"
expect 1 plan mesh.yaml --site lab
has "$err" "host 'h[123]'" "does not accept this operator's certificate"
cp own/* "$keys/operator"
expect 0 site stop other

claim 'two grids of one template, with one address block, come up on the same hosts at once'
both bring_up mesh.yaml --site lab -- mesh.yaml --site lab --name twin --set nodes=2
remember
expect 0 status mesh@lab -o json
same "$(json 'sorted(n["host"] for n in it["nodes"])')" '["h1", "h1", "h2", "h2", "h3", "h3"]'
mesh=$(json 'it["uuid"]')
expect 0 status twin -o json
same "$(json '[n["host"] for n in it["nodes"]]')" '["h1", "h2"]'
twin=$(json 'it["uuid"]')
vni=$(json 'it["networks"][0]["vni"]')
expect 0 site show lab
has "$out" '^grids: +mesh@lab twin@lab$'

claim 'no frame of one is on a link of the other, while both speak'
h1=$(box_pids site/lab/host/1)
they_are_apart "$h1" mesh w-0 w-1 twin w-0 w-1

claim 'a broadcast leaves at most 2 × hosts copies on the underlay'
record heard "$(box_pids site/lab/underlay)" overlay.py "$vni"
broadcast heard twin 2

claim 'all nodes reach each other by name at the full MTU, and no further'
all_reach_all_at_full_mtu mesh w-0 w-1 w-2 w-3 w-4 w-5

claim 'TCP carries 50 MB between nodes on different hosts, in both directions'
both serve mesh w-0 -- mesh w-1
both fetch mesh w-0 w-1 -- mesh w-1 w-0

claim 'a killed libvirtd is seen, and started again by the next command; its guests run on'
before=$(boot_ids mesh w-0 w-1 w-2)
kill -9 "$(pgrep -P "$h1" libvirtd)"
expect 0 site show lab
has "$out" '^h1 +no libvirtd ' '^h2 +running ' '^next: +vgrid site practice lab'
expect 0 status mesh
has "$err" 'The libvirtd of h1 had died and was started again'
same "$(boot_ids mesh w-0 w-1 w-2)" "$before" 'boot ids'

claim 'a killed host is seen and named, the others go on; the site and the grid are mended'
h3=$(box_pids site/lab/host/3)
kill -9 "$h3"
await 10 'the host has gone' is_gone "$h3"
expect 0 site list
has "$out" '^lab .* 2 of 3 hosts run'
expect 0 status mesh
has "$out" '^w-2 +w +h3 +stopped \(its host does not run\)' '^w-0 .* running +yes'
expect 0 up mesh.yaml --site lab
remember
expect 0 site show lab
has "$out" '^h3 +running '
every_node_pings_every_other mesh w-0 w-1 w-2
same "$(boot_ids mesh w-0 w-1)" "$(head -n2 <<<"$before")" 'boot ids of the others'

claim 'after the broadcast less than one packet a second and host for 30 s'
it_stayed_quiet heard
end_recording

claim 'a dead underlay is mended as well'
kill -9 "$(box_pids site/lab/underlay)"
expect 0 site practice lab
remember
every_node_pings_every_other mesh w-0 w-1 w-2

claim 'a site is not stopped while grids live there, unless told; one goes and the other stays'
expect 1 site stop lab
has "$err" "live 'mesh@lab', 'twin@lab'" 'with-grids'
before=$(boot_ids twin w-0 w-1)
expect 0 down mesh
same "$(boot_ids twin w-0 w-1)" "$before" 'boot ids'
same "$(links_of "$h1" "$mesh")" '' 'links that are left'
expect 0 gc
has "$out" '^Nothing is left over'

claim 'gc finds what a lost record leaves on the hosts, and removes just that'
rm -r "$VGRID_HOME/grids/twin@lab"
expect 0 gc
has "$out" '^machine +twin\.w-0 +on h1@lab' '^machine +twin\.w-1 +on h2@lab' '^network +lan .* h2@lab' \
	'^disk .*h1@lab'
has_not "$out" '^box '
expect 0 gc -y
same "$(links_of "$h1" "$twin")" '' 'links that are left'
expect 0 gc
has "$out" '^Nothing is left over'

claim 'a site ends without a trace with all that is broken on it'
"$vgrid" up mesh.yaml --site lab >up.mesh 2>&1 </dev/null &
up=$!
has_volume() { ls "$VGRID_HOME"/sites/lab/h1/volumes/*/*/volume.json; }
await 30 'the first volume is there' has_volume
kill -9 $up
remember
kill -9 "$(box_pids site/lab/host/2)" "$(pgrep -P "$h1" libvirtd)"
expect 1 site stop lab
expect 0 site stop lab --with-grids
expect 0 list
has "$out" '^No grids'
nothing_is_left
