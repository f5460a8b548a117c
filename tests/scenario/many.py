#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hundreds of nodes: seconds, and observation that grows with hosts, not with nodes."""

import collections
import time

import vgrid
from vgrid import CHANGING, claim, main, template

# Seconds under a sanitizer on a busy machine; undisturbed it is a few.
BOUND_S = 120
vgrid.TIMEOUT_S = BOUND_S


# Instrumented code is slow, and no faster for being shown three hundred times.
IS_INSTRUMENTED = b"__asan_init" in open(vgrid.PROGRAM, "rb").read()
N_NODES = 100 if IS_INSTRUMENTED else 300


def counts(calls):
    return collections.Counter(call.operation for call in calls)


@claim
def hundreds_of_nodes_come_and_go_in_seconds(home):
    file = home.file(template(N_NODES - 1))
    begun = time.monotonic()
    home.run("up", file)
    assert len(home.boots()) == N_NODES
    placed = collections.Counter(machine["host"] for machine in home.machines().values())
    assert max(placed.values()) - min(placed.values()) <= 1, placed
    result, calls = home.traced("up", file)
    result.says("nothing to do")
    assert len(calls) == 6 * 3, counts(calls)
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()
    assert time.monotonic() - begun < BOUND_S, time.monotonic() - begun


@claim
def a_look_takes_as_many_calls_for_a_hundred_nodes_as_for_ten(home):
    few, many = home.file(template(9)), home.file(template(99))
    home.run("up", few)
    _, second = home.traced("up", few)
    _, planned = home.traced("plan", many, code=3)
    assert counts(second) == counts(planned), (counts(second), counts(planned))
    assert len(second) == 6 * 3 and not set(counts(second)) & CHANGING, counts(second)


@claim
def one_node_more_among_many_starts_one(home):
    home.run("up", home.file(template(50)))
    boots = home.boots()
    calls = home.changes("up", home.file(template(51)))
    assert counts(calls)["compute.start"] == 1 and counts(calls)["compute.define"] == 1
    assert boots.items() <= home.boots().items()


if __name__ == "__main__":
    main()
