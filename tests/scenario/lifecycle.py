#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From the first up to the last down, undisturbed."""

import os
import json

from vgrid import CHANGING, Home, claim, main, template

try:
    import jsonschema
except ImportError:
    jsonschema = None


@claim
def up_makes_all_and_down_leaves_nothing(home):
    file = home.file(template())
    result = home.run("up", file)
    result.shows("head", "worker-1", "ready", "10.9.0.2")
    machines = home.machines()
    assert sorted(machines) == ["lab.head", "lab.worker-0", "lab.worker-1"], machines.keys()
    assert all(machine["state"] == "running" for machine in machines.values())
    assert home.record("lab")["phase"] == "up"
    assert "node/head/disk/data" in home.volumes()
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()


@claim
def a_second_up_finds_nothing_to_do_and_calls_no_driver_to_change(home):
    file = home.file(template())
    home.run("plan", file, code=3).shows("+ head", "+ worker-1")
    assert home.changes("up", file)
    boots, record = home.boots(), home.record_path("lab").read_bytes()
    home.run("plan", file).shows("nothing to do")
    assert home.changes("up", file) == []
    assert home.boots() == boots
    assert home.record_path("lab").read_bytes() == record, "the record was written again"


@claim
def a_plan_changes_nothing_at_all(home):
    file = home.file(template())
    _, calls = home.traced("plan", file, code=3)
    assert not CHANGING & {call.operation for call in calls}, calls
    assert not (home.path / "grids").exists() and not (home.path / "locks").exists()


@claim
def one_worker_more_is_started_alone_and_one_less_removed_alone(home):
    file = home.file(template())
    home.run("up", file)
    before = home.boots()
    started = home.changes("up", file, "--set", "workers=3")
    assert [call for call in started if call.operation == "compute.start"][0], started
    assert sum(call.operation == "compute.start" for call in started) == 1, started
    assert not any(call.operation in ("compute.stop", "compute.remove") for call in started)
    after = home.boots()
    assert {name: after[name] for name in before} == before and len(after) == 4
    result = home.run("up", file, code=2).says("nobody can be asked", "-y", "worker-2")
    assert home.boots() == after and result.out == ""
    removed = home.changes("up", file, "-y")
    assert [call.operation for call in removed if call.operation.startswith("compute.")] == \
        ["compute.remove"], removed
    assert home.boots() == before
    assert not any("worker-2" in path for path in home.volumes())


@claim
def those_who_stay_hear_of_who_comes_and_goes(home):
    file = home.file(template())
    home.run("up", file)
    home.run("up", file, "--set", "workers=3").says("refresh")
    hosts = home.machines()["lab.head"]["files"]["/etc/hosts"]["content"]
    assert "worker-2" in hosts, hosts
    home.run("up", file, "-y")
    hosts = home.machines()["lab.head"]["files"]["/etc/hosts"]["content"]
    assert "worker-1" in hosts and "worker-2" not in hosts, hosts


@claim
def the_record_says_creating_before_the_first_resource_is_made(home):
    file = home.file(template())
    home.run("up", file, rules="kill:storage.create:1,kill:net.converge:1", code=-9)
    assert home.record("lab")["phase"] == "creating"
    assert not home.volumes() and not home.machines()
    home.run("list").shows("creating")


@claim
def down_that_keeps_disks_stops_cleanly_and_the_next_up_has_the_same_disks(home):
    file = home.file(template())
    home.run("up", file)
    volumes = home.volumes()
    home.run("down", "lab", "--keep-disks").says("its disks are kept")
    assert home.record("lab")["phase"] == "down"
    assert not home.machines()
    assert home.volumes() == volumes
    _, calls = home.traced("up", file)
    assert not any(call.operation == "storage.create" for call in calls), calls
    assert home.volumes() == volumes
    assert home.record("lab")["phase"] == "up"


@claim
def down_of_data_needs_a_word_and_yes_is_not_it(home):
    home.run("up", home.file(template()))
    for words in ((), ("-y",)):
        home.run("down", "lab", *words, code=2).says("1 data disk", "--delete-disks", "--keep-disks")
    home.run("down", "lab", "--keep-disks", "--delete-disks", code=2).says("exclude each other")
    assert len(home.machines()) == 3


@claim
def down_of_a_grid_without_data_needs_no_word(home):
    home.run("up", home.file(template(head={"disks": None})))
    home.run("down", "lab")
    home.must_be_empty()


@claim
def down_of_no_grid_fails_and_names_one_that_is_near(home):
    home.run("up", home.file(template()))
    home.run("down", "lap", code=1).says("there is no grid 'lap'", "did you mean 'lab'?")


@claim
def each_name_is_a_grid_of_its_own_with_networks_of_its_own(home):
    file = home.file(template())
    home.run("up", file)
    home.run("up", file, "--name", "two")
    assert len(home.machines()) == 6
    assert home.record("lab")["vnis"] != home.record("two")["vnis"]
    home.run("down", "lab", "--delete-disks")
    assert sorted(home.machines()) == ["two.head", "two.worker-0", "two.worker-1"]
    home.run("up", file, "--name", "two").says("nothing to do")
    home.run("down", "two", "--delete-disks")
    home.must_be_empty()


@claim
def results_are_as_their_schemas_say(home):
    if not jsonschema:
        assert not os.environ.get("CI"), "the full run skips nothing: python3-jsonschema is missing"
        print("skipped: python3-jsonschema is missing")
        return
    file = home.file(template(worker={"cpu-limit": 0.5}))
    home.set_world("compute", knobs={"worker-1": {"exec": {"true": {"out": "x", "status": 0}}}})

    def must_be_valid(schema, *arguments, code=0):
        value = home.json(*arguments, code=code)
        described = json.loads(home.run("schema", "--output", schema).out)
        jsonschema.Draft202012Validator.check_schema(described)
        jsonschema.Draft202012Validator(described).validate(value)
        return value

    must_be_valid("list", "list")
    assert must_be_valid("check", "check", file)
    plan = must_be_valid("plan", "plan", file, code=3)
    assert plan["not_enforced"] and plan["changes"] and plan["steps"]
    up = must_be_valid("up", "up", file)
    assert up["steps"] == len(plan["steps"]) and up["outputs"]["head"].startswith("10.9.")
    assert "timings" in must_be_valid("up", "up", file, "--timings") and "timings" not in up
    plan = must_be_valid("plan", "plan", file)
    assert not plan["changes"] and not plan["steps"]
    grids = must_be_valid("list", "list")["grids"]
    assert [grid["name"] for grid in grids] == ["lab"] and grids[0]["phase"] == "up"
    status = must_be_valid("status", "status", "lab")
    assert [node["name"] for node in status["nodes"]] == ["head", "worker-0", "worker-1"]
    assert all(node["is_ready"] for node in status["nodes"])
    assert status["networks"][0]["vni"] == home.record("lab")["vnis"][0]
    must_be_valid("status", "status", "lab", "--check")
    home.record_path("lab").write_text("{")
    assert must_be_valid("list", "list")["grids"][0]["problem"]


@claim
def a_site_of_another_size_is_not_the_grids(home):
    file = home.file(template())
    home.run("up", file)
    result = home.run("up", file, "--site", "fake:2", code=2)
    result.says("grid 'lab' is on site 'fake:3', not 'fake:2'")
    home.run("up", file, "--site", "fake").says("nothing to do")


if __name__ == "__main__":
    main()
