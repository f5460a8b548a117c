# SPDX-License-Identifier: Apache-2.0
"""A grid of real guests: `vgrid up` against what it stands on.

The rivals get what costs them least: a box that is there already (that of a grid `lab`, whose guests were
stopped), with its taps, seeds, pristine overlays, and a warm libvirtd.

  qemu    the very command lines that libvirt gives to QEMU, started by hand in parallel: the limit
  virsh   a loop of `virsh define; virsh start`
  api     define + start alone, by the C API with 8 threads (bench/define_start.c)
  api-hint  the same with the hint to libvirt that vgrid gives: what of vgrid's time is its own
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from common import Failed, Meter, descendants, must_have, order, processes, reap, until

API_THREADS = 8
# What vgrid adds to a domain so that libvirt asks less of its emulator (compute/domain_xml.c); nobody
# else does, so the rivals' domains are without.
HINT = re.compile(r"\s*<qemu:capabilities>.*</qemu:capabilities>", re.DOTALL)
READY = {"tiny": b"vgrid: ready", "stub": b"UP"}

# 16-bit code at 7c00: sets up COM1, sends "UP\r\n" byte by byte when the port is free, halts for good.
STUB = bytes.fromhex(
    "fa31c08ed8"            # cli; xor ax,ax; mov ds,ax
    "be207c"                # mov si, 0x7c20
    "bafd03"                # next: mov dx, 0x3fd
    "ec" "a820" "74fb"      # wait: in al,dx; test al,0x20; jz wait
    "ac" "84c0" "7406"      # lodsb; test al,al; jz halt
    "baf803" "ee" "ebed"    # mov dx,0x3f8; out dx,al; jmp next
    "f4" "ebfd")            # halt: hlt; jmp halt


def stub_disk():
    """The boot sector, and as much behind it as makes a disk that a BIOS can read."""
    code = STUB.ljust(0x20, b"\x90") + b"UP\r\n\0"
    return (code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0")


def template(name, kind, n_nodes):
    role = {"count": n_nodes, "image": "base", "cpu": 1, "memory": "128MiB", "nics": ["lan"]}
    if kind == "stub":
        role.update(memory="32MiB", ready={"console": "UP"})
    image = {"builtin": "tiny"} if kind == "tiny" else {"file": "stub.raw", "format": "raw"}
    return json.dumps({"vgrid": 1, "name": name, "images": {"base": image},
                       "networks": {"lan": {"cidr": "10.9.0.0/24"}}, "roles": {"guest": role}})


class Lab:
    """A grid that was brought up once; its box stays for the rivals, its guests do not."""

    def __init__(self, place, kind, n_nodes):
        self.place, self.kind, self.n_nodes = place, kind, n_nodes
        place.vgrid("up", place.write("lab.json", template("lab", kind, n_nodes)), "-q")
        grid = place.home / "grids" / "lab@sandbox"
        uuid = json.loads((grid / "record.json").read_text())["uuid"]
        self.folder = grid / "host-0"
        self.names = [f"guest-{i}" for i in range(n_nodes)]
        self.box = self.find_box(f":{uuid}/host/0")
        self.uri = f"qemu+unix:///session?socket=/proc/{self.box}/root" + self.find_socket()
        self.lines = [self.command_line(name) for name in self.names]
        self.xml, self.hinted = [], []
        for name in self.names:
            xml = self.virsh("dumpxml", "--inactive", f"lab.{name}")
            self.hinted.append(place.write(f"{name}.hinted.xml", xml))
            self.xml.append(place.write(f"{name}.xml", HINT.sub("", xml)))
        self.overlays = {}
        for path in self.folder.rglob("disk.qcow2"):
            info = json.loads(place.run("qemu-img", "info", "-U", "--output=json", path))
            self.overlays[path] = (info["backing-filename"], info["backing-filename-format"],
                                   info["virtual-size"])
        (self.folder / "bench").mkdir()
        owner = os.stat(self.folder)
        if os.geteuid() == 0:
            os.chown(self.folder / "bench", owner.st_uid, owner.st_gid)
        self.stop()

    def find_box(self, tag):
        for pid in descendants():
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            if tag in words and re.search(r"^NSpid:.*\s1$", status, re.MULTILINE):
                return pid
        raise Failed("the box of the grid 'lab' was not found")

    def find_socket(self):
        path = "/run/vg/libvirt/libvirt-sock"
        self.inside("test", "-S", path)
        return path

    def enter(self, *words):
        """Words that run a program in the namespaces of the box."""
        return [*self.nsenter(), "-m", "-n", "-p", "-i", "-u", "--", *words]

    def nsenter(self):
        # An ordinary user is uid 0 in there as it is; root's own uid is not known there.
        words = ["nsenter", "-t", self.box, "-U"]
        return words if os.geteuid() == 0 else [*words, "--preserve-credentials"]

    def inside(self, *words):
        return self.place.run(*self.enter(*words))

    def connected(self, *words):
        """Words that run a program as the box's owner, with this machine's files."""
        return [*self.nsenter(), "--", *words]

    def virsh(self, *words):
        return self.place.run(*self.connected("virsh", "-q", "-c", self.uri, *words))

    def command_line(self, name):
        for pid in descendants():
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
            except (OSError, UnicodeDecodeError):
                continue
            if any(word.startswith(f"guest=lab.{name},") for word in words):
                return adapt(words, name, self.tap_of(name))
        raise Failed(f"the emulator of {name} was not found")

    def tap_of(self, name):
        xml = self.virsh("dumpxml", f"lab.{name}")
        return re.search(r"<target dev='([^']+)' managed='no'/>", xml)[1]

    def stop(self):
        """No guest runs, all overlays are as they were made, logs are empty."""
        for name in self.names:
            try:
                self.virsh("destroy", f"lab.{name}")
            except Failed:
                pass # it does not run
        for path, (backing, backing_format, size) in self.overlays.items():
            owner = os.stat(path)
            self.place.run("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", backing_format,
                           "-b", backing, path, size)
            if os.geteuid() == 0:
                os.chown(path, owner.st_uid, owner.st_gid)
        for path in (self.folder / "bench").iterdir():
            path.unlink()

    def undefine(self):
        for name in self.names:
            self.virsh("undefine", f"lab.{name}")

    def define(self):
        for xml in self.xml:
            self.virsh("define", xml)

    def console(self, name):
        return self.folder / "console" / f"lab.{name}.log"

    def await_consoles(self, paths, offsets):
        word = READY[self.kind]
        waiting = dict(zip(paths, offsets))

        def all_answered():
            for path in list(waiting):
                text = path.read_bytes()[waiting[path]:] if path.exists() else b""
                if word in text:
                    del waiting[path]
            return not waiting

        until(all_answered, "all guests have answered")


def adapt(words, name, tap):
    """The same machine without libvirt: what came as descriptors of libvirt's becomes paths."""
    line, skips = [], 0
    for word, after in zip(words, [*words[1:], ""]):
        if skips:
            skips -= 1
        elif word == "-S":
            continue
        elif word == "-add-fd" or (word == "-object" and '"masterKey0"' in after):
            skips = 1
        else:
            word = re.sub(r"^socket,id=(\w+),fd=\d+", rf"socket,id=\1,path=/v/bench/{name}.\1", word)
            word = word.replace("/dev/fdset/0", f"/v/bench/{name}.log")
            word = re.sub(r'"type":"tap","fd":"\d+"',
                          f'"type":"tap","ifname":"{tap}","script":"no","downscript":"no"', word)
            line.append(word)
    return line


def up_vgrid(place, report, bench, kind, n_nodes, number, reach=lambda: None):
    """An `up` with what `reach` does behind it, and a `down`."""
    file = place.write("measured.json", template("measured", kind, n_nodes))
    with Meter() as meter:
        place.vgrid("up", file, "-q")
        reach()
    report.row(bench, "vgrid", number, wall=meter.wall, cpu=meter.cpu)
    # No CPU time: what ends with its process namespace is counted by nobody.
    begun = time.monotonic()
    place.vgrid("down", "measured")
    report.row(bench, "vgrid down", number, wall=time.monotonic() - begun)
    reap()


def up_qemu(lab, report, bench, number):
    # nsenter forks: its child is the emulator.
    with Meter() as meter:
        started = [lab.place.start(*lab.enter(*line), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL) for line in lab.lines]
        logs = [lab.folder / "bench" / f"{name}.log" for name in lab.names]
        lab.await_consoles(logs, [0] * len(logs))
        meter.stop()
    report.row(bench, "qemu", number, wall=meter.wall, cpu=meter.cpu)
    parents = {process.pid for process in started}
    emulators = [pid for pid, (parent, _, _) in processes().items() if parent in parents]
    begun = time.monotonic()
    for pid in emulators:
        os.kill(pid, signal.SIGKILL)
    for process in started:
        process.wait()
    report.row(bench, "qemu down", number, wall=time.monotonic() - begun)
    lab.stop()


def up_virsh(lab, report, bench, number):
    lab.undefine()
    offsets = [lab.console(name).stat().st_size for name in lab.names]
    with Meter() as meter:
        for name, xml in zip(lab.names, lab.xml):
            lab.virsh("define", xml)
            lab.virsh("start", f"lab.{name}")
        lab.await_consoles([lab.console(name) for name in lab.names], offsets)
        meter.stop()
    report.row(bench, "virsh", number, wall=meter.wall, cpu=meter.cpu)
    lab.stop()


def up_api(lab, report, bench, variant, number, helpers):
    lab.undefine()
    with Meter() as meter:
        out = lab.place.run(*lab.connected(helpers / "bench-define-start", lab.uri, API_THREADS,
                                           *(lab.hinted if variant == "api-hint" else lab.xml)))
        meter.stop()
    report.row(bench, variant, number, wall=float(out), cpu=meter.cpu)
    lab.stop()


def compare(place, report, bench, kind, n_nodes, n_rounds, helpers):
    lab = Lab(place, kind, n_nodes)
    variants = {
        "vgrid": lambda number: up_vgrid(place, report, bench, kind, n_nodes, number),
        "qemu": lambda number: up_qemu(lab, report, bench, number),
        "virsh": lambda number: up_virsh(lab, report, bench, number),
    }
    if kind == "stub":
        for variant in ("api", "api-hint"):
            variants[variant] = (lambda number, variant=variant:
                                 up_api(lab, report, bench, variant, number, helpers))
    for number in range(n_rounds):
        for variant in order(list(variants), number):
            variants[variant](number)
    place.vgrid("down", "lab")
    reap()
    for name in ("wall", "cpu"):
        report.summary(bench, name)
    report.ratio(bench, "wall", "vgrid", "qemu")
    report.ratio(bench, "wall", "vgrid", "virsh")
    report.ratio(bench, "cpu", "vgrid", "virsh")


def up(place, report, options):
    must_have("nsenter", "virsh", "qemu-img")
    for n_nodes in options.sizes or ([1] if options.quick else [2, 5, 10]):
        bench = f"up-{n_nodes}"
        compare(place, report, bench, "tiny", n_nodes, 1 if options.quick else options.rounds or 3,
                options.helpers)
        is_aim = n_nodes == 10
        report.ratio(bench, "cpu", "vgrid", "qemu", 1.15 if is_aim else None)
        report.ratio(bench, "wall", "vgrid down", "qemu down", 2 if is_aim else None)


def stub(place, report, options):
    must_have("nsenter", "virsh", "qemu-img")
    (place.folder / "stub.raw").write_bytes(stub_disk())
    n_nodes = options.sizes[0] if options.sizes else 2 if options.quick else 10
    compare(place, report, "stub", "stub", n_nodes, 1 if options.quick else options.rounds or 7,
            options.helpers)
    report.ratio("stub", "wall", "vgrid", "api", 1.1)
    report.ratio("stub", "cpu", "vgrid", "api")
    report.ratio("stub", "wall", "vgrid", "api-hint")
