#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A grid whose record and machines have the form that the first vgrid gave them (tests/fixtures/
# record-1/live) is left running, and changed like any other.
. "$(dirname "$0")/lib.sh"
begin
fixture=$source_folder/tests/fixtures/record-1/live
cp "$fixture/upgrade.yaml" .
record=$VGRID_HOME/grids/upgrade@sandbox/record.json

claim 'a grid is up'
expect 0 up upgrade.yaml
remember
ids=$(boot_ids upgrade head worker-0)

# old_form NODE: the definition and the metadata of what runs get the fixture's form.
old_form() {
	in_libvirt 0 dumpxml --inactive "upgrade.$1" >now.xml
	python3 - "$fixture/$1.xml" now.xml old.xml metadata.xml <<'P'
import json, re, sys
import xml.etree.ElementTree as xml
old_path, now_path, xml_path, metadata_path = sys.argv[1:]
space = "{urn:vgrid:domain:1}"
old, now = xml.parse(old_path).getroot(), xml.parse(now_path).getroot()
xml.register_namespace("vgrid", space[1:-1])
applied = lambda domain: domain.find(f"metadata/{space}machine/{space}applied")
before, after = json.loads(applied(old).text), json.loads(applied(now).text)
assert before["generator"] == 1 < after["generator"]
kept = {key: after[key] for key in before}
kept["generator"] = 1
applied(now).text = json.dumps(kept, separators=(",", ":"), sort_keys=True)
assert applied(old).text == json.dumps(before, separators=(",", ":"), sort_keys=True)
# All but the metadata and the names that are this grid's own is the fixture's.
for key in ("features", "on_crash"):
    at = list(now).index(now.find(key))
    now[at] = old.find(key)
for hint in now.findall("{http://libvirt.org/schemas/domain/qemu/1.0}capabilities"):
    now.remove(hint)
xml.ElementTree(now).write(xml_path)
machine = now.find(f"metadata/{space}machine")
open(metadata_path, "w").write("<machine>%s</machine>" % "".join(
    "<%s>%s</%s>" % (child.tag.replace(space, ""), child.text, child.tag.replace(space, ""))
    for child in machine))
P
	in_libvirt 0 define "$folder/old.xml"
	in_libvirt 0 metadata "upgrade.$1" urn:vgrid:domain:1 --key vgrid --live --config \
		--set "$(cat metadata.xml)" >/dev/null
	has "$(in_libvirt 0 dumpxml "upgrade.$1")" '"generator":1'
	has "$(in_libvirt 0 dumpxml --inactive "upgrade.$1")" '"generator":1' '<on_crash>destroy'
	has_not "$(in_libvirt 0 dumpxml --inactive "upgrade.$1")" '<tcg>'
}

claim 'its record and its machines get the form of the first vgrid'
old_form head
old_form worker-0
python3 - "$fixture/record.json" "$record" <<'P'
import json, sys
old, now = (json.load(open(path)) for path in sys.argv[1:])
assert old["vgrid-record"] == 1 < now["vgrid-record"]
kept = {key: now[key] for key in old}
kept["vgrid-record"] = 1
json.dump(kept, open(sys.argv[2], "w"), indent=2)
P
sum=$(sha256sum <"$record")

claim 'plan, status and up find nothing to do, and leave the record as it is'
expect 0 plan upgrade.yaml
has "$out" 'nothing to do'
expect 0 status upgrade --check
has "$out" 'As recorded'
expect 0 up upgrade.yaml
has "$err" 'nothing to do'
same "$(sha256sum <"$record")" "$sum"
same "$(boot_ids upgrade head worker-0)" "$ids"

claim 'one worker more is one worker more'
expect 0 up upgrade.yaml --set workers=2
same "$(boot_ids upgrade head worker-0)" "$ids"
every_node_pings_every_other upgrade head worker-0 worker-1
has "$(cat "$record")" '"vgrid-record": 2'
expect 0 status upgrade --check

claim 'who starts anyway starts in the new form'
in_libvirt 0 destroy upgrade.worker-0
expect 0 up upgrade.yaml --set workers=2
has "$(in_libvirt 0 dumpxml upgrade.worker-0)" '"generator":3' '<tb-cache' '<on_crash>preserve'
same "$(boot_ids upgrade head)" "$(grep '^head ' <<<"$ids")"

claim 'nothing is left'
expect 0 down upgrade --delete-disks
nothing_is_left
