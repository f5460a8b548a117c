#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What was changed behind vgrid's back is named by status, and up mends just that."""

from vgrid import claim, main, must_equal, template


class Drift:
    """A grid, its worlds, and what status says of them."""

    def __init__(self, home, **changes):
        self.home = home
        self.file = home.file(template(**changes))
        home.run("up", self.file)
        self.boots = home.boots()
        self.must_be([])

    def machine(self, node, change):
        """Changes the machine of a node in the world; `change` gets it, or None removes it."""
        world = self.home.world("compute")
        for host in world["hosts"].values():
            for uuid, machine in list(host["machines"].items()):
                if machine["node"] == node and change:
                    change(machine)
                elif machine["node"] == node:
                    del host["machines"][uuid], host["names"][machine["name"]]
        self.home.set_world("compute", **world)

    def lose(self, node):
        """The machine is gone, and what comes has another boot id, as with a real one."""
        self.machine(node, lambda machine: machine.update(boot_id="before"))
        self.boots = self.home.boots()
        self.machine(node, None)

    def network(self, node, change):
        """Changes the overlay of the host that the node runs on."""
        world = self.home.world("net")
        for slice in world["hosts"][self.home.machines()[f"lab.{node}"]["host"]].values():
            change(slice["overlays"][0])
        self.home.set_world("net", **world)

    def volume(self, path, change):
        world = self.home.world("storage")
        for volumes in world["volumes"].values():
            for tag in [tag for tag in volumes if tag.endswith("/" + path)]:
                if change:
                    volumes[tag].update(change)
                else:
                    del volumes[tag]
        self.home.set_world("storage", **world)

    def must_be(self, differences):
        status = self.home.json("status", "lab", "--check", code=3 if differences else 0)
        must_equal(differences, status["differences"])
        return {node["name"]: node for node in status["nodes"]}

    def mend(self, touched, *options):
        """`up` boots just these anew, and then nothing differs."""
        result = self.home.run("up", self.file, *options)
        after = self.home.boots()
        assert sorted(after) == sorted(self.boots)
        assert sorted(name for name in after if after[name] != self.boots[name]) == \
            sorted(f"lab.{node}" for node in touched), f"{result}\n{self.boots}\n{after}"
        self.boots = after
        self.must_be([])
        self.home.run("up", self.file).says("nothing to do")


def off(state, reason):
    def change(machine):
        machine.update(state=state, reason=reason)
        machine.pop("now")
    return change


@claim
def a_guest_that_ended_is_shown_with_the_reason_and_started_again(home):
    drift = Drift(home)
    for state, reason in (("crashed", "its emulator died"),
                          ("stopped", "the guest powered itself off"),
                          ("stopped", "switched off from outside")):
        drift.machine("worker-1", off(state, reason))
        nodes = drift.must_be([f"worker-1: start: it is {state}, {reason}"])
        assert (nodes["worker-1"]["state"], nodes["worker-1"]["reason"]) == (state, reason)
        home.run("status", "lab").shows(f"{state} ({reason})")
        drift.mend(["worker-1"])


@claim
def a_guest_that_panicked_is_shown_as_such_and_started_again(home):
    drift = Drift(home)
    drift.machine("worker-0", lambda it: it.update(state="crashed", reason="the guest panicked"))
    drift.must_be(["worker-0: start: it is crashed, the guest panicked"])
    drift.mend(["worker-0"])


@claim
def a_paused_guest_goes_on_from_where_it_was(home):
    drift = Drift(home)
    drift.machine("head", lambda it: it.update(state="paused", reason="from outside"))
    drift.must_be(["head: resume: it is paused, from outside"])
    drift.mend([])


@claim
def a_definition_that_is_gone_or_changed_is_written_again_while_the_guest_goes_on(home):
    drift = Drift(home)
    drift.machine("worker-0", lambda it: it.pop("next"))
    drift.must_be(["worker-0: define it again: its definition is gone"])
    drift.mend([])
    drift.machine("worker-1", lambda it: it["next"].update(memory=256 << 20, cpu=3, links=[]))
    drift.must_be(["worker-1: define it again: its next start would differ: its memory is 256MiB "
                   "instead of 128MiB, its cpu is 3 instead of 1, its nic on 'lan' is detached"])
    drift.mend([])


@claim
def a_machine_that_is_gone_is_started_from_its_disks(home):
    drift = Drift(home)
    drift.lose("worker-1")
    host = home.json("status", "lab")["nodes"][2]["host"]
    drift.must_be([f"worker-1: start on {host} from its disks"])
    volumes = home.volumes()
    drift.mend(["worker-1"])
    must_equal(volumes, home.volumes())


@claim
def what_runs_in_another_form_is_started_again_after_being_asked(home):
    drift = Drift(home)
    drift.machine("head", lambda it: it["now"].update(memory=512 << 20))
    drift.must_be(["head: restart: its memory is 512MiB instead of 256MiB"])
    home.run("up", drift.file, code=2).says("'-y' goes ahead")
    drift.mend(["head"], "-y")
    drift.machine("head", lambda it: it["now"]["disks"].pop())
    drift.must_be(["head: restart: its disk 'data' is detached"])
    drift.mend(["head"], "-y")


@claim
def a_bridge_or_a_vxlan_device_is_mended_under_running_guests(home):
    drift = Drift(home)
    drift.network("head", lambda overlay: overlay.update(bridge=None, vni=0, ports=overlay["ports"]))
    drift.must_be(["host-0: mend networks: network 'lan' has no bridge that works"])
    drift.mend([])
    drift.network("head", lambda overlay: overlay.update(vni=0))
    drift.must_be(["host-0: mend networks: network 'lan' has no VXLAN device that works"])
    drift.mend([])


@claim
def a_guest_whose_tap_is_gone_gets_another_by_a_restart(home):
    drift = Drift(home)
    drift.network("head", lambda overlay: overlay.update(ports=[
        port for port in overlay["ports"] if "/head/" not in port["tag"]]))
    drift.must_be(["head: restart: the tap of its nic on 'lan' is gone",
                   "host-0: mend networks: port of 'head' on 'lan' is missing"])
    drift.mend(["head"], "-y")


@claim
def two_things_at_once_are_both_named(home):
    drift = Drift(home)
    drift.network("head", lambda overlay: overlay.update(vni=0))
    drift.machine("worker-0", off("crashed", "its emulator died"))
    drift.must_be(["worker-0: start: it is crashed, its emulator died",
                   "host-0: mend networks: network 'lan' has no VXLAN device that works"])
    drift.mend(["worker-0"])


@claim
def a_seed_is_written_again_and_a_root_disk_made_anew(home):
    drift = Drift(home)
    for change in (None, {"is_broken": True}):
        drift.volume("node/worker-0/seed", change)
        drift.must_be(["worker-0: write its seed again"])
        drift.mend([])
        drift.volume("node/worker-0/disk/root", change)
        drift.must_be(["worker-0: recreate the root disk: its root disk is gone or cannot be read"])
        home.run("up", drift.file, code=2).says("'-y' goes ahead")
        drift.mend(["worker-0"], "-y")


LOST = "its data disk 'data' is gone or cannot be read: only '--replace head/data' makes it anew, empty"


@claim
def a_data_disk_that_is_gone_is_named_and_made_anew_only_by_the_word(home):
    drift = Drift(home)
    for change in (None, {"is_broken": True}):
        drift.volume("node/head/disk/data", change)
        drift.must_be([f"head: {LOST}"])
        before = home.volumes()
        for options in ((), ("-y",), ("-y", "--replace", "head/other")):
            home.run("up", drift.file, *options, code=1).says("'data' of 'head' is gone",
                                                              "--replace head/data")
        must_equal(before, home.volumes())
        assert home.boots() == drift.boots
        drift.mend(["head"], "-y", "--replace", "head/data")


@claim
def a_lost_data_disk_is_known_from_the_record_alone(home):
    """Also where no machine is left to tell of it, and while another change is only half done."""
    drift = Drift(home)
    drift.volume("node/head/disk/data", None)
    drift.lose("head")
    host = home.json("status", "lab")["nodes"][0]["host"]
    drift.must_be([f"head: start on {host} from its disks", f"head: {LOST}"])
    home.run("up", drift.file, "-y", code=1).says("'data' of 'head' is gone")
    home.run("up", home.file(template(3)), "-y", code=1).says("'data' of 'head' is gone")
    drift.mend(["head"], "-y", "--replace", "head/data")


@claim
def a_disk_that_was_never_made_is_no_loss(home):
    """Cut off before the disk was made, up goes on and makes it."""
    file = home.file(template())
    home.run("up", file, rules="compute.define:kill@1", code=None)
    home.run("up", file)
    disks = {"data": {"size": "1GiB", "mount": "/data"}, "more": {"size": "2GiB"}}
    file = home.file(template(head={"disks": disks}))
    home.run("up", file, "-y", rules="storage.create:kill@1", code=None)
    home.run("up", file, "-y")
    home.run("status", "lab", "--check")


if __name__ == "__main__":
    main()
