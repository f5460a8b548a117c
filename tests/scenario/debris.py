#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""With its record gone, what is left of a grid is found and removed by its tags, and nothing else."""

import shutil

from vgrid import Home, claim, main, must_equal, template


def lose_record(home, name="lab"):
    home.record_path(name).unlink()


def found(home, *options, code=0):
    """What gc lists: {(kind, name): (is_foreign, done)}."""
    items = home.json("gc", *options, code=code)["items"]
    return {(item["kind"], item["name"]): (item["is_foreign"], item["done"]) for item in items}


def must_be_empty(home):
    """But for what every gc needs: it looks for boxes too."""
    for name in ("cache", "run"):
        shutil.rmtree(home.path / name)
    home.must_be_empty()


OURS = {("machine", "lab.head"), ("machine", "lab.worker-0"), ("machine", "lab.worker-1"),
        ("network", "lan"), ("folder", "lab@fake")} | {
            ("disk", f"{node}/{disk}") for node in ("head", "worker-0", "worker-1")
            for disk in ("seed", "disk/root")} | {("disk", "head/disk/data")}


@claim
def all_of_a_lost_grid_is_listed_and_removed(home):
    home.run("up", home.file(template()))
    assert found(home) == {}
    home.run("gc").shows("Nothing is left over.")
    lose_record(home)
    listed = found(home)
    assert set(listed) == OURS, listed
    assert set(listed.values()) == {(False, None)}
    assert len(home.machines()) == 3 and len(home.volumes()) == 7, "listing removes nothing"
    done = found(home, "-y")
    assert done.pop(("disk", "head/disk/data")) == (False, "kept"), done
    assert set(done.values()) == {(False, "removed")}, done
    assert set(home.volumes()) == {"node/head/disk/data"} and not home.machines()
    assert set(found(home)) == {("disk", "head/disk/data")}
    home.run("gc").shows("'vgrid gc -y --delete-disks' removes this, data disks too.")
    assert found(home, "-y", "--delete-disks") == {("disk", "head/disk/data"): (False, "removed")}
    assert found(home) == {}
    must_be_empty(home)


@claim
def also_with_the_whole_folder_of_the_grid_gone(home):
    home.run("up", home.file(template()))
    shutil.rmtree(home.record_path("lab").parent)
    assert set(found(home)) == (OURS - {("folder", "lab@fake")}) | {("file", "locks/lab@fake")}
    found(home, "-y", "--delete-disks")
    assert found(home) == {}
    must_be_empty(home)


@claim
def a_grid_with_a_record_is_left_alone(home):
    file = home.file(template())
    home.run("up", file, "--name", "other")
    before = home.picture()
    home.run("up", file)
    lose_record(home)
    found(home, "-y", "--delete-disks")
    must_equal(before, home.picture())
    home.run("up", file, "--name", "other").says("nothing to do")


@claim
def what_is_not_vgrids_stays(home):
    home.run("up", home.file(template()))
    compute = home.world("compute")
    compute["hosts"]["host-0"]["machines"]["1234"] = {"name": "mine", "state": "running", "tag": "x"}
    home.set_world("compute", **compute)
    net = home.world("net")
    net["hosts"]["host-0"]["my-bridge"] = {"store": "mine"}
    home.set_world("net", **net)
    storage = home.world("storage")
    tag = "vgrid:99999999-9999-4999-8999-999999999999:99999999-9999-4999-8999-999999999998/node/a/seed"
    storage["volumes"]["host-0"][tag] = {"kind": "seed", "size": 1, "version": "1"}
    home.set_world("storage", **storage)
    (home.path / "notes").write_text("mine")
    (home.record_path("lab").parent / "notes").write_text("mine")
    assert found(home) == {}
    lose_record(home)
    done = found(home, "-y", "--delete-disks")
    foreign = {key: value for key, value in done.items() if value[0]}
    assert foreign == {key: (True, "kept") for key in (
        ("machine", "mine"), ("link", "my-bridge"), ("file", "notes"),
        ("file", "grids/lab@fake/notes"))}, foreign
    assert done[("folder", "lab@fake")] == (False, "kept")
    assert set(home.machines()) == {"mine"}
    assert set(home.world("net")["hosts"]["host-0"]) == {"my-bridge"}
    assert tag in home.world("storage")["volumes"]["host-0"]
    assert (home.path / "notes").exists()
    assert [path.name for path in (home.path / "grids" / "lab@fake").iterdir()] == ["notes"]


@claim
def another_stores_things_are_found_by_its_uuid_alone(home):
    home.run("up", home.file(template(0)))
    store = (home.path / "store").read_text().strip()
    lose_record(home)
    home.record_path("lab").with_name("secret").unlink()
    (home.path / "store").unlink()
    assert found(home, "-y")[("machine", "lab.head")] == (True, "kept")
    assert found(home, "--store", store)[("machine", "lab.head")] == (False, None)
    found(home, "-y", "--delete-disks", "--store", store)
    assert not home.machines() and not home.volumes()


@claim
def a_record_that_cannot_be_read_makes_gc_careful(home):
    file = home.file(template(0))
    home.run("up", file)
    home.run("up", file, "--name", "other")
    home.record_path("lab").write_text("{")
    lose_record(home, "other")
    before = [home.machines(), home.volumes(), home.world("net")]
    home.run("gc", "-y", "--delete-disks").says("A record cannot be read")
    assert before == [home.machines(), home.volumes(), home.world("net")]


@claim
def a_live_grid_of_another_home_is_none_of_its_business(home):
    file = home.file(template(0))
    home.run("up", file)
    with Home() as other:
        other.run("up", other.file(template(0)))
        lose_record(home)
        found(home, "-y", "--delete-disks")
        assert set(other.machines()) == {"lab.head"}
        assert found(other) == {}


if __name__ == "__main__":
    main()
