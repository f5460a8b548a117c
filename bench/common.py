# SPDX-License-Identifier: Apache-2.0
"""What all comparisons share: a place of their own that nothing outlives, a meter of CPU time, and rows.

A comparison has variants; each round runs all of them, forwards in even rounds and backwards in odd ones
(ABBA), so that what drifts on the machine meets all alike. Every row is printed and written down, none is
dropped; the summary takes medians.
"""

import ctypes
import os
import pathlib
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
PR_SET_CHILD_SUBREAPER = 36
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """A part that the comparison needs is not here."""


class Failed(Exception):
    """A variant did not do what it is measured for."""


def processes():
    """{pid: (parent, state, CPU seconds of its own and of the children it has waited for)}"""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            text = pathlib.Path("/proc", name, "stat").read_text(errors="replace")
        except OSError:
            continue
        fields = text[text.rindex(")") + 2:].split()
        found[int(name)] = (int(fields[1]), fields[0], sum(map(int, fields[11:15])) * TICK_S)
    return found


def descendants(among=None):
    """Pids below this process, wherever they wandered: it is their reaper (see Place)."""
    among = among or processes()
    children = {}
    for pid, (parent, _, _) in among.items():
        children.setdefault(parent, []).append(pid)
    found, todo = [], [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def cpu_seconds():
    """CPU time of all that was ever started below this process: tools, daemons and guests."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    among = processes()
    return used.ru_utime + used.ru_stime + sum(among[pid][2] for pid in descendants(among))


class Meter:
    """Wall clock and CPU time of a `with` block; `exclude()` takes a process' CPU time out."""

    def __enter__(self):
        self.cpu = cpu_seconds()
        self.begun = time.monotonic()
        return self

    def stop(self):
        self.wall = time.monotonic() - self.begun
        self.cpu = cpu_seconds() - self.cpu

    def __exit__(self, kind, *_):
        if kind is None and not hasattr(self, "wall"):
            self.stop()


class Place:
    """A folder, a VGRID_HOME in it, and every process below this one: all of it goes at the end."""

    def __init__(self, program, images=None):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.program = str(program)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vgrid-bench-", dir="/tmp"))
        os.chmod(self.folder, 0o755)
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o700)
        if images:
            shutil.copytree(images, self.home / "images", symlinks=True, copy_function=copy_owned)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        while below := descendants():
            for pid in below:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            reap(block=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, **more):
        names = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {**kept, "VGRID_HOME": str(self.home), **more}

    def start(self, *words, **options):
        """A program in a session of its own: Ctrl-C is for this process, which then cleans up."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("env", self.environment())
        return subprocess.Popen(list(map(str, words)), start_new_session=True, **options)

    def run(self, *words, codes=(0,), **options):
        process = self.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             **options)
        out, err = process.communicate()
        if process.returncode not in codes:
            raise Failed(f"{' '.join(map(str, words))}: exit {process.returncode}\n{out}{err}")
        return out

    def vgrid(self, *words, **options):
        return self.run(self.program, *words, **options)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


def copy_owned(source, target):
    shutil.copy2(source, target)
    status = os.stat(source)
    if os.geteuid() == 0:
        os.chown(target, status.st_uid, status.st_gid)
    return target


def reap(block=False):
    """Takes in those that have ended and that nobody else waits for."""
    try:
        while True:
            pid, _ = os.waitpid(-1, 0 if block else os.WNOHANG)
            if pid == 0:
                return
    except ChildProcessError:
        pass


def must_have(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"the program '{program}' is missing (see 'bench' in the file packages)")


def must_have_packages(kind, as_root=False):
    """All Debian packages of this kind in the file `packages`, and maybe root."""
    must_have("dpkg-query")
    wanted = []
    for line in (SOURCE / "packages").read_text(encoding="utf-8").splitlines():
        first, *names = line.split() or [""]
        wanted += names if first == kind else []
    missing = [name for name in wanted if not is_installed(name)]
    lacks = []
    if missing:
        sudo = "" if os.geteuid() == 0 else "sudo "
        lacks.append("packages are missing: run\n"
                     f"  {sudo}apt-get install -y --no-install-recommends {' '.join(missing)}\n")
    if as_root and os.geteuid() != 0:
        lacks.append("it needs root: run it by sudo")
    if lacks:
        raise Missing("and ".join(lacks).rstrip())


def is_installed(package):
    query = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return query.stdout == "installed"


def until(is_so, what, seconds=600, pause=0.02):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {seconds} s")
        time.sleep(pause)


def order(variants, number):
    return variants if number % 2 == 0 else variants[::-1]


class Report:
    """Rows as they come, on standard output and in a file, and the summaries behind them."""

    def __init__(self, path, quick):
        self.file = open(path, "w", encoding="utf-8")
        self.quick = quick
        self.rows = {}
        self.say(f"# {time.strftime('%Y-%m-%d %H:%M:%S')}, {describe_machine()}")

    def say(self, text=""):
        for stream in (sys.stdout, self.file):
            print(text, file=stream, flush=True)

    def row(self, bench, variant, number, **values):
        shown = " ".join(f"{name}={value:.4g}" for name, value in values.items())
        self.say(f"{bench:<14} round={number} {variant:<12} {shown} load={os.getloadavg()[0]:.1f}")
        for name, value in values.items():
            self.rows.setdefault((bench, variant, name), []).append(value)

    def median(self, bench, variant, name):
        return statistics.median(self.rows[bench, variant, name])

    def summary(self, bench, name, unit="s"):
        for (of, variant, measured), values in self.rows.items():
            if of == bench and measured == name:
                self.say(f"{bench:<14} {variant:<12} {name}: median {statistics.median(values):.4g}"
                         f" {unit}, min {min(values):.4g}, max {max(values):.4g},"
                         f" {len(values)} rounds")

    def ratio(self, bench, name, variant, rival, aim=None):
        ratio = self.median(bench, variant, name) / max(self.median(bench, rival, name), 1e-9)
        self.verdict(bench, f"{name}: {variant} / {rival}", ratio, aim)

    def verdict(self, bench, what, value, aim=None, unit=""):
        judged = "" if aim is None else f" (aim: at most {aim:g}{unit}: " + (
            "met)" if value <= aim else "MISSED)")
        self.say(f"{bench:<14} = {what}: {value:.3g}{unit}{judged}")


def describe_machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), "unknown processor")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}"
