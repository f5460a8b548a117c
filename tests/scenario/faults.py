#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each driver operation fails, once or for ever, is done and its success lost, hangs, or answers late:
the error says which step, node, host and place; the next up or down copes."""

import re
import signal
import time

from vgrid import CHANGING, Home, claim, each, main, must_equal, numbered, template

HEAD_AND_WORKERS = """vgrid: 1
name: lab
images: {base: {builtin: tiny}}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  head:
    image: base
    memory: 128MiB
    disks:
      data: {size: 1GiB}
    nics: [lan]
  worker:
    count: 2
    image: base
    memory: 128MiB
    nics: [lan]
    after: [head]
"""

# What an error of the operation must tell besides itself, and the line of the template.
TELLS = {
    "storage.create": (r"making|writing", r"'(head|worker-\d)/\w+'", r"lab\.yaml:(7|10|11|13):\d+"),
    "net.converge": ("building networks", "'host-0'", r"lab\.yaml:5:\d+"),
    "compute.define": ("defining", r"'(head|worker-\d)'", r"lab\.yaml:(7|13):\d+"),
    "compute.start": ("starting", r"'(head|worker-\d)'", r"lab\.yaml:(7|13):\d+"),
}


@claim
def a_call_that_fails_is_told_with_step_node_host_and_place(_):
    def try_operation(operation, rule):
        with Home() as home:
            file = home.file(HEAD_AND_WORKERS, "lab.yaml")
            result = home.run("up", file, rules=f"{rule}:{operation}:1", code=1)
            lines = [line for line in result.err.splitlines() if line.startswith("error: ")]
            assert len(lines) == 1, str(result)
            for pattern in (*TELLS[operation], "on 'host-0'", "as the filter was told"):
                assert re.search(pattern, lines[0]), f"{pattern}\n{result}"
            result.says("steps failed")
    each([(operation, rule) for operation in TELLS for rule in ("fault", "lost")], try_operation)


@claim
def a_call_that_only_looks_and_fails_changes_nothing(_):
    def try_operation(operation):
        with Home() as home:
            file = home.file(HEAD_AND_WORKERS, "lab.yaml")
            for verb, code in (("plan", 3), ("up", 0)):
                home.run(verb, file, rules=f"fault:{operation}", code=1).says(
                    "host '", "as the filter was told")
                assert not home.machines() and not home.volumes()
            home.run("up", file)
            before = home.picture()
            for words in (("plan", file), ("up", file), ("status", "lab"),
                          ("down", "lab", "--delete-disks")):
                result = home.run(*words, rules=f"fault:{operation}", code=1)
                assert result.out == "", str(result)
                must_equal(before, home.picture(), str(words))
    each([(operation,) for operation in ("compute.open", "net.open", "storage.open",
                                         "compute.observe", "net.observe", "storage.observe")],
         try_operation)


def repeat_after(prepare, command, code=0):
    """`command` with each of its operations failing once and for ever, by fault and by loss; then again."""
    with Home() as before:
        file = prepare(before)
        command = [file if word == "FILE" else word for word in command]
        with before.copy() as home:
            _, calls = home.traced(*command)
            expected = home.picture()
        last = dict(numbered(calls))
        points = [(rule, operation, n) for operation in sorted(last) if operation in CHANGING
                  for rule, n in (("fault", 1), ("fault", "1+"), ("lost", last[operation]))]

        def try_point(rule, operation, n):
            with before.copy() as home:
                home.run(*command, rules=f"{rule}:{operation}:{n}", code=1).says("error: ")
                home.run(*command, code=code)
                must_equal(expected, home.picture())
                home.run("down", "lab", "--delete-disks",
                         code=0 if home.record_path("lab").exists() else 1)
                home.must_be_empty()
        each(points, try_point)


@claim
def up_goes_on_after_a_failure(_):
    repeat_after(lambda home: home.file(template()), ["up", "FILE"])


@claim
def a_change_goes_on_after_a_failure(_):
    def prepare(home):
        home.run("up", home.file(template(3)))
        disks = {"data": {"size": "2GiB", "mount": "/data"}}
        return home.file(template(head={"disks": disks, "setup": "echo new\n"}))
    repeat_after(prepare, ["up", "FILE", "-y"])


@claim
def down_goes_on_after_a_failure(_):
    def prepare(home):
        home.run("up", home.file(template()))
    repeat_after(prepare, ["down", "lab", "--delete-disks"])


@claim
def down_goes_on_after_an_up_that_failed(_):
    def try_operation(operation):
        with Home() as home:
            home.run("up", home.file(template()), rules=f"fault:{operation}:2+", code=1)
            home.run("down", "lab", "--delete-disks")
            home.must_be_empty()
    each([(operation,) for operation in TELLS], try_operation)


@claim
def what_does_not_hang_on_the_failure_is_done(home):
    home.set_world("compute", knobs={"worker-0": {"fail": {"start": "no memory is left"}}})
    file = home.file(template())
    home.run("up", file, code=1).says("no memory is left", "'worker-0'", "host-")
    states = {name: machine["state"] for name, machine in home.machines().items()}
    assert states == {"lab.head": "running", "lab.worker-0": "stopped",
                      "lab.worker-1": "running"}, states
    boots = home.boots()
    home.set_world("compute", knobs={})
    home.run("up", file)
    after = home.boots()
    assert len(after) == 3 and boots.items() <= after.items(), "others were started again"


@claim
def a_host_that_is_full_is_told_with_its_name(home):
    home.set_world("storage", fail={"create": "no space left on device"})
    result = home.run("up", home.file(HEAD_AND_WORKERS, "lab.yaml"), code=1)
    result.says("no space left on device", "lab.yaml:7:", "'head/root'", "on 'host-0'")
    home.set_world("storage", fail={})
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()


@claim
def a_refresh_that_is_lost_is_done_again(home):
    home.run("up", home.file(template(1)))
    file = home.file(template(2))
    home.set_world("compute", knobs={"lab.head": {"fail": {"agent": "the channel is cut"}}})
    home.run("up", file, code=1).says("refreshing 'head'", "the channel is cut")
    home.set_world("compute", knobs={})
    home.run("plan", file, code=3).shows("head", "refresh")
    home.run("up", file)
    assert "worker-1" in home.machines()["lab.head"]["files"]["/etc/hosts"]["content"]
    home.run("plan", file)


HANGING = {"VGRID_CALL_TIMEOUT": "1s"}


@claim
def a_call_that_hangs_is_told_with_step_node_host_and_place(_):
    def try_operation(operation):
        with Home("fake:1") as home:
            file = home.file(HEAD_AND_WORKERS, "lab.yaml")
            with home.copy() as other:
                other.run("up", file)
                expected = other.picture()
            begin = time.monotonic()
            result = home.run("up", file, rules=f"hang:{operation}:1", env=HANGING, code=1)
            assert time.monotonic() - begin < 30, "it took too long"
            lines = [line for line in result.err.splitlines() if line.startswith("error: ")]
            for pattern in (*TELLS[operation], "on 'host-0'", "no answer from the .* of 'host-0' "
                            "within 1s; it may still be carried out"):
                assert any(re.search(pattern, line) for line in lines), f"{pattern}\n{result}"
            result.says("steps failed", "VGRID_CALL_TIMEOUT")
            assert home.record("lab")["phase"] == "creating"
            home.run("up", file)
            must_equal(expected, home.picture())
    each([(operation,) for operation in TELLS], try_operation, at_once=4)


def hang_and_repeat(prepare, command):
    """`command` with each of its operations hanging, the first time and the last; then again."""
    with Home() as before:
        file = prepare(before)
        command = [file if word == "FILE" else word for word in command]
        with before.copy() as home:
            _, calls = home.traced(*command)
            expected = home.picture()
        last = dict(numbered(calls))
        points = [(operation, n) for operation in sorted(last) if operation != "compute.agent"
                  for n in sorted({1, last[operation]})]

        def try_point(operation, n):
            with before.copy() as home:
                home.run(*command, rules=f"hang:{operation}:{n}", env=HANGING, code=1).says(
                    "no answer from the")
                home.run(*command)
                must_equal(expected, home.picture())
        each(points, try_point, at_once=6)


@claim
def an_up_goes_on_after_a_call_that_hung(_):
    hang_and_repeat(lambda home: home.file(template()), ["up", "FILE"])


@claim
def a_change_goes_on_after_a_call_that_hung(_):
    def prepare(home):
        home.run("up", home.file(template(3)))
        disks = {"data": {"size": "2GiB", "mount": "/data"}}
        return home.file(template(head={"disks": disks, "setup": "echo new\n"}))
    hang_and_repeat(prepare, ["up", "FILE", "-y"])


@claim
def a_down_goes_on_after_a_call_that_hung(_):
    def prepare(home):
        home.run("up", home.file(template()))
    hang_and_repeat(prepare, ["down", "lab", "--delete-disks"])


@claim
def an_agent_call_that_hangs_is_asked_again(home):
    home.run("up", home.file(template()), rules="hang:compute.agent:1", env=HANGING)
    home.run("plan", home.file(template()))


@claim
def hosts_that_answer_are_answered_for(home):
    file = home.file(template())
    home.run("up", file)
    hosts = {name.split(".")[1]: machine["host"] for name, machine in home.machines().items()}
    assert len(set(hosts.values())) > 1, hosts
    for operation in ("compute.observe", "net.observe", "storage.observe", "compute.open",
                      "net.open", "storage.open"):
        rules = f"hang:{operation}:2"
        result = home.run("status", "lab", rules=rules, env=HANGING, code=1)
        silent = re.search(r"no answer from the \w+ of '(host-\d)' within 1s", result.err)[1]
        for node, host in hosts.items():
            state = re.search(rf"^{node} .*", result.out, re.M)[0]
            assert ("its host did not answer" in state) == (host == silent), str(result)
            assert ("running" in state) == (host != silent), str(result)
        home.run("plan", file, rules=rules, env=HANGING, code=1).says("no answer from the")
        home.run("list", rules=rules, env=HANGING).shows("lab")


@claim
def a_node_is_reached_while_another_host_hangs(home):
    home.run("up", home.file(template()))
    hosts = {name.split(".")[1]: machine["host"] for name, machine in home.machines().items()}
    results = {node: home.run("exec", "lab", node, "--", "true", rules="hang:compute.open:1",
                              env=HANGING, code=None) for node in hosts}
    assert sum(result.code == 0 for result in results.values()) >= 1, "no host answered"
    for node, result in results.items():
        if result.code:
            result.says(f"'{node}' is on '{hosts[node]}'", "no answer from the hypervisor")


@claim
def down_takes_away_what_is_on_hosts_that_answer(home):
    home.run("up", home.file(template(5)))
    result = home.run("down", "lab", "--delete-disks", rules="hang:compute.observe:1", env=HANGING,
                      code=1)
    silent = re.search(r"no answer from the hypervisor of '(host-\d)'", result.err)[1]
    hosts = {machine["host"] for machine in home.machines().values()}
    assert hosts == {silent}, f"{hosts}\n{result}"
    assert home.record("lab")["phase"] == "removing"
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()


@claim
def all_answers_late_but_in_time_make_no_difference(home):
    file = home.file(template(1))
    with home.copy() as other:
        other.run("up", file)
        expected = other.picture()
    home.run("up", file, rules="delay:*:20")
    must_equal(expected, home.picture())
    home.run("down", "lab", "--delete-disks", rules="delay:*:20")
    home.must_be_empty()


@claim
def an_answer_that_comes_after_its_time_is_found_by_the_next_up(_):
    def try_operation(operation):
        with Home("fake:1") as home:
            file = home.file(template(worker={"after": None}))
            with home.copy() as other:
                other.run("up", file)
                expected = other.picture()
            # The others go on for long enough for the late one to be carried out.
            rules = f"delay:{operation}:1500:1,delay:compute.agent:400"
            home.run("up", file, rules=rules, env=HANGING, code=1).says("no answer from the")
            home.run("up", file)
            must_equal(expected, home.picture())
            home.run("down", "lab", "--delete-disks")
            home.must_be_empty()
    each([(operation,) for operation in TELLS], try_operation, at_once=4)


@claim
def ctrl_c_says_which_step_it_waits_for_and_the_second_ends_at_once(home):
    file = home.file(template(0))
    trace = home.folder / "trace"
    log = home.folder / "stderr"
    with log.open("w") as err:
        process = home.start("up", file, rules=f"hang:compute.start:1,trace:{trace}", stderr=err)
        home.until(process, lambda: trace.exists() and " hangs " in trace.read_text())
        process.send_signal(signal.SIGINT)
        home.until(process, lambda: "Stopping; waiting for 'head: starting' on 'host-0', Ctrl-C again"
                   in log.read_text())
        process.send_signal(signal.SIGINT)
        home.end(process).must(130)
    home.run("up", file)


@claim
def ctrl_c_says_which_host_it_waits_for(home):
    file = home.file(template(0))
    home.run("up", file)
    trace = home.folder / "trace"
    log = home.folder / "stderr"
    with log.open("w") as err:
        process = home.start("status", "lab", rules=f"hang:storage.observe:1,trace:{trace}",
                             stderr=err)
        home.until(process, lambda: trace.exists() and " hangs " in trace.read_text())
        process.send_signal(signal.SIGINT)
        home.until(process, lambda: "Stopping; 'host-" in log.read_text())
        process.send_signal(signal.SIGINT)
        home.end(process).must(130)


@claim
def a_call_timeout_that_is_wrong_is_a_usage_error(home):
    home.run("plan", home.file(template()), env={"VGRID_CALL_TIMEOUT": "5"}, code=2).says(
        "VGRID_CALL_TIMEOUT")


@claim
def a_filter_that_is_wrong_is_a_usage_error(home):
    file = home.file(template())
    for rules, text in (("bend:compute.start", "there is no filter 'bend'"),
                        ("fault:", "of what?"), ("fault:x:none", "is no number"),
                        ("delay:compute.start", "needs milliseconds"),
                        ("delay:x:5:0", "is no number of a call")):
        home.run("plan", file, rules=rules, code=2).says("VGRID_FILTER", text)


if __name__ == "__main__":
    main()
