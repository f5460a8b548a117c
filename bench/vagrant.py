# SPDX-License-Identifier: Apache-2.0
"""`vgrid up` against `vagrant up` with vagrant-libvirt: the same guests, without hardware acceleration.

Both are done when every node has given an ssh session. vagrant needs a libvirtd of the system, with its
network driver, so root: bench/vagrant-host makes it one in namespaces of its own, and everything that can
be done before is done before (a warm libvirtd, the box added, each guest's overlay and seed). `vgrid up`
makes its box, libvirtd, networks, overlays and seeds within the time measured.
"""

import os
import shutil
import subprocess
import time

from common import SOURCE, Failed, Meter, must_have_packages, order, reap
from guests import Lab, template, up_vgrid

HOST = SOURCE / "bench" / "vagrant-host"
NAMESPACES = ("-m", "-n", "-i", "-u", "-p", "--fork", "--mount-proc", "--kill-child")
LOG_TAIL_CHARACTERS = 3000

GUEST = """  config.vm.define "guest-{number}" do |node|
    node.vm.provider :libvirt do |v|
      v.management_network_mac = "{mac}"
      v.storage :file, path: "root{number}.qcow2", allow_existing: true, type: "qcow2", size: "1G",
                bus: "virtio", serial: "root"
      v.storage :file, path: "seed{number}.raw", allow_existing: true, type: "raw", size: "1M",
                bus: "virtio", serial: "seed"
    end
  end
"""

# The guests find their disks by serial, which the disk of a box cannot have: that one stays empty.
FILE = """Vagrant.configure("2") do |config|
  config.vm.box = "tiny"
  config.vm.guest = :linux
  config.vm.allow_fstab_modification = false
  config.vm.synced_folder ".", "/vagrant", disabled: true
  config.ssh.username = "root"
  config.ssh.private_key_path = "{folder}/key"
  config.ssh.insert_key = false
  config.ssh.shell = "sh"
  config.vm.provider :libvirt do |v|
    v.driver = "qemu"
    v.uri = "qemu:///system"
    v.memory = 128
    v.cpus = 1
    v.cpu_mode = "custom"
    v.cpu_model = "qemu64"
    v.machine_type = "q35"
    v.graphics_type = "none"
    v.video_type = "none"
    v.usb_controller model: "none"
    v.memballoon_enabled = false
    v.kernel = "{folder}/kernel"
    v.initrd = "{folder}/initrd"
    v.cmd_line = "{append}"
    v.random model: "random"
    v.qemu_use_agent = true
    v.channel type: "unix", target_name: "org.qemu.guest_agent.0", target_type: "virtio"
    v.management_network_name = "vagrant-libvirt"
    v.management_network_address = "10.9.0.0/24"
    v.storage_pool_path = "/var/lib/libvirt/images"
  end
{guests}end
"""


def prepare(place, n_nodes):
    """The folder with all that the guests are made of, taken from a grid that was brought up once."""
    place.vgrid("up", place.write("lab.json", template("lab", "tiny", n_nodes)), "-q")
    private_key = place.vgrid("exec", "-q", "lab", "guest-0", "--", "cat", "/root/.ssh/id_ed25519")
    lab = Lab(place, "tiny", n_nodes)
    folder = place.folder / f"vagrant-{n_nodes}"
    folder.mkdir(mode=0o755)
    write_key(folder / "key", private_key)
    line = lab.lines[0]
    image = place.home / "images" / line[line.index("-kernel") + 1].split("/")[2]
    for name in ("kernel", "initrd", "root"):
        shutil.copy(image / name, folder / name)
    guests = ""
    for number, name in enumerate(lab.names):
        seed, = lab.folder.glob(f"volumes/*/node.{name}.seed/seed.raw")
        shutil.copy(seed, folder / f"seed{number}.raw")
        words = " ".join(lab.lines[number])
        guests += GUEST.format(number=number, mac=words.split('"mac":"', 1)[1].split('"', 1)[0])
    append = line[line.index("-append") + 1]
    (folder / "Vagrantfile").write_text(FILE.format(folder=folder, append=append, guests=guests))
    place.vgrid("down", "lab")
    reap()
    return folder


def write_key(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w",
              encoding="utf-8") as file:
        file.write(text)


class Host:
    """The namespaces with a libvirtd; commands are lines, each answered by a line when it is done."""

    def __init__(self, place, folder, n_nodes):
        self.log = place.folder / "vagrant.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = place.start("unshare", *NAMESPACES, "bash", HOST, folder, n_nodes,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                       text=True)
        self.await_answer("a host for vagrant")

    def await_answer(self, what):
        if self.process.stdout.readline() != "done\n":
            said = self.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
            raise Failed(f"{what}: the last that was said:\n{said}")

    def ask(self, word):
        try:
            self.process.stdin.write(f"{word}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass # the answer says why
        self.await_answer(f"vagrant {word}")

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def up_vagrant(place, folder, report, bench, n_nodes, number):
    host = Host(place, folder, n_nodes)
    with Meter() as meter:
        host.ask("up")
        meter.stop()
    report.row(bench, "vagrant", number, wall=meter.wall, cpu=meter.cpu)
    begun = time.monotonic()
    host.ask("destroy")
    report.row(bench, "vagrant down", number, wall=time.monotonic() - begun)
    host.end()
    reap()


def log_in(place, n_nodes):
    """An ssh session on every node of the grid that is measured, all at once."""
    folder = place.folder / "ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    sessions = [place.start(place.program, "ssh", "measured", f"guest-{i}", "--", "true",
                            env=place.environment(XDG_RUNTIME_DIR=str(folder)))
                for i in range(n_nodes)]
    for i, session in enumerate(sessions):
        if session.wait() != 0:
            raise Failed(f"guest-{i} gave no ssh session: exit {session.returncode}")


def compare(place, report, bench, n_nodes, n_rounds):
    folder = prepare(place, n_nodes)
    variants = {
        "vgrid": lambda number: up_vgrid(place, report, bench, "tiny", n_nodes, number,
                                         lambda: log_in(place, n_nodes)),
        "vagrant": lambda number: up_vagrant(place, folder, report, bench, n_nodes, number),
    }
    for number in range(n_rounds):
        for variant in order(list(variants), number):
            variants[variant](number)
    for name in ("wall", "cpu"):
        report.summary(bench, name)
        report.ratio(bench, name, "vgrid", "vagrant")
    report.ratio(bench, "wall", "vgrid down", "vagrant down")


def vagrant(place, report, options):
    must_have_packages("vagrant", as_root=True)
    for n_nodes in options.sizes or ([1] if options.quick else [2]):
        compare(place, report, f"vagrant-{n_nodes}", n_nodes,
                1 if options.quick else options.rounds or 3)
