# SPDX-License-Identifier: Apache-2.0
"""A thousand overlays made and deleted: our kernel driver, against one `ip -batch` of the same."""

import re

from common import must_have, order

VARIANTS = ["vgrid", "ip -batch"]


def overlays(place, report, options):
    must_have("ip", "unshare")
    size = options.sizes[0] if options.sizes else 10 if options.quick else 1000
    for number in range(1 if options.quick else options.rounds or 3):
        for variant in order(VARIANTS, number):
            # A network namespace each, so that nothing is left of the one before.
            out = place.run("unshare", "-Urn", options.helpers / "bench-overlays",
                            "driver" if variant == "vgrid" else "batch", size,
                            cwd=place.folder)
            made, deleted, cpu = map(float, re.findall(r"[\d.]+", out))
            report.row("overlays", variant, number, make=made, delete=deleted, cpu=cpu)
    for name in ("make", "delete", "cpu"):
        report.summary("overlays", name)
        # Deleting is the kernel's own time on both sides.
        report.ratio("overlays", name, "vgrid", "ip -batch", 1 if name == "make" else None)
