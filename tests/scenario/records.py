#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The store: records that cannot be read, are too new or half there; a disk that is full or may not
be written."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess

import vgrid
from vgrid import claim, main, template

VERBS = (("status", "lab"), ("down", "lab", "--delete-disks"), ("exec", "lab", "head", "--", "true"))


def must_refuse(home, file, *texts):
    """Every verb fails and says why and where, nothing is changed; `list` shows the grid."""
    before = (home.world("compute"), home.world("storage"), home.world("net"),
              home.record_path("lab").read_bytes())
    for words in (*VERBS, ("plan", file), ("up", file)):
        result = home.run(*words, code=None)
        assert result.code in (1, 2), str(result)
        result.says("grids/lab@fake/", *texts)
    shown = home.run("list")
    shown.shows("lab@fake").says(texts[0])
    assert home.json("list")["grids"][0]["problem"]
    assert before == (home.world("compute"), home.world("storage"), home.world("net"),
                      home.record_path("lab").read_bytes())


def edited(home, **changes):
    record = home.record("lab")
    for key, value in changes.items():
        key = key.replace("_", "-")
        if value is None:
            record.pop(key)
        else:
            record[key] = value
    home.record_path("lab").write_text(json.dumps(record))


@claim
def a_record_that_is_no_json_is_refused_and_listed_as_broken(home):
    file = home.file(template())
    home.run("up", file)
    for text in ("", "{", "[1, 2", "null", "[]", "\0\0\0", "{\"vgrid-record\": \"x\"}", "x" * 100000):
        home.record_path("lab").write_text(text)
        must_refuse(home, file, "record.json")
        home.run("list").shows("broken")


@claim
def a_truncated_record_is_refused_wherever_it_ends(home):
    file = home.file(template(0))
    home.run("up", file)
    whole = home.record_path("lab").read_bytes()
    for part in (0.01, 0.3, 0.6, 0.9, 0.999):
        home.record_path("lab").write_bytes(whole[:int(len(whole) * part)])
        home.run("status", "lab", code=1).says("record.json")
    home.record_path("lab").write_bytes(whole)
    home.run("status", "lab")


@claim
def a_newer_record_is_refused_with_the_reason(home):
    file = home.file(template())
    home.run("up", file)
    edited(home, vgrid_record=99)
    must_refuse(home, file, "it has version 99", "use the newer vgrid")


@claim
def a_record_that_lacks_something_says_what(home):
    file = home.file(template(0))
    home.run("up", file)
    whole = home.record_path("lab").read_bytes()
    for key in ("name", "uuid", "identity", "site", "phase", "vnis", "grid"):
        edited(home, **{key: None})
        must_refuse(home, file, f"'{key}'")
        home.record_path("lab").write_bytes(whole)
    for key, value in (("phase", "dancing"), ("vnis", [0]), ("vnis", [1 << 24]), ("vnis", [1, 2]),
                       ("grid", {}), ("grid", [])):
        edited(home, **{key: value})
        must_refuse(home, file, f"'{key}'")
        home.record_path("lab").write_bytes(whole)
    home.run("plan", file)


@claim
def a_missing_or_cut_secret_is_an_error_and_no_new_grid(home):
    file = home.file(template())
    home.run("up", file)
    secret = home.record_path("lab").with_name("secret")
    whole = secret.read_bytes()
    secret.unlink()
    must_refuse(home, file, "secret", "missing")
    secret.write_bytes(whole[:5])
    must_refuse(home, file, "secret")
    secret.write_bytes(whole)
    home.run("plan", file)


@claim
def the_secret_is_readable_by_its_owner_alone_and_nowhere_else(home):
    home.run("up", home.file(template()))
    secret = home.record_path("lab").with_name("secret")
    assert secret.stat().st_mode & 0o777 == 0o600 and len(secret.read_bytes()) == 32
    assert home.record_path("lab").stat().st_mode & 0o077 == 0
    for path in home.path.rglob("*"):
        if path.is_file() and path != secret:
            content = path.read_bytes()
            assert secret.read_bytes() not in content, path
            assert secret.read_bytes().hex().encode() not in content, path


@claim
def a_record_of_an_unknown_site_is_told_of_and_the_others_are_shown(home):
    file = home.file(template(0))
    home.run("up", file)
    home.run("up", file, "--name", "other")
    edited(home, site="moon:3")
    home.run("status", "lab", code=2).says("there is no site 'moon:3'")
    home.run("list").shows("lab@fake", "other@fake").says("there is no site 'moon:3'")
    home.run("status", "other")
    home.run("down", "other", "--delete-disks")


@claim
def a_broken_record_does_not_hinder_other_grids(home):
    file = home.file(template(0))
    home.run("up", file)
    home.run("up", file, "--name", "other")
    home.record_path("lab").write_text("{")
    home.run("up", file, "--name", "other", "--set", "workers=1")
    home.run("status", "other")
    home.run("down", "other", "--delete-disks")


@claim
def a_draft_of_a_record_is_no_record(home):
    file = home.file(template(0))
    home.run("up", file)
    folder = home.record_path("lab").parent
    shutil.copy(home.record_path("lab"), folder / "record.json.new")
    (home.path / "grids" / "empty@fake").mkdir()
    assert [grid["name"] for grid in home.json("list")["grids"]] == ["lab"]
    home.run("down", "lab", "--delete-disks")
    (home.path / "grids" / "empty@fake").rmdir()
    (home.path / "grids").rmdir()
    home.must_be_empty()


@claim
def a_store_without_a_uuid_is_told_of(home):
    file = home.file(template(0))
    home.run("up", file)
    (home.path / "store").write_text("nonsense")
    home.run("up", file, code=1).says("does not hold a uuid")


def limited(size):
    """What is done in the child: no file may grow beyond `size`, and that is an error, no signal."""
    def act():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return act


@claim
def a_record_that_cannot_be_written_stays_as_it_was(home):
    home.run("up", home.file(template(0)))
    before = home.record_path("lab").read_bytes()
    worlds = [home.world(kind) for kind in ("compute", "net", "storage")]
    after = home.file(template(1))
    # Room for the small files that every command writes, not for the record.
    result = home.run("up", after, code=1, preexec_fn=limited(512))
    result.says("saving the record of 'lab'", "File too large")
    assert home.record_path("lab").read_bytes() == before
    assert worlds == [home.world(kind) for kind in ("compute", "net", "storage")]
    assert sorted(path.name for path in home.record_path("lab").parent.iterdir()) == \
        ["record.json", "secret"], "a draft is left"
    home.run("up", after)


@claim
def a_full_file_system_is_told_of_and_nothing_is_half_made(home):
    """In a mount namespace of its own, on a tmpfs of a few pages."""
    script = """
import os, pathlib, subprocess, sys
program, home, template = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", home], check=True)
def run(*words):
    return subprocess.run([program, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
first = run("up", template)
assert first.returncode == 0, first.stderr
fill = os.open(home + "/fill", os.O_WRONLY | os.O_CREAT)
try:
    while True:
        os.write(fill, b"x" * 512)
except OSError:
    pass
record = next(pathlib.Path(home).glob("grids/*/record.json"))
before = record.read_bytes()
full = run("up", template, "--set", "workers=1")
assert full.returncode == 1, (full.returncode, full.stderr)
assert "writing the ledger of site 'fake'" in full.stderr, full.stderr
assert "No space left on device" in full.stderr, full.stderr
assert record.read_bytes() == before
os.close(fill)
os.unlink(home + "/fill")
again = run("up", template, "--set", "workers=1")
assert again.returncode == 0, again.stderr
"""
    home.path.mkdir()
    arguments = ["unshare", "-Urm", "python3", "-c", script, vgrid.PROGRAM, str(home.path),
                 str(home.file(template(0)))]
    done = subprocess.run(arguments, env=home.environment(), capture_output=True, text=True,
                          check=False)
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        assert not os.environ.get("CI"), "the full run skips nothing: no user namespace can be had here"
        print("skipped: no user namespace can be had here")
        return
    assert done.returncode == 0, done.stderr


@claim
def a_home_that_may_not_be_written_is_told_of(home):
    if os.geteuid() == 0:
        as_user = {"user": 65534, "group": 65534, "extra_groups": []}
        os.chmod(home.folder, 0o755)
    else:
        as_user = {}
    file = home.file(template(0))
    file.chmod(0o644)
    home.path.mkdir()
    home.path.chmod(0o555)
    home.run("up", file, code=1, **as_user).says("Permission denied", str(home.path))
    home.run("list", **as_user).shows("No grids")
    home.run("plan", file, code=None, **as_user)
    home.run("check", file, **as_user)
    assert not list(home.path.iterdir())


@claim
def a_home_that_is_a_file_is_told_of(home):
    home.path.write_text("x")
    for words in (("list",), ("up", home.file(template(0)))):
        home.run(*words, code=1).says(str(home.path))


@claim
def a_home_with_blanks_and_of_two_hundred_characters_works(home):
    home.path = home.folder / "a b" / ("c d " * 50).strip()
    file = home.file(template(0), "a template.yaml")
    home.run("up", file)
    home.run("up", file).says("nothing to do")
    home.run("down", "lab", "--delete-disks")
    home.must_be_empty()


@claim
def a_lost_record_leaves_what_gc_can_find(home):
    home.run("up", home.file(template()))
    shutil.rmtree(pathlib.Path(home.record_path("lab")).parent)
    result = home.run("up", home.file(template()), code=None)
    assert result.code == 1, str(result)


if __name__ == "__main__":
    main()
