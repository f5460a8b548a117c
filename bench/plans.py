# SPDX-License-Identifier: Apache-2.0
"""Plans of very many nodes, and an `up` that finds nothing to do, on hosts that exist only in a file.

No rival: nothing else plans so. What counts is the time of 10,000 nodes, and that ten times the nodes cost
about ten times as much.
"""

import json
import os
import statistics
import subprocess
import time

from common import Failed

N_HOSTS = 10


def template(n_workers):
    return json.dumps({
        "vgrid": 1, "name": "many",
        "images": {"base": {"builtin": "tiny"}},
        "networks": {"lan": {"cidr": "10.0.0.0/12"}},
        "roles": {
            "head": {"image": "base", "cpu": 1, "memory": "128MiB", "nics": ["lan"]},
            "worker": {"count": n_workers, "image": "base", "cpu": 1, "memory": "128MiB",
                       "nics": ["lan"], "after": ["head"], "place": {"spread": "host"}}}})


def measure(place, *words, **environment):
    """Seconds, CPU seconds and peak MiB of one run of the program."""
    begun = time.monotonic()
    process = place.start(place.program, *words, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, env=place.environment(**environment))
    err = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        raise Failed(f"vgrid {' '.join(map(str, words))}: exit {process.returncode}\n"
                     f"{err.decode(errors='replace')}")
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss / 1024}


def plan(place, report, options):
    sizes = options.sizes or ([100] if options.quick else [1_000, 10_000, 100_000])
    for number in range(1 if options.quick else options.rounds or 5):
        for size in sizes if number % 2 == 0 else sizes[::-1]:
            file = place.write(f"many-{size}.json", template(size - 1))
            report.row("plan", f"n={size}", number,
                       **measure(place, "plan", file, "--site", f"fake:{N_HOSTS}"))
    for name, unit in (("wall", "s"), ("cpu", "s"), ("rss", "MiB")):
        report.summary("plan", name, unit)
    if 10_000 in sizes:
        report.verdict("plan", "wall of 10,000 nodes", report.median("plan", "n=10000", "wall"),
                       0.5, " s")
        report.verdict("plan", "peak memory of 10,000 nodes",
                       report.median("plan", "n=10000", "rss"), 100, " MiB")
    for few, many in zip(sizes, sizes[1:]):
        growth = (report.median("plan", f"n={many}", "cpu") /
                  max(report.median("plan", f"n={few}", "cpu"), 0.001) / (many / few))
        report.verdict("plan", f"growth from {few} to {many}, 1 is linear", growth)


def idle(place, report, options):
    """An `up` that finds nothing to do: driver calls must not grow with nodes."""
    sizes = options.sizes or ([5, 20] if options.quick else [10, 1_000])
    site = f"fake:{N_HOSTS}"
    files = {size: place.write(f"many-{size}.json", template(size - 1)) for size in sizes}
    homes = {size: str(place.folder / f"home-{size}") for size in sizes}
    for size, file in files.items():
        place.vgrid("up", file, "--site", site, env=place.environment(VGRID_HOME=homes[size]))
    for number in range(1 if options.quick else options.rounds or 5):
        for size in sizes if number % 2 == 0 else sizes[::-1]:
            trace = place.folder / "trace"
            trace.unlink(missing_ok=True)
            values = measure(place, "up", files[size], "--site", site, VGRID_HOME=homes[size],
                             VGRID_FILTER=f"trace:{trace}")
            values["calls"] = len(trace.read_text().splitlines())
            report.row("idle", f"n={size}", number, **values)
    for name, unit in (("calls", "calls"), ("wall", "s"), ("cpu", "s")):
        report.summary("idle", name, unit)
    calls = [statistics.median(report.rows["idle", f"n={size}", "calls"]) for size in sizes]
    report.verdict("idle", f"driver calls: n={sizes[-1]} / n={sizes[0]}", calls[-1] / calls[0], 1)
