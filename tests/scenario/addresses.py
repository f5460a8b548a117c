#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Addresses and VNIs are allocations: given once, kept, never computed again."""

import json

from vgrid import claim, main, template


def addresses(home, name="lab"):
    """Of each node, by network."""
    return {node["name"]: node["addresses"] for node in home.json("status", name)["nodes"]}


def vnis(home, name="lab"):
    return {network["name"]: network["vni"] for network in home.json("status", name)["networks"]}


@claim
def the_lowest_free_ones_are_given_in_order_and_the_first_is_kept(home):
    home.run("up", home.file(template()))
    assert addresses(home) == {"head": {"lan": "10.9.0.2"}, "worker-0": {"lan": "10.9.0.3"},
                               "worker-1": {"lan": "10.9.0.4"}}, addresses(home)


@claim
def pins_are_honoured_and_nobody_else_gets_them(home):
    home.run("up", home.file(template(3, head={"nics": {"lan": {"address": "10.9.0.3"}}})))
    assert addresses(home) == {
        "head": {"lan": "10.9.0.3"}, "worker-0": {"lan": "10.9.0.2"},
        "worker-1": {"lan": "10.9.0.4"}, "worker-2": {"lan": "10.9.0.5"}}, addresses(home)


@claim
def growing_and_shrinking_renumbers_nobody(home):
    file = home.file(template(3))
    home.run("up", file)
    before = addresses(home)
    home.run("up", file, "--set", "workers=1", "-y")
    assert addresses(home) == {name: before[name] for name in ("head", "worker-0")}
    home.run("up", file, "--set", "workers=6")
    after = addresses(home)
    assert {name: after[name] for name in ("head", "worker-0")} == \
        {name: before[name] for name in ("head", "worker-0")}
    given = [nics["lan"] for nics in after.values()]
    assert len(set(given)) == len(given) == 7, given


@claim
def another_order_of_roles_renumbers_nobody_and_touches_nobody(home):
    home.run("up", home.file(template()))
    before, boots = addresses(home), home.boots()
    whole = template()
    whole["roles"] = dict(reversed(whole["roles"].items()))
    home.run("up", home.file(whole))
    after = addresses(home)
    assert after == before, after
    assert home.boots() == boots


@claim
def a_new_role_before_all_others_renumbers_nobody(home):
    home.run("up", home.file(template()))
    before, boots = addresses(home), home.boots()
    whole = template()
    first = {"first": {"count": 2, "image": "base", "memory": "128MiB", "nics": ["lan"]}}
    whole["roles"] = {**first, **whole["roles"]}
    home.run("up", home.file(whole))
    after = addresses(home)
    assert before.items() <= after.items(), after
    assert boots.items() <= home.boots().items()


@claim
def one_network_more_renumbers_nobody_and_keeps_vnis(home):
    home.run("up", home.file(template()))
    before, numbers = addresses(home), vnis(home)
    networks = {"a": {"cidr": "10.8.0.0/24"}, "lan": {"cidr": "10.9.0.0/16"},
                "z": {"cidr": "fd00:9::/64"}}
    home.run("up", home.file(template(networks=networks, worker={"nics": ["z", "lan", "a"]})), "-y")
    after = addresses(home)
    assert {name: nics["lan"] for name, nics in after.items()} == \
        {name: nics["lan"] for name, nics in before.items()}, after
    assert after["worker-0"]["z"].startswith("fd00:9::") and after["worker-1"]["a"] == "10.8.0.3"
    assert numbers.items() <= vnis(home).items() and len(set(vnis(home).values())) == 3


@claim
def addresses_outlive_down_that_keeps_disks(home):
    file = home.file(template(3))
    home.run("up", file)
    home.run("up", file, "--set", "workers=2", "-y")
    home.run("up", file)
    before, numbers = addresses(home), vnis(home)
    macs = [json.loads(machine["now"]["applied"])["nics"] for _, machine in
            sorted(home.machines().items())]
    home.run("down", "lab", "--keep-disks")
    home.run("up", file)
    assert addresses(home) == before and vnis(home) == numbers
    assert macs == [json.loads(machine["now"]["applied"])["nics"] for _, machine in
                    sorted(home.machines().items())]


@claim
def vnis_differ_between_grids_and_are_kept(home):
    networks = {"lan": {"cidr": "10.9.0.0/16"}, "wan": {"cidr": "10.10.0.0/16"}}
    file = home.file(template(0, networks=networks))
    for name in ("a", "b", "c"):
        home.run("up", file, "--name", name)
    numbers = [number for name in ("a", "b", "c") for number in vnis(home, name).values()]
    assert len(set(numbers)) == 6, numbers
    home.run("down", "b", "--delete-disks")
    home.run("up", file, "--name", "c").says("nothing to do")
    home.run("up", file, "--name", "d")
    numbers = [number for name in ("a", "c", "d") for number in vnis(home, name).values()]
    assert len(set(numbers)) == 6, numbers


@claim
def a_pin_that_another_node_has_is_given_and_the_other_moves(home):
    home.run("up", home.file(template()))
    file = home.file(template(head={"nics": {"lan": {"address": "10.9.0.4"}}}))
    home.run("up", file, "-y")
    after = addresses(home)
    assert after["head"]["lan"] == "10.9.0.4" and after["worker-0"]["lan"] == "10.9.0.3", after
    assert len({nics["lan"] for nics in after.values()}) == 3
    home.run("plan", file)


@claim
def a_network_that_is_full_is_refused_with_its_place(home):
    text = """vgrid: 1
name: lab
images: {base: {builtin: tiny}}
networks:
  lan: {cidr: 10.9.0.0/29}
parameters: {n: {type: integer, default: 5}}
roles:
  worker: {count: "${n}", image: base, memory: 128MiB, nics: [lan]}
"""
    file = home.file(text, "lab.yaml")
    home.run("up", file)
    before = home.picture()
    result = home.run("up", file, "--set", "n=6", code=None)
    assert result.code in (1, 2), str(result)
    result.says("lab.yaml:", "'lan'")
    assert home.picture() == before


if __name__ == "__main__":
    main()
