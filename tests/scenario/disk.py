#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The disk breaks at any call that changes a file below VGRID_HOME: the process is killed there, or the
disk is full, read-only or broken from there on. The error names path and reason, the record is the old
one or the new one whole, the same command again converges to what an undisturbed run makes, and nothing
half-made is left. The calls are broken by tests/disk/broken_disk.c."""

import json
import os
import re
import shutil
import subprocess

from vgrid import IS_SOAK, NO_LEAKS, PROGRAM, TIMEOUT_S, Home, claim, each, main, must_equal, template

LIBRARY = os.environ.get("VGRID_BROKEN_DISK", "")
REASONS = {"ENOSPC": "No space left on device", "EROFS": "Read-only file system",
           "EIO": "Input/output error"}
# Without a soak each call is broken in one way, either in turn, and a grid is only taken down at every so
# many points: after all the same picture was seen.
DOWN_EVERY = 1 if IS_SOAK else 10


def small(**changes):
    """One node with a data disk."""
    whole = template(**changes)
    del whole["roles"]["worker"]
    return whole


def broken(home, how, n, trace=None, only=""):
    """The environment that breaks the disk of this home at the n-th call."""
    assert LIBRARY, "VGRID_BROKEN_DISK does not name the library"
    options = [os.environ.get("ASAN_OPTIONS", ""), "verify_asan_link_order=0"]
    environment = {"LD_PRELOAD": LIBRARY, "BROKEN_DISK": f"{how}:{n}:{home.path}",
                   "BROKEN_DISK_ONLY": only, "ASAN_OPTIONS": ":".join(filter(None, options))}
    return {**environment, "BROKEN_DISK_TRACE": trace} if trace else environment


def calls_of(home, command, options):
    trace = home.folder / "disk-trace"
    home.run(*command, env=broken(home, "none", 0, str(trace)), **options)
    return trace.read_text().splitlines()


def tree(home):
    """All files of the home, but what is made again and again."""
    return sorted(str(path.relative_to(home.path)) for path in home.path.rglob("*")
                  if not path.match("run/*") and path.name != "run")


def records(home):
    return {path: path.read_bytes() for path in home.path.glob("grids/*/record.json")}


def must_be_whole(before, after):
    """Each record is the old one, byte for byte, or a later one that can be read."""
    for path, content in after.items():
        name = "/".join(path.parts[-3:])
        old = before.get(name)
        if content != old:
            assert json.loads(content)["generation"] > (json.loads(old)["generation"] if old else 0)


def must_be_clear(home, result, reason):
    """The error names a path below the home, and why."""
    assert result.code == 1, str(result)
    lines = [line for line in result.err.splitlines() if reason in line]
    assert any(str(home.path) in line for line in lines), f"no path or no reason\n{result}"


def sweep(prepare, command, program=PROGRAM):
    """`prepare(home)` makes the state before and yields the file for FILE in the command."""
    options = {"program": program}
    with Home("fake:1") as before:
        file = prepare(before)
        command = [file if word == "FILE" else word for word in command]
        known = {"/".join(path.parts[-3:]): content for path, content in records(before).items()}
        with before.copy() as home:
            calls = calls_of(home, command, options)
            expected, files = home.picture(), tree(home)

        def try_point(how, n):
            with before.copy() as home:
                reason = list(REASONS)[n // 2 % 3] if how == "broken" else how
                result = home.run(*command, code=None, env=broken(home, reason, n), **options)
                must_be_whole(known, records(home))
                if how == "kill":
                    result.must(-9)
                elif result.code or home.picture() != expected:
                    # What only tidies up may fail unsaid.
                    must_be_clear(home, result, REASONS[reason])
                is_gone = command[0] == "down" and not home.record_path("lab").exists()
                home.run(*command, code=1 if is_gone else 0, env=NO_LEAKS, **options)
                must_equal(expected, home.picture())
                must_equal(files, tree(home))
                if home.record_path("lab").exists() and n % DOWN_EVERY == 0:
                    home.run("down", "lab", "--delete-disks", env=NO_LEAKS)
                    home.must_be_empty()

        each([(how, n) for n in range(1, len(calls) + 1) for i, how in enumerate(("kill", "broken"))
              if IS_SOAK or n % 2 == i], try_point,
             lambda point: f"{point} {calls[point[1] - 1]}")


@claim
def the_first_up(_):
    sweep(lambda home: home.file(small()), ["up", "FILE"])


@claim
def a_change(_):
    def prepare(home):
        home.run("up", home.file(small()))
        disks = {"data": {"size": "2GiB", "mount": "/data"}}
        return home.file(small(head={"disks": disks, "memory": "512MiB"}))
    sweep(prepare, ["up", "FILE", "-y"])


@claim
def down(_):
    def prepare(home):
        home.run("up", home.file(small()))
    sweep(prepare, ["down", "lab", "--delete-disks"])


@claim
def down_that_keeps_disks(_):
    def prepare(home):
        home.run("up", home.file(small()))
    sweep(prepare, ["down", "lab", "--keep-disks"])


@claim
def an_image_is_imported(_):
    def prepare(home):
        path = home.folder / "disk.raw"
        path.write_bytes(b"\xeb\x3c" + bytes(2 << 20) + b"end")
        os.truncate(path, 4 << 20)
        return path
    sweep(prepare, ["image", "import", "FILE"])


RECIPE = """#!/bin/sh
set -e
echo kernel >"$1/k"
echo initrd >"$1/i"
printf '{"kernel": "k", "initrd": "i", "cmdline": "quiet"}' >"$1/manifest.json"
"""


@claim
def an_image_is_built(home):
    # The program with a recipe of its own beside it.
    program = home.folder / "vgrid"
    shutil.copy(PROGRAM, program)
    recipe = home.folder / "share" / "vgrid" / "images" / "tiny" / "build"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(RECIPE)
    recipe.chmod(0o755)
    sweep(lambda _: None, ["image", "build", "tiny"], program=program)


@claim
def a_down_that_cannot_save_its_record_goes_on(home):
    home.run("up", home.file(small()))
    result = home.run("down", "lab", "--delete-disks",
                      env=broken(home, "ENOSPC", 1, only="record.json.new"))
    result.says("Going on without", "No space left on device")
    home.must_be_empty()


@claim
def an_up_that_was_killed_before_its_record_is_gone_with_a_down(home):
    file = home.file(small())
    with home.copy() as other:
        calls = calls_of(other, ["up", file], {})
    n = next(i for i, line in enumerate(calls, 1) if line.endswith("record.json.new"))
    home.run("up", file, code=-9, env=broken(home, "killed", n))
    assert list(home.path.glob("grids/*/*")), "it was killed too early for this to mean anything"
    home.run("down", "lab", "--delete-disks", code=1).says("no grid 'lab'")
    home.must_be_empty()


def in_namespace(home, script):
    """Runs a shell script that may mount, with $vgrid and $home; yields its exit code and output."""
    environment = home.environment(vgrid=PROGRAM, home=str(home.path))
    result = subprocess.run(["unshare", "-Urm", "sh", "-euc", script], env=environment, text=True,
                            capture_output=True, timeout=TIMEOUT_S, cwd=home.folder, check=False)
    assert result.returncode == 0, f"{result.returncode}\n{result.stdout}{result.stderr}"
    assert "Sanitizer" not in result.stderr, result.stderr
    return result.stderr


@claim
def a_file_system_that_is_full_is_told_and_with_room_it_goes_on(home):
    file = home.file(template(12))
    home.path.mkdir(mode=0o700)
    err = in_namespace(home, f"""
        mount -t tmpfs -o size=64k,mode=0700 none "$home"
        code=0; "$vgrid" up {file} || code=$?; [ $code = 1 ]
        echo '# room' >&2
        mount -o remount,size=16m "$home"
        "$vgrid" up {file} >/dev/null
        "$vgrid" plan {file} >/dev/null
        "$vgrid" down lab --delete-disks
        [ -z "$(find "$home" -name '*.new')" ] && [ ! -e "$home/grids" ] && [ ! -e "$home/locks" ]
    """)
    full, after = err.split("# room")
    assert re.search(rf"{re.escape(str(home.path))}/\S+: No space left on device", full), full
    assert "error" not in after and "No space" not in after, after


@claim
def a_home_that_is_read_only_is_told_and_stays_as_it_is(home):
    home.run("up", home.file(template(1)))
    file = home.file(template(2))
    before, record = home.picture(), home.record_path("lab").read_bytes()
    err = in_namespace(home, f"""
        mount --bind "$home" "$home"
        mount -o remount,bind,ro "$home"
        for words in "up {file}" "down lab --delete-disks" "image build tiny"; do
            code=0; "$vgrid" $words || code=$?; [ $code = 1 ]
        done
        "$vgrid" list >/dev/null
    """)
    lines = [line for line in err.splitlines() if line.startswith("vgrid: ")]
    assert len(lines) == 3, err
    for line in lines:
        assert "Read-only file system" in line and str(home.path) in line, line
    assert home.record_path("lab").read_bytes() == record
    must_equal(before, home.picture())
    home.run("up", file)


if __name__ == "__main__":
    main()
