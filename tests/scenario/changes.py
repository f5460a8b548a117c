#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a change of the template does to what runs: nothing, a restart, or a new root disk."""

from vgrid import claim, main, template

WORKERS = ["lab.worker-0", "lab.worker-1"]


def change(home, before, after, *options, base=None):
    """Brings `before` up, then `after`; yields the result of the second and the calls it made, and
    has seen that the plan said beforehand what is done and that nothing is left to do."""
    file = home.file(before)
    home.run("up", file, *(base or ()))
    file = home.file(after)
    home.boots_before, home.volumes_before = home.boots(), home.volumes()
    planned = home.run("plan", file, *options, code=None)
    assert planned.code in (0, 3), str(planned)
    result, calls = home.traced("up", file, *options)
    changing = [call for call in calls if call.operation in
                ("compute.define", "compute.start", "compute.stop", "compute.remove",
                 "net.converge", "storage.create", "storage.resize", "storage.remove")]
    assert bool(changing) == (planned.code == 3), f"{planned}\n{changing}"
    home.run("plan", file, *options)
    return result, changing


def touched(home):
    """The machines that were started, new or again."""
    after = home.boots()
    return sorted(name for name in after if after[name] != home.boots_before.get(name))


def of(calls, operation):
    return [call.who for call in calls if call.operation == operation]


def must_restart(home, after, text, who, before=None):
    result, calls = change(home, before or template(), after, "-y")
    result.says("restart: ", text)
    assert touched(home) == who, touched(home)
    assert len(of(calls, "compute.stop")) == len(who) and not of(calls, "compute.remove"), calls
    kept = {path: volume for path, volume in home.volumes_before.items()
            if not path.endswith("/seed")}
    assert kept.items() <= home.volumes().items(), "a disk was changed"
    assert not [path for path in of(calls, "storage.create") if not path.endswith("/seed")], calls


@claim
def memory_restarts(home):
    must_restart(home, template(worker={"memory": "256MiB"}), "memory 128MiB → 256MiB", WORKERS)
    assert all(home.machines()[name]["now"]["memory"] == 256 << 20 for name in WORKERS)


@claim
def cpu_restarts(home):
    must_restart(home, template(worker={"cpu": 2}), "cpu 1 → 2", WORKERS)


@claim
def cpu_limit_restarts(home):
    must_restart(home, template(worker={"cpu-limit": 0.5}), "cpu-limit", WORKERS)


@claim
def env_restarts(home):
    must_restart(home, template(head={"env": {"MOTD": "other"}}), "env", ["lab.head"])


@claim
def files_restart(home):
    files = {"/etc/motd": {"content": "other\n"}}
    must_restart(home, template(head={"files": files}), "files", ["lab.head"])


@claim
def a_files_mode_restarts(home):
    files = {"/etc/motd": {"content": "${motd}\n", "mode": "0600"}}
    must_restart(home, template(head={"files": files}), "files", ["lab.head"])


@claim
def one_nic_more_restarts(home):
    networks = {"lan": {"cidr": "10.9.0.0/16"}, "wan": {"cidr": "10.10.0.0/16"}}
    must_restart(home, template(networks=networks, head={"nics": ["lan", "wan"]}), "nics",
                 ["lab.head"])


@claim
def another_pin_restarts_its_node(home):
    must_restart(home, template(head={"nics": {"lan": {"address": "10.9.0.77"}}}), "nics",
                 ["lab.head"])


@claim
def another_mount_restarts_and_keeps_the_disk(home):
    disks = {"data": {"size": "1GiB", "mount": "/srv"}}
    must_restart(home, template(head={"disks": disks}), "disks", ["lab.head"])


@claim
def one_disk_more_restarts_and_makes_that_disk_alone(home):
    disks = {"data": {"size": "1GiB", "mount": "/data"}, "more": {"size": "2GiB"}}
    result, calls = change(home, template(), template(head={"disks": disks}), "-y")
    result.says("restart: disks")
    assert touched(home) == ["lab.head"]
    assert sorted(of(calls, "storage.create")) == ["node/head/disk/more", "node/head/seed"], calls


@claim
def growth_of_a_disk_restarts_and_keeps_it(home):
    disks = {"data": {"size": "3GiB", "mount": "/data"}}
    _, calls = change(home, template(), template(head={"disks": disks}), "-y")
    assert touched(home) == ["lab.head"]
    assert of(calls, "storage.resize") == ["node/head/disk/data"] and \
        not of(calls, "storage.remove")
    assert home.volumes()["node/head/disk/data"]["size"] == 3 << 30


@claim
def a_restart_is_not_done_without_being_asked_for(home):
    home.run("up", home.file(template()))
    boots = home.boots()
    file = home.file(template(worker={"memory": "256MiB"}))
    home.run("up", file, code=2).says("-y", "nobody can be asked")
    assert home.boots() == boots
    assert home.record("lab")["grid"]["roles"][1]["memory"] == 128 << 20, "the record was changed"


def must_recreate(home, after, text):
    result, calls = change(home, template(), after, "-y")
    result.says("recreate the root disk", text)
    assert touched(home) == ["lab.head"], touched(home)
    assert of(calls, "storage.remove") == ["node/head/disk/root"], calls
    assert sorted(of(calls, "storage.create")) == ["node/head/disk/root", "node/head/seed"], calls
    data = "node/head/disk/data"
    assert home.volumes()[data] == home.volumes_before[data]


@claim
def another_image_recreates_the_root_disk_and_keeps_the_data_disk(home):
    images = {"base": {"builtin": "tiny"}, "other": {"builtin": "other"}}
    must_recreate(home, template(images=images, head={"image": "other"}), "image")


@claim
def another_setup_recreates_the_root_disk_and_keeps_the_data_disk(home):
    must_recreate(home, template(head={"setup": "echo hello\n"}), "setup")


@claim
def an_image_that_is_called_otherwise_and_is_the_same_touches_nothing(home):
    after = template(images={"root": {"builtin": "tiny"}})
    for role in after["roles"].values():
        role["image"] = "root"
    _, calls = change(home, template(), after)
    assert not calls, calls


def must_touch_nothing(home, before, after):
    _, calls = change(home, before, after)
    assert not calls, calls
    assert not touched(home)


@claim
def tests_outputs_descriptions_and_ready_are_the_records_alone(home):
    after = template(description="A lab", outputs={"all": "${worker.names}"},
                     tests=[{"name": "runs", "on": "head", "run": "true"}],
                     worker={"ready": {"exec": "true"}}, lease="2h")
    must_touch_nothing(home, template(), after)
    home.run("test", "lab").shows("runs")
    assert home.json("status", "lab")["outputs"] == {"all": "worker-0 worker-1"}


@claim
def a_rate_is_applied_without_a_restart(home):
    before = template(head={"nics": {"lan": {}}})
    after = template(head={"nics": {"lan": {"rate": "100Mbit"}}})
    _, calls = change(home, before, after)
    assert not touched(home)
    assert not [call for call in calls if call.operation.startswith("compute.")], calls
    home.run("plan", home.file(after)).shows("not enforced here: rate 100Mbit of role 'head'")


@claim
def the_count_touches_no_one_else(home):
    change(home, template(), template(workers=5))
    assert touched(home) == ["lab.worker-2", "lab.worker-3", "lab.worker-4"]


@claim
def a_new_role_touches_no_one_else(home):
    after = template()
    after["roles"]["spare"] = {"image": "base", "memory": "128MiB", "nics": ["lan"]}
    change(home, template(), after)
    assert touched(home) == ["lab.spare"]


@claim
def after_touches_nothing(home):
    must_touch_nothing(home, template(), template(worker={"after": None}))


@claim
def a_text_that_follows_a_parameter_restarts_those_who_read_it(home):
    home.run("up", home.file(template()))
    home.boots_before = home.boots()
    file = home.file(template())
    home.run("up", file, "-y", "--set", "motd=hello").says("restart: env, files")
    assert touched(home) == ["lab.head"]
    home.run("plan", file, "--set", "motd=hello")
    home.run("plan", file, code=3)


@claim
def a_profile_changes_quanta_and_the_topology_stays(home):
    profiles = {"big": {"parameters": {"workers": 3}, "roles": {"worker": {"memory": "1GiB"}}}}
    file = home.file(template(profiles=profiles))
    home.run("up", file)
    topology = home.json("status", "lab")["topology_hash"]
    home.boots_before = home.boots()
    home.run("up", file, "--profile", "big", "-y").says("memory 128MiB → 1GiB", "+ worker-2")
    assert touched(home) == WORKERS + ["lab.worker-2"]
    assert home.json("status", "lab")["topology_hash"] == topology
    home.run("plan", file, "--profile", "big")
    home.run("plan", file, "-p", "bigger", code=2).says("big")


@claim
def a_disk_that_would_shrink_is_refused_at_its_line(home):
    text = """vgrid: 1
name: lab
images: {base: {builtin: tiny}}
roles:
  head:
    image: base
    memory: 128MiB
    disks:
      data: {size: %s}
"""
    home.run("up", home.file(text % "2GiB", "lab.yaml"))
    before = home.picture()
    file = home.file(text % "1GiB", "lab.yaml")
    for verb in ("plan", "up"):
        result = home.run(verb, file, "-y", code=None)
        assert result.code in (1, 2), str(result)
        result.says("lab.yaml:9:", "'data' of 'head' has 2GiB and cannot shrink to 1GiB",
                    "--replace head/data")
    assert home.picture() == before
    home.run("up", file, "--replace", "head/other", "-y", code=None).says("cannot shrink")
    result, calls = home.traced("up", file, "--replace", "head/data", "-y")
    assert of(calls, "storage.remove") == ["node/head/disk/data"], calls
    assert home.volumes()["node/head/disk/data"]["size"] == 1 << 30
    home.run("plan", file)


@claim
def a_replaced_disk_is_shown_in_the_plan_as_lost(home):
    disks = {"data": {"size": "512MiB", "mount": "/data"}}
    home.run("up", home.file(template()))
    file = home.file(template(head={"disks": disks}))
    result = home.run("plan", file, "--replace", "head/data", code=3)
    assert "data" in result.out and ("lost" in result.out or "anew" in result.out), str(result)


@claim
def a_data_disk_dies_with_its_node_only_by_a_word(home):
    worker = {"disks": {"scratch": {"size": "1GiB"}}}
    home.run("up", home.file(template(worker=worker)))
    file = home.file(template(workers=1, worker=worker))
    before = home.picture()
    for verb in ("plan", "up"):
        result = home.run(verb, file, "-y", code=None)
        assert result.code in (1, 2), str(result)
        result.says("'worker-1' is no longer wanted", "'scratch'", "--delete-disks")
    assert home.picture() == before
    home.run("up", file, "--delete-disks", code=2).says("nobody can be asked")
    home.run("up", file, "--delete-disks", "-y").says("delete its data disk 'scratch'")
    assert not [path for path in home.volumes() if "worker-1" in path]


@claim
def a_data_disk_that_left_the_template_dies_only_by_a_word(home):
    home.run("up", home.file(template()))
    file = home.file(template(head={"disks": None}))
    result = home.run("up", file, "-y", code=None)
    assert result.code in (1, 2), str(result)
    result.says("'data' of 'head' is no longer in the template", "--delete-disks")
    _, calls = home.traced("up", file, "-y", "--delete-disks")
    assert of(calls, "storage.remove") == ["node/head/disk/data"]
    assert home.run("plan", file).code == 0


@claim
def a_broken_data_disk_is_refused_and_may_be_replaced(home):
    file = home.file(template())
    home.run("up", file)
    world = home.world("storage")
    tag = home.volumes()["node/head/disk/data"]["tag"]
    for volumes in world["volumes"].values():
        if tag in volumes:
            volumes[tag]["is_broken"] = True
    home.set_world("storage", **world)
    result = home.run("up", file, "-y", code=None)
    assert result.code in (1, 2), str(result)
    result.says("is gone or cannot be read", "--replace head/data")
    home.run("up", file, "-y", "--replace", "head/data")
    home.run("plan", file)


@claim
def a_network_that_is_renumbered_restarts_its_nodes(home):
    after = template(networks={"lan": {"cidr": "10.20.0.0/16"}})
    result, _ = change(home, template(), after, "-y")
    assert touched(home) == ["lab.head"] + WORKERS
    assert home.json("status", "lab")["nodes"][0]["addresses"]["lan"] == "10.20.0.2"
    result.says("nics")


@claim
def a_change_of_everything_at_once_ends_in_what_is_wanted(home):
    after = template(workers=1)
    after["parameters"]["motd"]["default"] = "other"
    after["networks"]["wan"] = {"cidr": "fd00:9::/64"}
    after["roles"]["worker"].update(memory="512MiB", nics=["lan", "wan"])
    after["roles"]["extra"] = {"count": 2, "image": "base", "memory": "128MiB", "nics": ["wan"]}
    change(home, template(workers=4), after, "-y")
    assert sorted(home.machines()) == ["lab.extra-0", "lab.extra-1", "lab.head", "lab.worker-0"]
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()


if __name__ == "__main__":
    main()
