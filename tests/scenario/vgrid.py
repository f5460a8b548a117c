# SPDX-License-Identifier: Apache-2.0
"""What the scenarios share: the real program on fakes, in a home of its own for each claim.

A scenario is a program of claims: functions marked with @claim, each of which gets a fresh Home and
fails by an assertion. `main()` runs them, or those named on the command line behind the path of the
program, two at a time. With VGRID_SOAK=1 the sweeps leave nothing out.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "vgrid"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
IS_SOAK = os.environ.get("VGRID_SOAK") == "1"
TIMEOUT_S = 60
# For runs that only tidy up behind many others: looking for leaks takes as long as the rest.
NO_LEAKS = {"ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"]))}

Call = collections.namedtuple("Call", "operation who result")

# Driver operations that change something; all others only look.
CHANGING = {"compute.define", "compute.start", "compute.stop", "compute.remove", "net.converge",
            "storage.create", "storage.resize", "storage.remove"}


class Result:
    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    def __str__(self):
        return f"vgrid {' '.join(self.arguments)}\nexit {self.code}\n{self.out}{self.err}"

    def must(self, code):
        assert self.code == code, f"exit {code} was expected\n{self}"
        return self

    def says(self, *texts):
        for text in texts:
            assert text in self.err, f"{text!r} is not said\n{self}"
        return self

    def shows(self, *texts):
        for text in texts:
            assert text in self.out, f"{text!r} is not shown\n{self}"
        return self


class Home:
    """A VGRID_HOME and a folder for templates; `site` is where grids go."""

    def __init__(self, site="fake:3"):
        # In memory where that is to be had: each record is made durable, which is not the point here.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vgrid-scenario-", dir=memory))
        self.path = self.folder / "home"
        self.site = site
        self.n_files = 0

    def remove(self):
        for folder, _, _ in os.walk(self.folder):
            os.chmod(folder, 0o700)
        shutil.rmtree(self.folder)

    def copy(self):
        other = Home(self.site)
        if self.path.exists():
            shutil.copytree(self.path, other.path)
        return other

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def environment(self, rules=None, **more):
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                     "VGRID_HOME": str(self.path), "VGRID_SITE": self.site}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                variables[name] = os.environ[name]
        if rules:
            variables["VGRID_FILTER"] = rules
        variables.update(more)
        return variables

    def start(self, *arguments, rules=None, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        environment = self.environment(rules, **options.pop("env", {}))
        program = str(options.pop("program", PROGRAM))
        return subprocess.Popen([program, *map(str, arguments)], env=environment, text=True,
                                cwd=self.folder, **options)

    def end(self, process, arguments=()):
        try:
            out, err = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"no end after {TIMEOUT_S} s: {arguments}\n{out}{err}")
        result = Result(list(map(str, arguments)), process.returncode, out or "", err or "")
        # A sanitizer's finding is never what was wanted.
        assert "Sanitizer" not in result.err and "runtime error" not in result.err, str(result)
        return result

    def run(self, *arguments, code=0, rules=None, stdin=None, **options):
        """Runs the program; `code` None takes every exit code."""
        if stdin is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*arguments, rules=rules, **options)
        if stdin is not None:
            process.stdin.write(stdin)
        result = self.end(process, arguments)
        return result if code is None else result.must(code)

    def until(self, process, is_so):
        """Looks until it is so; the process that is to bring it about must still run."""
        while not is_so():
            if process.poll() is not None:
                raise AssertionError(f"it ended before\n{self.end(process)}")
            time.sleep(0.01)

    def traced(self, *arguments, rules=None, **options):
        """Runs it and yields the driver calls that it made, in the order of their ends."""
        path = self.folder / "trace"
        path.unlink(missing_ok=True)
        result = self.run(*arguments, rules=f"trace:{path}" + (f",{rules}" if rules else ""),
                          **options)
        calls = []
        for line in path.read_text().splitlines() if path.exists() else []:
            match = re.fullmatch(r"(\S+) (.*?) (ok|.*) (\d+)ms", line)
            if match:
                calls.append(Call(*match.groups()[:3]))
        return result, calls

    def changes(self, *arguments, **options):
        """The calls of a run that change something."""
        _, calls = self.traced(*arguments, **options)
        return [call for call in calls if call.operation in CHANGING]

    def json(self, *arguments, code=0):
        return json.loads(self.run(*arguments, "-o", "json", code=code).out)

    def file(self, template, name=None):
        """Writes a template, given as text or as a value."""
        self.n_files += 1
        path = self.folder / (name or f"template-{self.n_files}.yaml")
        path.write_text(template if isinstance(template, str) else json.dumps(template, indent=1))
        return path

    def world(self, kind):
        path = self.path / f"fake-{kind}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def set_world(self, kind, **keys):
        self.path.mkdir(mode=0o700, exist_ok=True)
        world = self.world(kind)
        world.update(keys)
        (self.path / f"fake-{kind}.json").write_text(json.dumps(world))

    def machines(self):
        """Machines by name, `GRID.NODE`, each with its `uuid` and `host`."""
        found = {}
        for host, content in self.world("compute").get("hosts", {}).items():
            for uuid, machine in content["machines"].items():
                assert machine["name"] not in found, f"two machines {machine['name']}"
                found[machine["name"]] = {**machine, "uuid": uuid, "host": host}
        return found

    def boots(self):
        return {name: machine["boot_id"] for name, machine in self.machines().items()
                if machine["state"] == "running"}

    def volumes(self):
        """Volumes by the path in their tag, each with its `host`."""
        found = {}
        for host, content in self.world("storage").get("volumes", {}).items():
            for tag, volume in content.items():
                path = tag.split("/", 1)[1]
                assert path not in found or found[path]["tag"] != tag, f"two volumes {tag}"
                found[path] = {**volume, "tag": tag, "host": host}
        return found

    def record_path(self, name):
        return self.path / "grids" / f"{name}@fake" / "record.json"

    def record(self, name):
        return json.loads(self.record_path(name).read_text())

    def picture(self):
        """All worlds, without what differs from one life of the same grid to the next."""
        compute = {name: {key: value for key, value in machine.items()
                          if key in ("host", "node", "state", "next", "now")}
                   for name, machine in self.machines().items()}
        for name, machine in self.machines().items():
            compute[name]["files"] = sorted(machine.get("files", {}))
        storage = {path: {key: value for key, value in volume.items() if key != "version"}
                   for path, volume in self.volumes().items()}
        net = [[host, in_order(slice)] for host, slices in self.world("net").get("hosts", {}).items()
               for slice in slices.values()]
        records = []
        for path in sorted((self.path / "grids").glob("*/record.json")):
            record = json.loads(path.read_text())
            records.append({key: record[key] for key in ("name", "site", "phase", "vnis", "grid")})
        text = json.dumps([compute, storage, sorted(net, key=json.dumps), records],
                          sort_keys=True, indent=1)
        for pattern, word in ((r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
                              (r"([0-9a-f]{2}:){5}[0-9a-f]{2}", "MAC"),
                              (r"\bvg[a-z2-7]{11}\b", "LINK"),
                              (r"/[^\"#]*/home/", "/HOME/"),
                              (r"\"link-group\": \d+", "\"link-group\": 0")):
            text = re.sub(pattern, word, text)
        return text.splitlines()

    def must_be_empty(self):
        """Nothing is left in the worlds, no record, no lock."""
        assert not self.machines(), f"machines are left: {self.machines().keys()}"
        assert not self.volumes(), f"volumes are left: {self.volumes().keys()}"
        for host, content in self.world("compute").get("hosts", {}).items():
            assert not content.get("names"), f"names are left on {host}: {content['names']}"
        for host, slices in self.world("net").get("hosts", {}).items():
            assert not slices, f"networks are left on {host}: {slices}"
        left = [entry.name for entry in self.path.iterdir() if not re.fullmatch(
            r"fake-(compute|net|storage)\.json(\.lock)?|store(\.lock)?", entry.name)]
        assert not left, f"left in the home: {left}"


def template(workers=2, **changes):
    """A head with a data disk and some workers behind it. Changes of the head's or the worker's
    role are given as `head={…}` and `worker={…}`, all others replace a key of the top; None removes."""
    whole = {
        "vgrid": 1,
        "name": "lab",
        "parameters": {"workers": {"type": "integer", "default": workers, "min": 0, "max": 4000},
                       "motd": {"type": "string", "default": "welcome"}},
        "images": {"base": {"builtin": "tiny"}},
        "networks": {"lan": {"cidr": "10.9.0.0/16"}},
        "roles": {
            "head": {"image": "base", "cpu": 1, "memory": "256MiB", "nics": ["lan"],
                     "disks": {"data": {"size": "1GiB", "mount": "/data"}},
                     "env": {"MOTD": "${motd}"},
                     "files": {"/etc/motd": {"content": "${motd}\n"}}},
            "worker": {"count": "${workers}", "image": "base", "memory": "128MiB",
                       "nics": ["lan"], "after": ["head"], "place": {"spread": "host"}},
        },
        "outputs": {"head": "${head.ip.lan}"},
    }
    for key, value in changes.items():
        if key in whole["roles"]:
            role = {**whole["roles"][key], **value}
            whole["roles"][key] = {name: item for name, item in role.items() if item is not None}
        elif value is None:
            whole.pop(key, None)
        else:
            whole[key] = value
    return whole


def difference(expected, found):
    import difflib
    return "\n".join(difflib.unified_diff(expected, found, "expected", "found", lineterm="", n=2))


def must_equal(expected, found, what=""):
    assert expected == found, f"{what}\n{difference(expected, found)}"


def in_order(value):
    """Lists within, which were in the order of random MACs, in an order of their own."""
    if isinstance(value, dict):
        return {key: in_order(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(in_order, value), key=lambda item: json.dumps(
            {**item, "mac": ""} if isinstance(item, dict) else item, sort_keys=True))
    return value


def numbered(calls):
    """(operation, number) of each call, the numbers from 1 for each operation."""
    counts = collections.Counter()
    result = []
    for call in calls:
        counts[call.operation] += 1
        result.append((call.operation, counts[call.operation]))
    return result


def each(points, try_point, title=str, at_once=2):
    """Tries all points, a few at a time, and tells of those that fail."""
    failures = []
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for point, future in [(point, pool.submit(try_point, *point)) for point in points]:
            try:
                future.result()
            except AssertionError as error:
                failures.append(f"{title(point)}: {error}")
    assert points and not failures, \
        f"{len(failures)} of {len(points)}\n" + "\n".join(failures[:3])


_claims = []


def claim(function):
    _claims.append(function)
    return function


def _try(function):
    home = Home()
    try:
        function(home)
        return None
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc(limit=-3)
    finally:
        home.remove()


def main():
    wanted = sys.argv[2:]
    claims = [function for function in _claims if not wanted or function.__name__ in wanted]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(_try, claims))
    for function, result in zip(claims, results):
        print(f"{'not ok' if result else 'ok'} {function.__name__.replace('_', ' ')}")
        if result:
            print("\n".join("  " + line for line in result[-6000:].splitlines()))
    failed = sum(1 for result in results if result)
    print(f"{len(claims) - failed} of {len(claims)} claims hold")
    sys.exit(1 if failed or not claims else 0)
