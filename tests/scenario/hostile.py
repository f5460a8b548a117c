#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What means harm, given to the real program: a clear answer in bounded time and memory."""

import os
import resource
import signal
import struct
import subprocess
import time

import vgrid
from vgrid import claim, main

CLUSTER = 1 << 16
MIB = 1 << 20
SECONDS_MAX = 20  # under sanitizers, on a machine with other work


def qcow2(backing_at=0, size=MIB, crypt=0, l1_entries=1, incompatible=0):
    """The header of an empty qcow2 image (QEMU docs/interop/qcow2.txt)."""
    return (b"QFI\xfb" + struct.pack(">IQIIQIIQQIIQ", 3, backing_at, 11 if backing_at else 0, 16,
                                     size, crypt, l1_entries, 3 * CLUSTER, CLUSTER, 1, 0, 0)
            + struct.pack(">QQQII", incompatible, 0, 0, 4, 104)).ljust(200, b"\0") + b"/etc/shadow"


def put(home, name, content, size=4 * CLUSTER):
    path = home.folder / name
    with open(path, "wb") as file:
        file.write(content)
        file.truncate(max(size, len(content)))
    return path


def timed(home, *arguments, code, **options):
    begin = time.monotonic()
    result = home.run(*arguments, code=code, **options)
    assert time.monotonic() - begin < SECONDS_MAX, f"{time.monotonic() - begin:.1f} s\n{result}"
    assert len(result.err) < 100_000, f"{len(result.err)} characters"
    return result


@claim
def a_hostile_image_is_refused_by_import_and_by_up_before_anything_is_made(home):
    images = [
        (put(home, "backing.qcow2", qcow2(backing_at=200)), "it has a backing file"),
        (put(home, "data.qcow2", qcow2(incompatible=4)), "keeps its data in another file"),
        (put(home, "encrypted.qcow2", qcow2(crypt=2)), "it is encrypted"),
        (put(home, "huge.qcow2", qcow2(size=1 << 63)), "claims 9223372036854775808 bytes"),
        (put(home, "tables.qcow2", qcow2(l1_entries=0xffffffff)), "tables of an absurd size"),
        (put(home, "like.raw", qcow2()), "begins like qcow2"),
        (put(home, "empty.raw", b"", 0), "a disk of 0 bytes"),
    ]
    for name, link in (("loop.raw", "loop.raw"), ("zero.raw", "/dev/zero")):
        (home.folder / name).symlink_to(link)
    os.mkfifo(home.folder / "pipe.raw")
    (home.folder / "folder.raw").mkdir()
    images += [(home.folder / "loop.raw", "Too many levels of symbolic links"),
               (home.folder / "zero.raw", "is no regular file"),
               (home.folder / "pipe.raw", "is no regular file"),
               (home.folder / "folder.raw", "is no regular file")]
    for path, text in images:
        timed(home, "image", "import", path, code=1).says(text)
        template = home.file({"vgrid": 1, "name": "t", "images": {"b": {"file": path.name}},
                              "roles": {"h": {"image": "b"}}})
        timed(home, "up", template, "-y", "--site", "sandbox", code=1).says(
            text, f"{template}:", "getting image 'b'")
    assert home.json("list")["grids"] == []


@claim
def an_interrupted_import_ends_at_once_and_leaves_nothing(home):
    path = put(home, "long.raw", b"", 200 << 30)
    process = home.start("image", "import", path)
    images = home.path / "images"
    home.until(process, lambda: images.exists() and any(
        name.startswith(".new-") for name in os.listdir(images)))
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    home.end(process).must(130).says("interrupted")
    assert time.monotonic() - begin < SECONDS_MAX
    assert not any(name.startswith(".new-") for name in os.listdir(images))


@claim
def a_template_that_is_no_file_or_no_template_is_refused_in_bounded_time(home):
    folder = home.folder
    os.mkfifo(folder / "pipe.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "big.yaml").write_bytes(b"a" * 10 * MIB)
    (folder / "endless.yaml").symlink_to("/dev/zero")
    (folder / "roles.yaml").write_text(
        "vgrid: 1\nname: t\nroles:\n" + "".join(f"  a{i}: {{image: b}}\n" for i in range(50_000)))
    for name, text in (("pipe.yaml", "is a pipe that nobody writes to"),
                       ("loop.yaml", "Too many levels of symbolic links"),
                       ("big.yaml", "is larger than a template may be, 1MiB"),
                       ("endless.yaml", "larger than a template, 1MiB, or a site file, 16MiB, may be"),
                       ("roles.yaml", "has 50000 entries, and at most 1024 are allowed"),
                       (".", "Is a directory"), ("none.yaml", "there is no file 'none.yaml'")):
        timed(home, "check", name, code=2).says(text)
    with open("/dev/zero", "rb") as zero:
        timed(home, "check", "-", code=2, stdin=None, preexec_fn=lambda: os.dup2(
            zero.fileno(), 0)).says("'<stdin>' is larger than a template, 1MiB")
    timed(home, "check", "-", code=2, stdin="[" * 100_000).says("nested deeper than any field")
    timed(home, "check", "-", code=2, stdin="a: >\n" + "   \n" * 100_000).says(
        "more than 1000 lines in a row are empty")
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 64))
    timed(home, "check", "-", code=2, stdin=bomb).says("aliases are not part of the language")


@claim
def a_hostile_template_takes_little_memory(home):
    if "ASAN_OPTIONS" in os.environ or b"libasan" in subprocess.run(
            ["ldd", vgrid.PROGRAM], capture_output=True, check=True).stdout:
        return  # a sanitizer's shadow is larger than any bound
    limit = 512 * MIB
    for text in ("[" * MIB, "a: [" * 100_000, "- a\n" * 250_000, "{a: " * 100_000, "&a " * 100_000,
                 "roles: {a: {ready: {console: \"((a|b)?){9999}\"}}}"):
        timed(home, "check", "-", code=2, stdin=text[:MIB - 1],
              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))


if __name__ == "__main__":
    main()
