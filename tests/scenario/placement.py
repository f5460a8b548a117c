#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Placement through the whole program, on fake hosts that are unlike."""

import collections

from vgrid import claim, main


def site(*hosts, name="paper", **more):
    """A site file of fake hosts, each (name, fields)."""
    return {"vgrid-site": 1, "name": name,
            "hosts": [{"name": host, "libvirt": "fake:", **fields} for host, fields in hosts], **more}


def grid(name="shop", **roles):
    whole = {"vgrid": 1, "name": name, "images": {"base": {"builtin": "tiny"}},
             "networks": {"lan": {"cidr": "10.9.0.0/16"}}, "roles": {}}
    for role, fields in roles.items():
        whole["roles"][role] = {"image": "base", "nics": ["lan"], "memory": "1GiB", **fields}
    return whole


THREE = (("h1", {"cpu": 8, "memory": "16GiB", "disk": "100GiB", "labels": {"rack": "r1"}}),
         ("h2", {"cpu": 4, "memory": "8GiB", "disk": "50GiB", "labels": {"rack": "r1"}}),
         ("h3", {"cpu": 4, "memory": "8GiB", "disk": "50GiB", "labels": {"rack": "r2"}}))


def up(home, template, on=None, **options):
    return home.run("up", home.file(template), "--site", on or "paper", "-y", **options)


def hosts(home, name="shop"):
    """The nodes of a grid by host."""
    found = collections.defaultdict(list)
    for node in home.json("status", name)["nodes"]:
        found[node["host"]].append(node["name"])
    return {host: sorted(nodes) for host, nodes in sorted(found.items())}


@claim
def nodes_go_where_there_is_room_and_the_plan_says_why(home):
    file = home.file(site(*THREE), "paper.yaml")
    template = home.file(grid(web={"count": 4, "place": {"spread": "rack"}},
                              db={"cpu": 4, "memory": "8GiB", "place": {"apart": "web"}}))
    home.run("plan", template, "--site", file, code=3).shows(
        "(spread: fewest of 'web' in rack r2)", "create on h1", "(packed on few hosts, apart from 'web')")
    plan = home.json("plan", template, "--site", file, code=3)
    reasons = {change["subject"]: change["why"] for change in plan["changes"]}
    assert reasons["web-1"] == "spread: fewest of 'web' in rack r2", reasons
    home.run("up", template, "--site", file)
    assert hosts(home) == {"h1": ["db"], "h2": ["web-0", "web-2"], "h3": ["web-1", "web-3"]}
    home.run("plan", template, "--site", "paper").shows("nothing to do")


@claim
def what_fits_nowhere_is_told_with_the_nearest_miss(home):
    file = home.file(site(*THREE), "paper.yaml")
    template = home.file(grid(db={"cpu": 2, "memory": "24GiB"}))
    for verb in ("plan", "up"):
        home.run(verb, template, "--site", file, code=1).says(
            f"{template}:", "placing 'db': no host holds it",
            "h1: memory: needs 24GiB and 96MiB for the emulator, h1 has 16GiB", "h3 has 8GiB")
    template = home.file(grid(db={"cpu": 6, "count": 2, "place": {"spread": "rack"}}))
    home.run("up", template, "--site", file, code=1).says(
        "placing 'db-1'", "rack r1 (2 hosts): cpu: needs 6, h2 has 4",
        "rack r2 (1 host): cpu: needs 6, h3 has 4")
    assert not (home.path / "sites" / "paper" / "ledger.json").exists()


@claim
def what_others_were_promised_is_not_there_for_the_next(home):
    file = home.file(site(*THREE), "paper.yaml")
    up(home, grid("one", web={"count": 2, "cpu": 4}), file)
    assert hosts(home, "one") == {"h1": ["web-0", "web-1"]}
    up(home, grid("two", web={"count": 2, "cpu": 3}))
    assert hosts(home, "two") == {"h2": ["web-0"], "h3": ["web-1"]}
    third = home.run("up", home.file(grid("three", web={"cpu": 2})), "--site", "paper", code=1)
    third.says("placing 'web'", "cpu: needs 2, h2 has 1")
    shown = {host["name"]: host for host in home.json("site", "show", "paper")["hosts"]}
    assert shown["h1"]["promised"]["cpu"] == shown["h1"]["capacity"]["cpu"] == 8000, shown
    home.run("down", "one")
    up(home, grid("three", web={"cpu": 2}))
    assert hosts(home, "three") == {"h1": ["web"]}


@claim
def a_grown_grid_moves_nobody_and_a_shrunk_one_gives_back(home):
    file = home.file(site(*THREE), "paper.yaml")
    up(home, grid(web={"count": 3, "place": {"spread": "host"}}), file)
    before = home.json("status", "shop")["nodes"]
    up(home, grid(web={"count": 9, "place": {"spread": "host"}}))
    after = {node["name"]: node["host"] for node in home.json("status", "shop")["nodes"]}
    assert all(after[node["name"]] == node["host"] for node in before), (before, after)
    assert collections.Counter(after.values()) == {"h1": 3, "h2": 3, "h3": 3}
    up(home, grid(web={"count": 1, "place": {"spread": "host"}}))
    shown = home.json("site", "show", "paper")["hosts"]
    assert sum(host["promised"]["cpu"] for host in shown) == 1000, shown


@claim
def a_node_that_outgrows_its_host_is_refused_where_it_is(home):
    file = home.file(site(*THREE), "paper.yaml")
    up(home, grid(db={"memory": "6GiB"}), file)
    there = next(iter(hosts(home)))
    changed = home.file(grid(db={"memory": "60GiB"}))
    home.run("up", changed, "--site", "paper", "-y", code=1).says(
        f"'db' stays on '{there}' and needs")
    home.run("plan", home.file(grid(db={"memory": "6GiB"})), "--site", "paper").shows("nothing to do")


@claim
def overcommit_makes_room(home):
    template = grid(web={"count": 4, "cpu": 4, "place": {"spread": "host"}})
    file = home.file(site(("h1", {"cpu": 4})), "paper.yaml")
    home.run("up", home.file(template), "--site", file, code=1).says("cpu: needs 4, h1 has 0")
    file = home.file(site(("h1", {"cpu": 4}), overcommit={"cpu": 4.0}), "paper.yaml")
    up(home, template, file)
    assert hosts(home) == {"h1": ["web-0", "web-1", "web-2", "web-3"]}


@claim
def a_network_that_the_underlay_cannot_carry_is_refused_at_its_line(home):
    file = home.file(site(*THREE, network={"underlay-mtu": 1490}), "paper.yaml")
    home.run("plan", home.file(grid(web={})), "--site", file, code=1).says(
        "network 'lan' has an MTU of 1450, and the underlay of site 'paper' carries 1440")


if __name__ == "__main__":
    main()
