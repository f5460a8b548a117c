#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Where the time went, as `up --timings` says it: steps of known length are found again."""

import json

from vgrid import claim, main, template


def timings(home, file, **options):
    return json.loads(home.run("up", file, "--timings", "-o", "json", **options).out)["timings"]


def kinds(found):
    return {kind["kind"]: kind for kind in found["kinds"]}


@claim
def slow_steps_are_named_with_node_and_place(home):
    file = home.file(template(2))
    found = timings(home, file, rules="delay:compute.start:120")
    starts = kinds(found)["start"]
    assert starts["steps"] == 3 and starts["work_us"] >= 3 * 120_000, starts
    assert starts["wall_us"] <= found["total_us"], found
    slowest = [step for step in found["slowest"] if step["kind"] == "start"]
    assert {step["what"] for step in slowest} == {"head", "worker-0", "worker-1"}, slowest
    assert all(step["took_us"] >= 120_000 for step in slowest), slowest
    assert all(step["place"].startswith(f"{file}:") for step in slowest), slowest
    # The workers come behind the head, so at least two starts do not overlap.
    assert starts["wall_us"] >= 2 * 120_000, starts


@claim
def what_overlaps_is_not_counted_twice(home):
    found = timings(home, home.file(template(8)))
    for kind in found["kinds"]:
        assert 0 <= kind["alone_us"] <= kind["wall_us"] <= found["total_us"], kind
    # Rounded down to microseconds, one a kind.
    alone = sum(kind["alone_us"] for kind in found["kinds"]) + found["other_us"]
    assert alone <= found["total_us"], (alone, found)


@claim
def an_up_that_does_nothing_says_where_its_time_went(home):
    file = home.file(template(2))
    home.run("up", file)
    found = timings(home, file)
    assert not found["slowest"] and all(not kind["steps"] for kind in found["kinds"]), found
    assert {"read and plan", "observe", "record"} <= set(kinds(found)), found
    shown = home.run("up", file, "--timings").shows("TIME FOR", "read and plan")
    assert "SLOWEST" not in shown.out, shown
    assert "TIME FOR" not in home.run("up", file).out


if __name__ == "__main__":
    main()
