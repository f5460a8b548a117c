#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""doctor --site: every host is asked at once; what one lacks, or that it hangs, hides no other."""

import json
import time

from vgrid import claim, main

GIB = 1 << 30
FACTS = {"libvirt": "9.0.0", "qemu": "7.2.22", "cores": 8, "memory": 64 * GIB}


def lab(home, n_hosts=3, **site):
    hosts = [{"name": f"h{i}", "libvirt": "fake:", "cpu": 8, "memory": "16GiB", "disk": "100GiB"}
             for i in range(1, n_hosts + 1)]
    return home.file({"vgrid-site": 1, "name": "lab", "hosts": hosts, **site}, "lab.yaml")


def know(home, kind, **facts):
    """Facts of the site's hosts in the world of this kind."""
    folder = home.path / "sites/lab"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"fake-{kind}.json").write_text(json.dumps({"facts": facts}))


def checks(result):
    return {(check["host"], check["peer"], check["check"]): check for check in result["checks"]}


@claim
def a_site_where_all_is_well_is_shown_in_a_row_a_check(home):
    file = lab(home)
    know(home, "compute", **{f"h{i}": FACTS for i in (1, 2, 3)})
    result = home.run("doctor", "--site", file)
    result.says("Looking at site 'lab' with 3 hosts")
    rows = result.out.splitlines()
    assert rows[0].split() == ["HOST", "CHECK", "STATE", "DETAIL"]
    assert all(row.startswith("all ") for row in rows[1:]), str(result)
    result.shows("libvirt 9.0.0, QEMU 7.2.22", "8 cores, 8 for grids", "64GiB, 16GiB for grids",
                 "1500 bytes get to every other host")
    found = home.json("doctor", "--site", file)
    assert found["site"] == "lab" and len(found["hosts"]) == 3
    assert found["hosts"][0]["mtus"] == {"h2": 1500, "h3": 1500}
    assert found["hosts"][2]["memory"] == 64 * GIB and found["hosts"][2]["disk"] is None
    assert not (home.path / "sites/lab/site.yaml").exists(), "a look makes a site known"


@claim
def a_host_with_less_than_the_site_gives_is_named_with_the_line_to_change(home):
    know(home, "compute", h1=FACTS, h2={**FACTS, "memory": 4 * GIB}, h3={**FACTS, "cores": 2})
    know(home, "storage", h1={"size": 50 * GIB, "free": GIB})
    result = home.run("doctor", "--site", lab(home), code=1)
    result.shows("write 'memory: 4GiB' for 'h2' in", "lab.yaml:", "write 'cpu: 2' for 'h3' in",
                 "write 'disk: 50GiB' for 'h1' in", "1GiB are left")
    found = checks(home.json("doctor", "--site", lab(home), code=1))
    missing = {key for key, check in found.items() if check["verdict"] == "MISSING"}
    assert missing == {("h2", None, "memory"), ("h3", None, "cpu"), ("h1", None, "disk")}, missing


@claim
def a_host_that_fails_is_named_and_the_others_are_answered_for(home):
    for operation in ("compute.open", "net.open", "compute.facts", "storage.facts"):
        result = home.run("doctor", "--site", lab(home), "-o", "json", code=1,
                          rules=f"fault:{operation}:1")
        hosts = json.loads(result.out)["hosts"]
        failed = [host["name"] for host in hosts if host["state"] == "failed"]
        assert len(failed) == 1, str(result)
        for host in hosts:
            others = {other["name"] for other in hosts if other["state"] == "answers"}
            assert set(host["mtus"]) == (others - {host["name"]} if host["name"] not in failed
                                         else set()), str(result)
        check = checks(json.loads(result.out))[(failed[0], None, "reachable")]
        assert check["verdict"] == "MISSING" and "as the filter was told" in check["detail"], check


@claim
def a_host_that_hangs_costs_its_call_and_no_more(home):
    for operation in ("compute.open", "compute.facts", "storage.facts"):
        begun = time.monotonic()
        result = home.run("doctor", "--site", "fake:40", rules=f"hang:{operation}:7", code=1,
                          env={"VGRID_CALL_TIMEOUT": "500ms"})
        assert time.monotonic() - begun < 20, "it waits"
        result.shows("within 500ms", "VGRID_CALL_TIMEOUT=5m")
        assert result.out.count("MISSING") == 1, str(result)
        assert "35 more" in result.out, str(result)


@claim
def packets_that_cannot_be_tried_are_unknown_with_what_to_run_there(home):
    for rule in ("fault", "hang"):
        result = home.run("doctor", "--site", "fake:2", rules=f"{rule}:net.reach",
                          env={"VGRID_CALL_TIMEOUT": "300ms"})
        result.shows("unknown", "on 'host-0': ping -M do -c 3 -s 1472 192.0.2.2",
                     "on 'host-1': ping -M do -c 3 -s 1472 192.0.2.1")


@claim
def each_way_between_hosts_is_tried_against_the_underlay_mtu(home):
    file = lab(home, network={"underlay-mtu": 9000})
    know(home, "net", h1={"mtu_to": {"h3": 0}}, h2={"mtu": 1500})
    result = home.run("doctor", "--site", file, code=1)
    result.shows("h1 to h3", "none gets there", "h1 to h2, h2 to h3, h2 to h1, h3 to h2",
                 "1500 bytes get there, 9000 do not: networks with an mtu above 14",
                 f"or write 'underlay-mtu: 1500' in {file}")
    found = checks(home.json("doctor", "--site", file, code=1))
    assert ("h3", "h1", "packets") not in found and found[("h1", "h3", "packets")]["remedy"]


@claim
def what_is_not_enforced_or_differs_is_noted_and_nothing_fails(home):
    know(home, "compute", h1={**FACTS, "kvm": False, "limits_cpu": False}, h2=FACTS,
         h3={**FACTS, "clock_ahead_ms": 3200, "qemu": "8.0.0"})
    result = home.run("doctor", "--site", lab(home))
    result.shows("tcg (emulation): there is no kvm", "not enforced there: it has no cgroups",
                 "3.2 s ahead of this machine's", "on 'h3': sudo chronyc makestep",
                 "'h1' has QEMU 7.2.22 and 'h3' 8.0.0")
    home.run("doctor", "--site", lab(home, accelerator="kvm"), code=1).shows("modprobe")


@claim
def doctor_knows_its_words(home):
    home.run("doctor", "--site", "nowhere", code=2).says("there is no site 'nowhere'")
    home.run("doctor", "--site", "fake:1").shows("host-0  reachable")
    bad = home.file({"vgrid-site": 1, "name": "lab", "hosts": []}, "bad.yaml")
    home.run("doctor", "--site", bad, code=2)
    assert "--site" in home.run("doctor", "--help").out


@claim
def the_largest_sites_are_asked_in_seconds(home):
    begun = time.monotonic()
    found = json.loads(home.run("doctor", "--site", lab(home, 300), "-o", "json").out)
    assert time.monotonic() - begun < 50, "it takes too long"
    assert len(found["hosts"]) == 300
    assert {len(host["mtus"]) for host in found["hosts"]} == {250}, "as many as are tried"


main()
