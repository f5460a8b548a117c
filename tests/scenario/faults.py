#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each driver operation fails, once or always, or is done and its success lost: the error says which
step, node, host and place; the next up or down copes."""

import re

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
    """`command` with each of its operations failing once, by fault and by loss; then again."""
    with Home() as before:
        file = prepare(before)
        command = [file if word == "FILE" else word for word in command]
        with before.copy() as home:
            _, calls = home.traced(*command)
            expected = home.picture()
        last = dict(numbered(calls))
        points = [(rule, operation, n) for operation in sorted(last) if operation in CHANGING
                  for rule, n in (("fault", 1), ("lost", last[operation]))]

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


@claim
def a_filter_that_is_wrong_is_a_usage_error(home):
    file = home.file(template())
    for rules, text in (("bend:compute.start", "there is no filter 'bend'"),
                        ("fault:", "of what?"), ("fault:x:none", "is no number"),
                        ("delay:compute.start", "needs milliseconds")):
        home.run("plan", file, rules=rules, code=2).says("VGRID_FILTER", text)


if __name__ == "__main__":
    main()
