#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several commands at once: on one grid they wait for each other, on several they do not."""

import signal

from vgrid import claim, main, template


def holding(home, *arguments, operation="compute.start", ms=1500):
    """Starts a command that is held in `operation`, and yields it once it holds its grid."""
    process = home.start(*arguments, rules=f"delay:{operation}:{ms}")
    locks = home.path / "locks"
    home.until(process, lambda: locks.exists() and any(
        f"(process {process.pid})" in lock.read_text() for lock in locks.iterdir()))
    return process


@claim
def a_second_command_on_a_grid_waits_and_says_for_whom(home):
    file = home.file(template(0))
    first = holding(home, "up", file)
    second = home.run("up", file)
    second.says("Waiting for 'lab@fake', which is being changed by 'vgrid up' "
                f"(process {first.pid})", "nothing to do")
    home.end(first).must(0)
    assert len(home.machines()) == 1


@claim
def up_and_down_at_once_end_in_one_of_both(home):
    file = home.file(template(0))
    first = holding(home, "up", file)
    # A grid has no record before its first up has planned.
    home.until(first, home.record_path("lab").exists)
    home.run("down", "lab", "--delete-disks").says("Waiting for 'lab@fake'", "'vgrid up'")
    home.end(first).must(0)
    home.must_be_empty()


@claim
def an_up_that_waited_for_the_down_makes_the_grid_anew(home):
    file = home.file(template(0))
    home.run("up", file)
    uuid = home.record("lab")["uuid"]
    first = holding(home, "down", "lab", "--delete-disks", operation="compute.remove")
    home.run("up", file).says("Waiting for 'lab@fake'", "'vgrid down'", "+ head")
    home.end(first).must(0)
    assert home.record("lab")["uuid"] != uuid
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()


@claim
def two_downs_at_once_are_one_and_a_grid_that_is_gone(home):
    home.run("up", home.file(template(0)))
    first = holding(home, "down", "lab", "--delete-disks", operation="compute.remove")
    home.run("down", "lab", "--delete-disks", code=1).says("Waiting for", "no grid 'lab'")
    home.end(first).must(0)
    home.must_be_empty()


@claim
def who_only_looks_does_not_wait(home):
    file = home.file(template(0))
    first = holding(home, "up", file, ms=4000)
    home.until(first, home.record_path("lab").exists)
    for words in (("list",), ("status", "lab"), ("plan", file)):
        result = home.run(*words, code=None)
        assert result.code in (0, 3) and "Waiting" not in result.err, str(result)
    assert first.poll() is None, "the first was done too early for this to mean anything"
    home.end(first).must(0)


@claim
def one_that_was_killed_is_not_waited_for(home):
    file = home.file(template(0))
    first = holding(home, "up", file, ms=30000)
    first.send_signal(signal.SIGKILL)
    home.end(first).must(-9)
    result = home.run("up", file)
    assert "Waiting" not in result.err, str(result)


def hanging(home, *arguments, operation="compute.start"):
    """Starts a command that hangs in `operation` for ever, and yields it once it does."""
    trace = home.folder / "trace-hanging"
    trace.unlink(missing_ok=True)
    process = home.start(*arguments, rules=f"trace:{trace},hang:{operation}:1")
    home.until(process, lambda: trace.exists() and f"{operation} " in trace.read_text() and
               " hangs " in trace.read_text())
    return process


def killed(home, process):
    process.send_signal(signal.SIGKILL)
    home.end(process).must(-9)


@claim
def who_waits_for_one_that_is_killed_goes_on_at_once(home):
    file = home.file(template(0))
    for words, said in ((("up", file), "'vgrid up'"), (("down", "lab", "--delete-disks"),
                                                       "'vgrid up'")):
        first = hanging(home, "up", file)
        log = home.folder / "waiting"
        with log.open("w") as err:
            second = home.start(*words, stderr=err)
            home.until(second, lambda: "Waiting for" in log.read_text())
        assert f"which is being changed by {said} (process {first.pid})" in log.read_text()
        assert first.poll() is None and second.poll() is None
        killed(home, first)
        home.end(second).must(0)
        home.run("down", "lab", "--delete-disks", code=None)
    home.must_be_empty()


@claim
def one_grid_is_made_and_taken_down_while_a_call_for_another_hangs(home):
    file = home.file(template(1))
    for operation in ("compute.start", "net.converge", "storage.create"):
        first = hanging(home, "up", file, "--name", "other", operation=operation)
        for words in (("up", file), ("status", "lab"), ("down", "lab", "--delete-disks")):
            result = home.run(*words)
            assert "Waiting" not in result.err, str(result)
        assert first.poll() is None, "the other had ended, which proves nothing"
        killed(home, first)
        home.run("down", "other", "--delete-disks")
    home.must_be_empty()


@claim
def grids_are_made_at_the_same_time_and_share_no_vni(home):
    file = home.file(template(1, networks={"lan": {"cidr": "10.9.0.0/16"},
                                           "wan": {"cidr": "10.10.0.0/16"}}))
    names = [f"lab-{i}" for i in range(8)]
    # Held where each has chosen its VNIs and none has saved them.
    running = [home.start("up", file, "--name", name, rules="delay:storage.observe:300")
               for name in names]
    results = [home.end(process) for process in running]
    for result in results:
        result.must(0)
        assert "Waiting" not in result.err, str(result)
    vnis = [vni for name in names for vni in home.record(name)["vnis"]]
    assert len(set(vnis)) == len(vnis) == 16, vnis
    for name in names:
        home.run("plan", file, "--name", name)
    running = [home.start("down", name, "--delete-disks") for name in names]
    for process in running:
        home.end(process).must(0)
    home.must_be_empty()


@claim
def many_ups_of_one_grid_make_it_once(home):
    file = home.file(template(1))
    running = [home.start("up", file) for _ in range(8)]
    results = [home.end(process).must(0) for process in running]
    assert sum("+ head" in result.err for result in results) == 1
    waited = [result for result in results if "Waiting for 'lab@fake', which is being" in result.err]
    assert waited and all("(process " in result.err for result in waited)
    assert all(machine["boots"] == 1 for machine in home.machines().values())


if __name__ == "__main__":
    main()
