# SPDX-License-Identifier: Apache-2.0
"""A hundred copy-on-write disks: our storage driver, against `qemu-img create` a hundred times."""

import shutil

from common import Meter, must_have, order

VARIANTS = ["vgrid", "qemu-img"]


def disks(place, report, options):
    must_have("qemu-img")
    size = options.sizes[0] if options.sizes else 5 if options.quick else 100
    golden = place.folder / "golden.qcow2"
    place.run("qemu-img", "create", "-q", "-f", "qcow2", golden, "1G")
    for number in range(1 if options.quick else options.rounds or 7):
        for variant in order(VARIANTS, number):
            folder = place.folder / f"disks-{number}-{variant}"
            folder.mkdir()
            if variant == "vgrid":
                # The helper's own words: seconds of the creates alone, the image taken in before.
                with Meter() as meter:
                    out = place.run(options.helpers / "bench-disks", folder, golden, size)
                wall = float(out.split()[0])
            else:
                with Meter() as meter:
                    for i in range(size):
                        place.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2",
                                  "-b", golden, folder / f"{i}.qcow2")
                wall = meter.wall
            report.row("disks", variant, number, wall=wall, cpu=meter.cpu)
            shutil.rmtree(folder)
    for name in ("wall", "cpu"):
        report.summary("disks", name)
    report.ratio("disks", "wall", "vgrid", "qemu-img", 1)
