#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Site files: known by name once they were used; their ledgers; several operators at once."""

import collections
import json
import signal

from vgrid import SOURCE, claim, main

HOSTS = 4
CPU = 6


def lab(home, name="lab", n_hosts=HOSTS, **network):
    hosts = [{"name": f"h{i}", "libvirt": "fake:", "cpu": CPU, "memory": "64GiB"}
             for i in range(1, n_hosts + 1)]
    return home.file({"vgrid-site": 1, "name": name, "hosts": hosts, "network": network},
                     f"{name}.yaml")


def grid(home, name, count=2, cpu=1):
    return home.file({"vgrid": 1, "name": name, "images": {"base": {"builtin": "tiny"}},
                      "networks": {"a": {"cidr": "10.1.0.0/24"}, "b": {"cidr": "10.2.0.0/24"}},
                      "roles": {"w": {"count": count, "cpu": cpu, "image": "base", "memory": "64MiB",
                                      "nics": ["a", "b"]}}}, f"{name}.yaml")


def ledger(home, site="lab"):
    path = home.path / "sites" / site / "ledger.json"
    return json.loads(path.read_text())["grids"] if path.exists() else {}


def records(home):
    return {path.parent.name: json.loads(path.read_text())
            for path in (home.path / "grids").glob("*/record.json")}


def must_be_sound(home, site="lab"):
    """No host is overfilled and no VNI taken twice: by the ledger, and by the records it stands for."""
    vnis = collections.Counter()
    cpu = collections.Counter()
    for key, record in records(home).items():
        vnis.update(record["vnis"])
        entry = ledger(home, site)[key]
        assert set(record["vnis"]) <= set(entry["vnis"]) and entry["uuid"] == record["uuid"], entry
        for node in record["grid"]["nodes"]:
            role = next(role for role in record["grid"]["roles"] if role["name"] == "w")
            cpu[record["hosts"][node["host"]]] += role["cpu"]
    assert max(vnis.values(), default=1) == 1, vnis
    assert max(cpu.values(), default=0) <= CPU, cpu
    for host in home.json("site", "show", site)["hosts"]:
        assert host["promised"]["cpu"] <= host["capacity"]["cpu"], host


@claim
def a_site_is_known_by_its_name_once_it_was_used(home):
    file = lab(home)
    home.run("plan", grid(home, "one"), "--site", file, code=3)
    home.run("plan", grid(home, "one"), "--site", "lab", code=2).says("there is no site 'lab'")
    home.run("up", grid(home, "one"), "--site", file)
    home.run("plan", grid(home, "one"), "--site", "lab").shows("nothing to do")
    home.run("plan", grid(home, "one"), "--site", "lob", code=2).says("did you mean 'lab'?")
    home.run("site", "list").shows("lab", "sandbox")
    home.run("site", "show", "lab").shows("h1", "2 of 6", "one")
    home.run("list").shows("one@lab")
    file.unlink()
    home.run("status", "one")
    home.run("down", "one")
    assert ledger(home) == {} and home.json("site", "list")["sites"][1]["name"] == "lab"


@claim
def a_grid_of_a_name_on_two_sites_is_asked_for_by_both(home):
    home.run("up", grid(home, "one"), "--site", lab(home))
    home.run("up", grid(home, "one"), "--site", lab(home, "cellar"))
    home.run("status", "one", code=2).says("'one' could be any of 'one@cellar', 'one@lab'")
    home.run("status", "one@cellar").shows("one on cellar")
    home.run("down", "one@lab")
    home.run("status", "one").shows("one on cellar")


@claim
def hosts_are_known_by_name_when_the_file_is_reordered(home):
    file = lab(home)
    home.run("up", grid(home, "one", count=12), "--site", file)
    before = {node["name"]: node["host"] for node in home.json("status", "one")["nodes"]}
    value = json.loads(file.read_text())
    value["hosts"].reverse()
    value["hosts"].insert(0, {"name": "h0", "libvirt": "fake:"})
    file.write_text(json.dumps(value))
    home.run("plan", grid(home, "one", count=12), "--site", file).shows("nothing to do")
    home.run("up", grid(home, "one", count=13), "--site", file)
    after = {node["name"]: node["host"] for node in home.json("status", "one")["nodes"]}
    assert before.items() <= after.items(), (before, after)


@claim
def a_host_that_grids_are_on_cannot_leave_the_file(home):
    file = lab(home)
    home.run("up", grid(home, "one", count=2), "--site", file)
    there = home.json("status", "one")["nodes"][0]["host"]
    value = json.loads(file.read_text())
    value["hosts"] = [host for host in value["hosts"] if host["name"] != there]
    file.write_text(json.dumps(value))
    home.run("up", grid(home, "one"), "--site", file, code=1).says(f"is on host '{there}'", "'one'")
    home.run("up", grid(home, "two"), "--site", file, code=1).says(
        f"grid 'one@lab' has nodes on host '{there}'")
    home.run("up", grid(home, "two"), "--site", "lab")


@claim
def a_site_that_cannot_be_used_yet_is_checked_in_full_and_refused(home):
    good = SOURCE / "tests/golden-sites/good/lab/site.yaml"
    home.run("check", good).shows("ok")
    for verb in ("plan", "up"):
        home.run(verb, grid(home, "one"), "--site", good, code=1).says(
            f"{good}:5:", "site 'lab': hosts reached by libvirt cannot be used yet")
    home.run("site", "show", good).shows("qemu+tls://h1/system")
    bad = SOURCE / "tests/golden-sites/bad/many-faults/site.yaml"
    home.run("up", grid(home, "one"), "--site", bad, code=2).says(
        f"{bad}:4:57: error: '64GB' has an unknown unit", "did you mean '64GiB'?")
    assert not home.path.exists() or not (home.path / "sites").exists()


@claim
def vnis_come_from_the_range_of_the_site(home):
    file = lab(home, vni="500-502")
    home.run("up", grid(home, "one"), "--site", file)
    assert sorted(home.json("status", "one")["networks"][i]["vni"] for i in (0, 1)) == [500, 501]
    home.run("up", grid(home, "two"), "--site", "lab", code=1).says(
        "all VNIs of site 'lab', 500 to 502, are taken", "two.yaml:")
    home.run("down", "one")
    home.run("up", grid(home, "two"), "--site", "lab")


@claim
def many_operators_at_once_overfill_no_host_and_take_no_vni_twice(home):
    home.run("up", grid(home, "first", count=1), "--site", lab(home))
    # Twenty grids of two nodes for the 23 vCPUs that are left: some must be refused.
    files = {f"g{i}": grid(home, f"g{i}", count=2) for i in range(20)}
    running = {name: home.start("up", file, "--site", "lab") for name, file in files.items()}
    results = {name: home.end(process) for name, process in running.items()}
    made = [name for name, result in results.items() if result.code == 0]
    for name, result in results.items():
        if result.code:
            result.must(1).says(f"{name}.yaml:", "placing 'w-")
    assert len(made) == 11, [str(result) for result in results.values()]
    must_be_sound(home)
    running = [home.start("down", name) for name in made]
    for process in running:
        home.end(process).must(0)
    assert list(ledger(home)) == ["first@lab"], ledger(home)


@claim
def who_loses_a_host_to_another_plans_again(home):
    home.run("up", grid(home, "first", count=1), "--site", lab(home))
    # Both plan onto the same host; the first is held between its plan and its promise by a slow look.
    slow = home.start("up", grid(home, "slow", cpu=5, count=1), "--site", "lab",
                      rules="delay:net.observe:700")
    home.run("up", grid(home, "quick", cpu=5, count=1), "--site", "lab")
    home.end(slow).must(0)
    must_be_sound(home)
    assert home.json("status", "slow")["nodes"][0]["host"] != \
        home.json("status", "quick")["nodes"][0]["host"]


@claim
def a_promise_that_a_killed_command_left_is_taken_back_by_the_next(home):
    home.run("up", grid(home, "first", count=1), "--site", lab(home))
    path = home.path / "sites" / "lab" / "ledger.json"
    whole = json.loads(path.read_text())
    whole["grids"]["ghost@lab"] = {"uuid": "33333333-3333-4333-8333-333333333333", "vnis": [100, 105],
                                   "hosts": {f"h{i}": {"cpu": CPU * 1000, "memory": 0, "disk": 0}
                                             for i in range(1, HOSTS + 1)}}
    path.write_text(json.dumps(whole))
    home.run("site", "show", "lab").shows("1 of 6")
    home.run("up", grid(home, "two", count=20), "--site", "lab")
    assert sorted(ledger(home)) == ["first@lab", "two@lab"]
    must_be_sound(home)


@claim
def what_a_lost_grid_of_a_site_file_owned_and_was_promised_goes_by_gc(home):
    home.run("up", grid(home, "one"), "--site", lab(home))
    (home.path / "grids" / "one@lab" / "record.json").unlink()
    assert "one@lab" in ledger(home)
    kinds = {(item["kind"], item["name"]) for item in home.json("gc")["items"]}
    assert ("machine", "one.w-0") in kinds and ("network", "a, b") in kinds, kinds
    home.run("gc", "-y")
    assert ledger(home) == {} and home.json("gc")["items"] == []


@claim
def a_ledger_that_is_lost_is_made_again_from_the_records(home):
    home.run("up", grid(home, "first", count=20), "--site", lab(home))
    before = ledger(home)
    (home.path / "sites" / "lab" / "ledger.json").unlink()
    home.run("up", grid(home, "two", count=5), "--site", "lab", code=1).says("cpu: needs 1")
    home.run("up", grid(home, "two", count=4), "--site", "lab")
    assert ledger(home)["first@lab"] == before["first@lab"]
    must_be_sound(home)


@claim
def a_killed_up_keeps_its_promise_until_it_is_taken_on_or_away(home):
    file = lab(home)
    process = home.start("up", grid(home, "one", count=4), "--site", file,
                         rules="delay:compute.start:20000")
    home.until(process, lambda: "one@lab" in records(home))
    process.send_signal(signal.SIGKILL)
    process.wait()
    home.run("up", grid(home, "two", count=21), "--site", "lab", code=1).says("cpu: needs 1")
    home.run("up", grid(home, "one", count=4), "--site", "lab")
    must_be_sound(home)
    home.run("down", "one")
    home.run("up", grid(home, "two", count=21), "--site", "lab")


@claim
def a_ledger_that_is_too_new_or_broken_is_refused_by_name(home):
    home.run("up", grid(home, "one"), "--site", lab(home))
    path = home.path / "sites" / "lab" / "ledger.json"
    for text, says in (('{"vgrid-ledger": 9}', "it has version 9"), ("{", "ledger of site 'lab'")):
        path.write_text(text)
        home.run("up", grid(home, "two"), "--site", "lab", code=1).says("reading the ledger", says)


if __name__ == "__main__":
    main()
