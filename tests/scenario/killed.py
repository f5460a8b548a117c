#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Killed at each driver call that changes something, before it and behind it, the same command run again converges to what an
undisturbed run makes, and down leaves nothing."""

from vgrid import CHANGING, IS_SOAK, NO_LEAKS, Home, claim, each, main, must_equal, numbered, template

# What one process must have left for another to see: all other calls only look.
TELLING = CHANGING | {"compute.agent"}
# Without a soak a grid is only taken down at every so many points: after all the same picture was seen.
DOWN_EVERY = 1 if IS_SOAK else 8


def points_of(calls):
    """(kind, operation, number): before and behind each call of an operation that tells; with a soak of
    all operations."""
    return [(kind, operation, number) for operation, number in sorted(numbered(calls))
            if IS_SOAK or operation in TELLING for kind in ("kill", "killed")]


def kill_and_repeat(home, commands, number, rules):
    """All commands, the `number`-th of which is killed and run again."""
    for i, command in enumerate(commands):
        if i == number:
            home.run(*command, rules=rules, code=-9)
        # Killed when all was gone: then there is no such grid any more.
        is_gone = command[0] == "down" and not home.record_path("lab").exists()
        home.run(*command, code=1 if is_gone else 0, env=NO_LEAKS)


def sweep(prepare, *commands, ends_empty=False):
    """`prepare(home)` makes the state before and yields the template for FILE in `commands`, which
    are run one after the other. At each point one of them is killed and run again."""
    with Home("fake:2") as before:
        file = prepare(before)
        commands = [[file if word == "FILE" else word for word in command] for command in commands]
        points = []
        with before.copy() as home:
            for number, command in enumerate(commands):
                _, calls = home.traced(*command)
                points += [(number, *point) for point in points_of(calls)]
            expected = home.picture()

        def try_point(at, number, kind, operation, n):
            with before.copy() as home:
                kill_and_repeat(home, commands, number, f"{kind}:{operation}:{n}")
                must_equal(expected, home.picture())
                if not ends_empty and at % DOWN_EVERY == 0:
                    home.run("plan", file)
                    home.run("down", "lab", "--delete-disks")
                if ends_empty or at % DOWN_EVERY == 0:
                    home.must_be_empty()

        each([(at, *point) for at, point in enumerate(points)], try_point)


@claim
def the_first_up(_):
    sweep(lambda home: home.file(template(1)), ["up", "FILE"])


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
        home.run("up", home.file(template(1)))
        disks = {"data": {"size": "2GiB", "mount": "/data"}, "more": {"size": "1GiB"}}
        return home.file(template(1, head={"disks": disks}, worker={"memory": "256MiB"}))
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
        home.run("up", home.file(template(1)))
        return None
    sweep(prepare, ["down", "lab", "--delete-disks"], ends_empty=True)


@claim
def down_that_keeps_disks_and_up(_):
    def prepare(home):
        file = home.file(template(1))
        home.run("up", file)
        return file
    sweep(prepare, ["down", "lab", "--keep-disks"], ["up", "FILE"])


@claim
def a_new_network_and_a_new_role(_):
    def prepare(home):
        home.run("up", home.file(template(1)))
        after = template(1, networks={"lan": {"cidr": "10.9.0.0/16"}, "wan": {"cidr": "fd00::/64"}})
        after["roles"]["spare"] = {"image": "base", "memory": "128MiB", "nics": ["wan"]}
        after["roles"]["worker"]["nics"] = ["wan", "lan"]
        return home.file(after)
    sweep(prepare, ["up", "FILE", "-y"])


if __name__ == "__main__":
    main()
