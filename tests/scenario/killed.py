#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Killed at any driver call, before it or after it, the same command run again converges to what an
undisturbed run makes, and down leaves nothing."""

import concurrent.futures

from vgrid import CHANGING, IS_SOAK, Home, claim, main, must_equal, numbered, template

# What one process must have left for another to see: all other calls only look.
TELLING = CHANGING | {"compute.agent"}


def points_of(calls):
    """(kind, operation, number): where to kill. Without a soak three for each operation that
    changes something: before the first call, after the last, and before one in the middle."""
    numbers = {}
    for operation, number in numbered(calls):
        numbers.setdefault(operation, []).append(number)
    points = []
    for operation, all_of_it in numbers.items():
        if IS_SOAK:
            points += [(kind, operation, n) for n in all_of_it for kind in ("kill", "killed")]
        elif operation in TELLING:
            last = all_of_it[-1]
            points += {("kill", operation, 1), ("killed", operation, last),
                       ("kill", operation, last // 2 + 1)}
    return sorted(points)


def kill_and_repeat(home, commands, number, rules):
    """All commands, the `number`-th of which is killed and run again."""
    for i, command in enumerate(commands):
        if i == number:
            home.run(*command, rules=rules, code=-9)
        # Killed when all was gone: then there is no such grid any more.
        is_gone = command[0] == "down" and not home.record_path("lab").exists()
        home.run(*command, code=1 if is_gone else 0)


def sweep(prepare, *commands, ends_empty=False):
    """`prepare(home)` makes the state before and yields the template for FILE in `commands`, which
    are run one after the other. At each point one of them is killed and run again."""
    with Home() as before:
        file = prepare(before)
        commands = [[file if word == "FILE" else word for word in command] for command in commands]
        points = []
        with before.copy() as home:
            for number, command in enumerate(commands):
                _, calls = home.traced(*command)
                points += [(number, *point) for point in points_of(calls)]
            expected = home.picture()

        def try_point(number, kind, operation, n):
            with before.copy() as home:
                kill_and_repeat(home, commands, number, f"{kind}:{operation}:{n}")
                must_equal(expected, home.picture())
                if not ends_empty:
                    home.run("plan", file)
                    home.run("down", "lab", "--delete-disks")
                home.must_be_empty()

        failures = []
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for point, future in [(point, pool.submit(try_point, *point)) for point in points]:
                try:
                    future.result()
                except AssertionError as error:
                    failures.append(f"killed at {point}: {error}")
        assert points and not failures, \
            f"{len(failures)} of {len(points)}\n" + "\n".join(failures[:3])


@claim
def the_first_up(_):
    sweep(lambda home: home.file(template()), ["up", "FILE"])


@claim
def one_worker_more(_):
    def prepare(home):
        home.run("up", home.file(template(1)))
        return home.file(template(2))
    sweep(prepare, ["up", "FILE"])


@claim
def one_worker_less(_):
    def prepare(home):
        worker = {"disks": {"scratch": {"size": "1GiB"}}}
        home.run("up", home.file(template(2, worker=worker)))
        return home.file(template(1, worker=worker))
    sweep(prepare, ["up", "FILE", "-y", "--delete-disks"])


@claim
def a_change_that_restarts(_):
    def prepare(home):
        home.run("up", home.file(template()))
        disks = {"data": {"size": "2GiB", "mount": "/data"}, "more": {"size": "1GiB"}}
        return home.file(template(head={"disks": disks}, worker={"memory": "256MiB"}))
    sweep(prepare, ["up", "FILE", "-y"])


@claim
def a_change_that_recreates_and_replaces(_):
    def prepare(home):
        home.run("up", home.file(template(1)))
        disks = {"data": {"size": "512MiB", "mount": "/data"}}
        return home.file(template(1, head={"disks": disks, "setup": "echo new\n"}))
    sweep(prepare, ["up", "FILE", "-y", "--replace", "head/data"])


@claim
def down(_):
    def prepare(home):
        home.run("up", home.file(template()))
        return None
    sweep(prepare, ["down", "lab", "--delete-disks"], ends_empty=True)


@claim
def down_that_keeps_disks_and_up(_):
    def prepare(home):
        file = home.file(template())
        home.run("up", file)
        return file
    sweep(prepare, ["down", "lab", "--keep-disks"], ["up", "FILE"])


@claim
def a_new_network_and_a_new_role(_):
    def prepare(home):
        home.run("up", home.file(template()))
        after = template(networks={"lan": {"cidr": "10.9.0.0/16"}, "wan": {"cidr": "fd00::/64"}})
        after["roles"]["spare"] = {"image": "base", "memory": "128MiB", "nics": ["wan"]}
        after["roles"]["worker"]["nics"] = ["wan", "lan"]
        return home.file(after)
    sweep(prepare, ["up", "FILE", "-y"])


if __name__ == "__main__":
    main()
