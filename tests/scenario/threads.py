#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A whole life on many nodes with all its threads at work: the display of a terminal, calls that hang,
Ctrl-C in the midst. Built with ThreadSanitizer (preset tsan) it finds races."""

import os
import pty
import signal
import threading

from vgrid import claim, main, template

N_WORKERS = 24


def on_terminal(home, *arguments, code=0, during=None, **options):
    """Runs it with standard error on a terminal, so that the display redraws itself."""
    ours, theirs = pty.openpty()
    process = home.start(*arguments, stderr=theirs, env={"TERM": "xterm", **options.pop("env", {})},
                         **options)
    os.close(theirs)
    seen = []

    def read():
        try:
            while data := os.read(ours, 65536):
                seen.append(data.decode(errors="replace"))
        except OSError:  # the other side is closed
            pass
    reader = threading.Thread(target=read)
    reader.start()
    if during:
        during(process)
    result = home.end(process, arguments)
    reader.join()
    os.close(ours)
    result.err = "".join(seen)
    assert "Sanitizer" not in result.err, str(result)
    return result.must(code)


@claim
def many_nodes_come_change_and_go(home):
    on_terminal(home, "up", home.file(template(N_WORKERS)))
    assert len(home.machines()) == N_WORKERS + 1
    home.run("status", "lab")
    wan = {"lan": {"cidr": "10.9.0.0/16"}, "wan": {"cidr": "fd00::/64"}}
    after = template(N_WORKERS // 2, networks=wan, head={"nics": ["lan", "wan"]},
                     worker={"memory": "256MiB"})
    on_terminal(home, "up", home.file(after), "-y")
    assert len(home.machines()) == N_WORKERS // 2 + 1
    on_terminal(home, "down", "lab", "--delete-disks")
    home.must_be_empty()


@claim
def failures_hanging_calls_and_late_ones_among_them(home):
    file = home.file(template(N_WORKERS))
    result = on_terminal(
        home, "up", file, code=1, env={"VGRID_CALL_TIMEOUT": "6s"},
        rules="hang:compute.define:7,fault:storage.create:20,hang:compute.start:9,delay:net.*:50")
    assert "no answer" in result.err and "as the filter was told" in result.err, str(result)
    on_terminal(home, "up", file)
    assert len(home.machines()) == N_WORKERS + 1


@claim
def ctrl_c_among_many_threads(home):
    def interrupt(process):
        home.until(process, lambda: len(home.machines()) > 5)
        process.send_signal(signal.SIGINT)
    file = home.file(template(N_WORKERS))
    on_terminal(home, "up", file, code=130, rules="delay:compute.start:100", during=interrupt)
    on_terminal(home, "up", file)
    assert len(home.machines()) == N_WORKERS + 1


if __name__ == "__main__":
    main()
