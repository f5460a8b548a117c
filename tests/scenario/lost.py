#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A host that does not answer: status answers for the others, up plans around it only when it is told to,
never makes a second copy of a node that may still run, and clears the old one away when the host is back."""

import collections
import json

from vgrid import IS_SOAK, NO_LEAKS, Home, claim, each, main, must_equal, numbered, template

LOST = "host-1"
REPLACE = ("--replace-host", LOST)
SURE = (*REPLACE, "--i-am-sure-it-is-off", "-y")
HANGING = {"VGRID_CALL_TIMEOUT": "1s"}


def lose(home, host=LOST):
    home.set_world("net", knobs={host: {"fail": {"open": "no route to host"}}})


def turn_off(home, host=LOST):
    """As its power switch does: nothing runs there, and what is defined and stored stays."""
    world = home.world("compute")
    for machine in world["hosts"][host]["machines"].values():
        machine["state"] = "stopped"
    home.set_world("compute", **world)
    lose(home, host)


def regain(home):
    home.set_world("net", knobs={})


def recorded_on(home, host=LOST):
    record = home.record("lab")
    number = record["hosts"].index(host)
    return [node["name"] for node in record["grid"]["nodes"] if node["host"] == number]


def copies(home, state=None):
    """The hosts on which each node has a machine."""
    found = collections.defaultdict(list)
    for host, content in home.world("compute")["hosts"].items():
        for machine in content["machines"].values():
            if state in (None, machine["state"]):
                found[machine["node"]].append(host)
    return found


def boots(home):
    """What runs on hosts that are not lost."""
    return {machine["node"]: machine["boot_id"]
            for host, content in home.world("compute")["hosts"].items() if host != LOST
            for machine in content["machines"].values() if machine["state"] == "running"}


def must_run_once(home, n_nodes):
    running = copies(home, "running")
    assert len(running) == n_nodes and all(len(hosts) == 1 for hosts in running.values()), running


def plain(workers=3, **more):
    """A grid on all three hosts, without data disks."""
    return template(workers, head={"disks": None}, **more)


def up_and_lose(home, value=None):
    file = home.file(value or plain())
    home.run("up", file)
    assert recorded_on(home), copies(home)
    turn_off(home)
    return file


@claim
def status_answers_for_the_others_and_names_the_host(home):
    up_and_lose(home)
    silent = recorded_on(home)
    for words in (("status", "lab"), ("status", "lab", "--check")):
        result = home.run(*words, code=1).says("no route to host").shows(f"unreachable: {LOST}: ")
        for node in ("head", "worker-0", "worker-1", "worker-2"):
            line = next(line for line in result.out.splitlines() if line.startswith(node + " "))
            assert ("unknown (its host did not answer)" in line) == (node in silent), line
    shown = home.json("status", "lab", code=1)
    assert {host["name"]: host["state"] for host in shown["hosts"]} == {
        "host-0": "running", LOST: "unreachable", "host-2": "running"}
    assert "no route to host" in shown["hosts"][1]["why"] and shown["hosts"][0]["why"] is None
    states = {node["name"]: node["state"] for node in shown["nodes"]}
    assert all((state == "unknown") == (node in silent) for node, state in states.items()), states


@claim
def status_names_a_host_that_hangs_within_seconds(home):
    home.run("up", home.file(plain()))
    home.run("status", "lab", rules=f"hang:net.open@{LOST}", code=1).shows(
        f"unreachable: {LOST}: opening host '{LOST}': no answer from the network of '{LOST}' within 10s")


@claim
def up_and_plan_refuse_and_say_what_is_there_and_what_can_be_done(home):
    file = up_and_lose(home)
    before = home.picture()
    for verb in ("up", "plan"):
        home.run(verb, file, "-y", code=1).says(
            f"'{LOST}': no route to host", f"on '{LOST}': 'worker-1'; if it is lost, '--replace-host {LOST}'")
        home.run(verb, file, "-y", *REPLACE, code=1).says(
            f"host '{LOST}' does not answer, and 'worker-1' may still run there",
            f"switch '{LOST}' off", "'--i-am-sure-it-is-off'")
        must_equal(before, home.picture())
    home.run("up", file, rules=f"hang:net.observe@{LOST}", env=HANGING, code=1).says("no route")
    regain(home)
    home.run("up", file, "-y", rules=f"hang:net.observe@{LOST}", env=HANGING, code=1).says(
        f"no answer from the network of '{LOST}'", f"on '{LOST}': 'worker-1'")


@claim
def nodes_of_a_lost_host_are_made_anew_on_the_others_which_stay(home):
    file = up_and_lose(home)
    kept = boots(home)
    lost = recorded_on(home)
    home.run("up", file, *SURE[:-1], code=2).says("recreate on", "'-y' goes ahead")
    home.run("plan", file, *SURE, code=3).shows(f"its root disk is lost with host {LOST}")
    calls = home.changes("up", file, *SURE)
    assert calls and not any(LOST in call.who for call in calls if call.operation == "net.converge")
    after = boots(home)
    assert kept.items() <= after.items() and len(after) == 4, "others were started again"
    assert not recorded_on(home) and lost
    ledger = json.loads((home.path / "ledger-fake.json").read_text())["grids"]["lab@fake"]
    assert LOST not in ledger["hosts"], ledger
    for host in ("host-0", "host-2"):
        remotes = json.dumps(home.world("net")["hosts"][host])
        assert "192.0.2.2" not in remotes, remotes
    assert home.changes("up", file, *REPLACE) == [], "a second up has something to do"
    home.run("up", file, code=1).says(f"no node of 'lab' is on '{LOST}'", f"'--replace-host {LOST}'")


@claim
def a_host_that_answers_is_not_replaced(home):
    file = home.file(plain())
    home.run("up", file)
    for verb in ("up", "plan"):
        home.run(verb, file, *SURE, code=1).says(f"host '{LOST}' answers: it is not replaced")
    home.run("plan", file)


@claim
def a_host_that_hangs_is_replaced_like_one_that_is_off(home):
    file = home.file(plain())
    home.run("up", file)
    for rules in (f"hang:compute.open@{LOST}", f"hang:net.observe@{LOST}"):
        with home.copy() as other:
            other.run("up", file, *REPLACE, "-y", rules=rules, env=HANGING, code=1).says("may still run")
            other.run("up", file, *SURE, rules=rules, env=HANGING)
            assert not recorded_on(other)


@claim
def wrong_words_are_usage_errors(home):
    file = home.file(plain())
    home.run("up", file, "--replace-host", "host-7", code=2).says(
        "site 'fake' has no host 'host-7'", "did you mean 'host-")
    home.run("up", file, "--i-am-sure-it-is-off", code=2).says("'--replace-host'")
    assert not home.path.exists() or not (home.path / "grids").exists()


@claim
def a_new_grid_is_made_around_a_lost_host(home):
    file = home.file(plain())
    lose(home)
    home.run("up", file, code=1).says(f"no node of 'lab' is on '{LOST}'")
    home.run("up", file, *REPLACE)
    assert not recorded_on(home)
    must_run_once(home, 4)


@claim
def what_fits_nowhere_else_is_told(home):
    hosts = [{"name": f"h{i}", "libvirt": "fake:", "cpu": 2, "memory": "8GiB"} for i in (1, 2)]
    site = home.file({"vgrid-site": 1, "name": "paper", "hosts": hosts}, "paper.yaml")
    file = home.file(template(2, head={"disks": None}, worker={"cpu": 1, "after": None}))
    home.run("up", file, "--site", site)
    home.run("up", file, "--site", "paper", "--replace-host", "h2", "-y", code=1).says(
        "placing 'worker-", "h2: replaced")


@claim
def data_that_is_lost_with_a_host_needs_the_word(home):
    file = home.file(template(3))
    home.run("up", file)
    lost = home.machines()["lab.head"]["host"]
    turn_off(home, lost)
    words = ("--replace-host", lost, "--i-am-sure-it-is-off", "-y")
    home.run("up", file, *words, "--delete-disks", code=1).says(
        f"data is lost with its host: 'head/data' on {lost}", "'--replace head/data'")
    home.run("up", file, *words, "--replace", "head/data").says(
        f"make its data disk 'data' anew, empty: its data is lost with host {lost}")
    regain(home)
    result = home.run("up", file, "-y").says(
        f"its old data disk 'data' stays on {lost}", "remove its old copy")
    found = home.run("status", "lab", "--check", code=3).shows(f"its old data disk 'data' stays on {lost}")
    assert "old copy" not in found.out, f"{result}{found}"
    home.run("plan", file).shows("nothing to do", "'--delete-disks' deletes it")
    home.run("up", file, "-y", "--delete-disks").says(f"delete its old data disk 'data' on {lost}")
    home.run("status", "lab", "--check").shows("As recorded.")
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()


@claim
def down_takes_old_copies_too(home):
    file = up_and_lose(home)
    home.run("up", file, *SURE)
    regain(home)
    assert copies(home)["worker-1"] != [LOST]
    home.run("down", "lab")
    home.must_be_empty()


@claim
def an_old_copy_is_named_and_removed_before_anything_else_and_never_started(home):
    file = up_and_lose(home)
    home.run("up", file, *SURE)
    regain(home)
    home.run("status", "lab", "--check", code=3).shows(f"remove its old copy from {LOST}, where it is stopped")
    home.run("status", "lab").shows("worker-1")
    home.run("up", file, code=2).says("'-y' goes ahead")
    calls = home.changes("up", home.file(plain(4)), "-y")
    kinds = [call.operation for call in calls]
    last = max(i for i, call in enumerate(calls) if call.operation in ("compute.remove", "storage.remove"))
    assert all(kind in ("compute.remove", "storage.remove") for kind in kinds[:last]), kinds
    assert copies(home)["worker-1"] != [LOST] and len(copies(home)["worker-1"]) == 1
    must_run_once(home, 5)
    home.run("status", "lab", "--check").shows("As recorded.")


@claim
def an_old_copy_that_is_lost_again_or_comes_back_twice_is_cleared(home):
    file = up_and_lose(home)
    home.run("up", file, *SURE)
    there = copies(home, "running")["worker-1"][0]
    # The first host is back, uncleared, when the second is lost: nothing of the old copy is used.
    regain(home)
    turn_off(home, there)
    result = home.run("up", file, "--replace-host", there, "--i-am-sure-it-is-off", "-y")
    result.says("remove its old copy", f"lost with host {there}")
    regain(home)
    home.run("up", file, "-y").says(f"remove its old copy from {there}")
    must_run_once(home, 4)
    assert all(len(hosts) == 1 for hosts in copies(home).values())
    home.run("status", "lab", "--check").shows("As recorded.")
    home.run("down", "lab")
    home.must_be_empty()


@claim
def an_old_copy_of_a_node_that_went_and_comes_anew_is_not_taken_for_it(home):
    file = up_and_lose(home)
    home.run("up", file, *SURE)
    home.run("up", home.file(plain(1)), *REPLACE, "-y")
    regain(home)
    assert home.machines()["lab.worker-1"]["host"] == LOST
    home.run("plan", file, code=3).shows(f"remove its old copy from {LOST}")
    calls = home.changes("up", file, "-y")
    assert any(call.operation == "storage.create" and call.who.endswith("node/worker-1/disk/root")
               for call in calls), calls
    must_run_once(home, 4)
    assert home.machines()["lab.worker-1"]["host"] == LOST, "it came elsewhere: the claim shows nothing"
    home.run("status", "lab", "--check").shows("As recorded.")


@claim
def an_old_copy_that_cannot_be_removed_stops_all(home):
    file = up_and_lose(home)
    home.run("up", file, *SURE)
    regain(home)
    before = home.record_path("lab").read_text()
    grown = home.file(plain(4))
    home.run("up", grown, "-y", rules="fault:compute.remove", code=1).says("removing 'worker-1'")
    assert home.record_path("lab").read_text() == before and "worker-3" not in copies(home)
    home.run("up", grown, "-y")
    must_run_once(home, 5)


def points_of(home, *command):
    calls = home.changes(*command)
    points = [(kind, operation, n) for operation, n in numbered(calls) for kind in ("kill", "killed")]
    return points if IS_SOAK else points[::2] + points[-1:]


@claim
def killed_at_any_moment_it_converges_whether_the_host_stays_away_or_is_back(_):
    data = {"disks": {"data": {"size": "1GiB"}}}
    words = [*SURE, *(word for i in range(3) for word in ("--replace", f"worker-{i}/data"))]
    with Home("fake:3") as before:
        file = up_and_lose(before, plain(worker=data))
        with before.copy() as home:
            points = points_of(home, "up", file, *words)
            regain(home)
            home.run("up", file, "-y", "--delete-disks")
            expected = home.picture()

        def come_back(home):
            regain(home)
            home.run("up", file, "-y", "--delete-disks", env=NO_LEAKS)
            must_run_once(home, 4)
            must_equal(expected, home.picture())

        def try_point(kind, operation, n):
            with before.copy() as home:
                home.run("up", file, *words, rules=f"{kind}:{operation}:{n}", code=-9)
                with home.copy() as other:
                    come_back(other)
                home.run("up", file, *words, env=NO_LEAKS)
                must_run_once(home, 4)
                home.run("plan", file, *REPLACE, env=NO_LEAKS)
                come_back(home)
        each(points, try_point)


@claim
def killed_while_it_clears_an_old_copy_away_it_converges(_):
    with Home("fake:3") as before:
        file = up_and_lose(before)
        before.run("up", file, *SURE)
        regain(before)
        with before.copy() as home:
            points = points_of(home, "up", file, "-y")
            expected = home.picture()

        def try_point(kind, operation, n):
            with before.copy() as home:
                home.run("up", file, "-y", rules=f"{kind}:{operation}:{n}", code=-9)
                must_run_once(home, 4)
                assert len(boots(home)) == 4
                home.run("up", file, "-y", env=NO_LEAKS)
                must_equal(expected, home.picture())
        each(points, try_point)


if __name__ == "__main__":
    main()
