#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The order of starts, and what ready means."""

import signal

from vgrid import claim, main, template


def chain(**worker):
    """head, then worker, then tail."""
    whole = template(worker={"ready": {"within": "1s"}, **worker})
    whole["roles"]["tail"] = {"image": "base", "memory": "128MiB", "nics": ["lan"],
                              "after": ["worker"]}
    return whole


def events(home, calls):
    """Starts, and the first answer of each agent's exec, by node: who was started and when it was
    looked at."""
    nodes = {machine["uuid"]: machine["node"] for machine in home.machines().values()}
    return [(call.operation.split(".")[1], nodes.get(call.who, call.who)) for call in calls
            if call.operation in ("compute.start", "compute.agent") and call.result == "ok"]


def crash(home):
    """The guests die. The program may have the world in its hands and write it over: to be
    repeated until it holds."""
    world = home.world("compute")
    for host in world["hosts"].values():
        for machine in host["machines"].values():
            machine.update(state="crashed", reason="the guest panicked or its emulator died")
    home.set_world("compute", **world)


@claim
def a_role_starts_when_those_before_it_are_ready(home):
    _, calls = home.traced("up", home.file(chain()))
    order = events(home, calls)
    starts = [node for event, node in order if event == "start"]
    assert starts[0] == "head" and starts[-1] == "tail" and len(starts) == 4, starts
    for first, then in (("head", "worker-0"), ("head", "worker-1"), ("worker-0", "tail"),
                        ("worker-1", "tail")):
        asked = [i for i, event in enumerate(order) if event == ("agent", first)]
        assert asked and asked[-1] < order.index(("start", then)), (first, then, order)


@claim
def the_order_of_the_template_is_not_the_order_of_starts(home):
    whole = chain()
    whole["roles"] = dict(reversed(whole["roles"].items()))
    _, calls = home.traced("up", home.file(whole))
    starts = [node for event, node in events(home, calls) if event == "start"]
    assert starts[0] == "head" and starts[-1] == "tail", starts


@claim
def who_comes_later_does_not_restart_who_is_before(home):
    home.run("up", home.file(chain()))
    boots = home.boots()
    home.run("up", home.file(chain()), "--set", "workers=3")
    assert boots.items() <= home.boots().items()


@claim
def a_node_that_never_gets_ready_is_told_of_and_others_go_on(home):
    file = home.file(chain())
    home.set_world("compute", knobs={"worker-0": {"never_ready": True}})
    result = home.run("up", file, code=1)
    result.says("role 'worker': 'worker-0' is not ready after 1 s", "(probe: the guest agent)",
                "the guest agent does not answer", "the last lines of its console:",
                "| vgrid: starting", "host-")
    assert "lab.worker-1" in home.boots() and "lab.tail" not in home.boots()
    assert home.record("lab")["phase"] == "creating"
    status = home.json("status", "lab")["nodes"]
    assert {node["name"]: node["is_ready"] for node in status} == {
        "head": True, "worker-0": False, "worker-1": True, "tail": False}, status
    boots = home.boots()
    home.set_world("compute", knobs={})
    home.run("up", file)
    after = home.boots()
    assert boots.items() <= after.items() and "lab.tail" in after
    assert home.record("lab")["phase"] == "up"


@claim
def the_place_of_a_node_that_is_not_ready_is_where_ready_stands(home):
    text = """vgrid: 1
name: lab
images: {base: {builtin: tiny}}
roles:
  head:
    image: base
    memory: 128MiB
    ready:
      exec: test -f /run/ok
      within: 1s
"""
    file = home.file(text, "lab.yaml")
    home.run("up", file, code=1).says("lab.yaml:9:13:", "(probe: exec)",
                                      "'test -f /run/ok' exits with status 1")


@claim
def exec_is_ready_when_the_command_says_so(home):
    ready = {"exec": "check the thing", "within": "1s"}
    file = home.file(template(head={"ready": ready}))
    home.set_world("compute", knobs={"head": {"exec": {"check the thing": {"status": 3}}}})
    home.run("up", file, code=1).says("'check the thing' exits with status 3")
    home.set_world("compute", knobs={"head": {"exec": {"check the thing": {"status": 0}}}})
    home.run("up", file)


@claim
def a_command_is_run_by_the_guests_shell_and_by_no_other(home):
    ready = {"exec": "touch /tmp/$(id -u); true", "within": "1s"}
    home.run("up", home.file(template(0, head={"ready": ready})))
    ran = home.machines()["lab.head"]["ran"]
    assert ["/bin/sh", "-c", ready["exec"]] in ran, ran


@claim
def console_is_ready_when_a_line_matches(home):
    for regex, code in (("^vgrid: ready$", 0), ("^never$", 1), ("re[a-z]+y$", 0)):
        name = f"lab-{len(regex)}"
        ready = {"console": regex, "within": "1s"}
        result = home.run("up", home.file(template(0, head={"ready": ready})), "--name", name,
                          code=code)
        if code:
            result.says("(probe: console)", f"the console has no line that matches '{regex}'")


@claim
def a_guest_that_died_is_not_waited_for(home):
    file = home.file(template(0, head={"ready": {"exec": "false", "within": "40s"}}))
    process = home.start("up", file)
    home.until(process, lambda: "lab.head" in home.boots())
    home.run("exec", "lab", "head", "--", "true")
    while home.boots():
        crash(home)
    home.end(process).must(1).says("it is crashed")


@claim
def an_interrupted_up_stops_cleanly_and_goes_on_later(home):
    file = home.file(template(head={"ready": {"exec": "wait for it", "within": "40s"}}))
    home.set_world("compute", knobs={"head": {"exec": {"wait for it": {"status": 1}}}})
    process = home.start("up", file)
    home.until(process, lambda: "lab.head" in home.boots())
    process.send_signal(signal.SIGINT)
    home.end(process).must(130)
    assert home.record("lab")["phase"] == "creating" and list(home.boots()) == ["lab.head"]
    boots = home.boots()
    home.set_world("compute", knobs={})
    home.run("up", file)
    assert boots.items() <= home.boots().items() and len(home.boots()) == 3


if __name__ == "__main__":
    main()
