#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A home of an older vgrid, kept in tests/fixtures/record-1, is read as it is and left running; what
is newer is refused."""

import json
import os
import shutil

from vgrid import SOURCE, claim, main, must_equal, template

FIXTURE = SOURCE / "tests" / "fixtures" / "record-1"


def old_home(home):
    """Three grids of generator 1 in records of version 1: up, down with its disks, and cut off."""
    shutil.copytree(FIXTURE / "fake", home.path)
    for path in home.path.rglob("*"):
        os.chmod(path, 0o700 if path.is_dir() else 0o600)
    file = home.file((FIXTURE / "lab.yaml").read_text(), "lab.yaml")
    for path in home.path.glob("grids/*/record.json"):
        path.write_text(path.read_text().replace("/srv/lab.yaml", str(file)))
    assert home.record("lab")["vgrid-record"] == 1
    return file.name


def content(home):
    """What a command that only looks leaves as it is, line by line."""
    paths = [home.path / "fake-net.json", home.path / "fake-storage.json",
             *sorted(home.path.glob("grids/*/record.json"))]
    return [line for path in paths for line in path.read_text().splitlines()]


@claim
def a_running_grid_of_an_older_generator_is_left_running_and_its_record_as_it_is(home):
    file = old_home(home)
    before = content(home)
    home.run("plan", file).shows("nothing to do")
    home.run("status", "lab", "--check").shows("As recorded.")
    home.run("exec", "lab", "head", "--", "true")
    assert len(home.json("list")["grids"]) == 3
    assert home.run("gc").out == "Nothing is left over.\n"
    changes = home.changes("up", file)
    assert not changes, changes
    must_equal(before, content(home))


@claim
def a_verb_that_changes_writes_the_record_in_todays_form(home):
    file = old_home(home)
    boots = home.boots()
    home.run("up", file, "--set", "workers=3", "-y")
    record = home.record("lab")
    assert record["vgrid-record"] == 2, record["vgrid-record"]
    assert record["made"] == ["head/data", "worker-0/scratch", "worker-1/scratch",
                              "worker-2/scratch"]
    after = home.boots()
    assert {name: after[name] for name in boots} == boots, "a machine was started anew"
    assert sorted(set(after) - set(boots)) == ["lab.worker-2"]
    generators = {name: json.loads(machine["now"]["applied"])["generator"]
                  for name, machine in home.machines().items() if name.startswith("lab.")}
    assert generators == {"lab.head": 1, "lab.worker-0": 1, "lab.worker-1": 1, "lab.worker-2": 3}
    home.run("up", file, "--set", "workers=3").says("nothing to do")


@claim
def what_starts_anyway_starts_in_todays_form(home):
    file = old_home(home)
    world = home.world("compute")
    for host in world["hosts"].values():
        for machine in host["machines"].values():
            if machine["name"] == "lab.head":
                machine.update(state="stopped", reason="the guest powered itself off")
                del machine["now"]
    home.set_world("compute", **world)
    home.run("up", file)
    assert json.loads(home.machines()["lab.head"]["now"]["applied"])["generator"] == 3
    home.run("status", "lab", "--check")


@claim
def a_grid_that_was_down_or_cut_off_goes_on(home):
    file = old_home(home)
    for name in ("kept", "cut"):
        home.run("up", file, "--name", name)
        home.run("status", name, "--check")
        assert home.record(name)["vgrid-record"] == 2
    for name in ("kept", "cut", "lab"):
        home.run("down", name, "--delete-disks")
    home.path.joinpath("cache").exists() and shutil.rmtree(home.path / "cache")
    home.must_be_empty()


@claim
def the_disks_of_a_complete_grid_of_then_count_as_made(home):
    file = old_home(home)
    world = home.world("storage")
    for volumes in world["volumes"].values():
        for tag in [tag for tag in volumes if tag.endswith("/disk/data")]:
            del volumes[tag]
    home.set_world("storage", **world)
    for name in ("lab", "kept"):
        home.run("up", file, "--name", name, code=1).says("the data disk 'data' of 'head' is gone")
    assert home.record("lab")["vgrid-record"] == 1


@claim
def a_record_of_a_newer_vgrid_is_refused_with_the_reason(home):
    file = home.file(template(0))
    home.run("up", file)
    boots = home.boots()
    record = {**home.record("lab"), "vgrid-record": 7, "written-by": "vgrid 9.1", "new": {"a": 1}}
    home.record_path("lab").write_text(json.dumps(record))
    before = content(home)
    for words in (("up", file), ("plan", file), ("status", "lab"), ("exec", "lab", "head", "--", "true"),
                  ("down", "lab", "--delete-disks")):
        home.run(*words, code=1).says("it has version 7", "reads versions up to 2",
                                      "use the newer vgrid that wrote it (vgrid 9.1)")
    home.run("list").says("it has version 7")
    home.run("gc", "-y", "--delete-disks").says("A record cannot be read")
    must_equal(before, content(home))
    assert home.boots() == boots


if __name__ == "__main__":
    main()
