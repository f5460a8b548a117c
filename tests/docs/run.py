#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Docs are tests: what README.md and docs/ show is run, and what they say is looked up.
#
#   run.py fast VGRID SCHEMA_PRINT SOURCE    no guests, hosts that exist only in a file
#   run.py live VGRID SCHEMA_PRINT SOURCE [IMAGES]
#                                            the sessions marked live, in the sandbox; with a store of
#                                            images that has `tiny` none is built
#
# What a page may hold, and what becomes of it:
#
# ```yaml      a template: `vgrid check` must accept it. A mark above the fence says otherwise:
#              <!-- docs: excerpt -->         no whole template; not checked
#              <!-- docs: file NAME -->       kept under this name for the sessions of the page
#              <!-- docs: bad -->             must be refused, with the text of the next ```text fence
# ```console   a session: each `$ vgrid`, `$ cat`, `$ cp` and `$ echo` line is run, page by page in
#              order, in a folder and a VGRID_HOME of the page's own, and what it prints is compared.
#              Other commands are shown only. A command that fails must be followed by `$ echo $?`.
#              <!-- docs: live -->            runs in the sandbox (real guests), else on the site `fake`
# ```message   what the program says, with … for what varies: must stand in its source
# [x](path)    a relative link: the file must be there
# `vgrid VERB` must be a verb
#
# In output a line of … stands for any lines, … within a line for anything; runs of blanks, times,
# uuids and hashes are not compared, nor is the order of neighbouring progress lines.
import fcntl
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

COMMANDS = ("vgrid", "cat", "cp", "echo")
COLUMNS = 100
FENCE = re.compile(r"^```(\w*)\s*$")
MARK = re.compile(r"^<!-- docs: (.*?) -->\s*$")
PROGRESS = re.compile(r"^\S[^:]*: .*\(TIME\)$")
NORMAL = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "HASH"),
    (re.compile(r"\b(\d+h)?(\d+m)?\d+(\.\d+)? ?(s|ms)\b"), "TIME"),
    (re.compile(r"\b\d+m\d\ds\b"), "TIME"),
    (re.compile(r"(?<=[ ])\d+[smhd](?=[ ])"), "TIME"),
    (re.compile(r"[ \t]+"), " "),
)


class Lie(Exception):
    """A page says what is not so."""


class Block:
    def __init__(self, page, line, kind, marks):
        self.page, self.line, self.kind, self.marks, self.lines = page, line, kind, marks, []

    def text(self):
        return "\n".join(self.lines) + "\n"

    def lie(self, words):
        return Lie(f"{self.page.name}:{self.line}: {words}")


def read_blocks(page):
    blocks, block, marks = [], None, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence, mark = FENCE.match(line), MARK.match(line)
        if block and line.rstrip() == "```":
            blocks.append(block)
            block, marks = None, []
        elif block:
            block.lines.append(line)
        elif fence:
            block = Block(page, number, fence[1], marks)
        elif mark:
            marks.append(mark[1])
        elif line.strip():
            marks = []
    if block:
        raise block.lie("a fence without an end")
    return blocks


def normalise(line):
    for pattern, word in NORMAL:
        line = pattern.sub(word, line)
    return line.strip()


def tidy(lines):
    """Normalised; progress lines that follow each other are sorted: steps run side by side."""
    lines = [normalise(line) for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and PROGRESS.match(lines[end]):
            end += 1
        lines[at:end] = sorted(lines[at:end])
        at = end + 1
    return lines


def line_matches(shown, is_so):
    return re.fullmatch(".*".join(re.escape(part) for part in shown.split("…")), is_so) is not None


def matches(shown, are):
    if not shown:
        return not are
    if shown[0] == "…":
        return any(matches(shown[1:], are[skip:]) for skip in range(len(are) + 1))
    return bool(are) and line_matches(shown[0], are[0]) and matches(shown[1:], are[1:])


def run(command, folder, environment, status):
    """Runs a line on a terminal without a keyboard; yields its status and what it printed."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(
        ["bash", "-c", f"(exit {status}); {command}"], cwd=folder, env=environment,
        stdin=subprocess.DEVNULL, stdout=child, stderr=child)
    os.close(child)
    output = b""
    while True:
        try:
            got = os.read(parent, 65536)
        except OSError:
            break
        if not got:
            break
        output += got
    os.close(parent)
    return process.wait(), output.decode(errors="replace").replace("\r\n", "\n").splitlines()


class Pages:
    def __init__(self, mode, program, schema_print, source, images):
        self.mode, self.schema_print, self.source = mode, schema_print, source
        self.images = images
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vgrid-docs-"))
        self.programs = self.folder / "bin"
        self.n_run = self.n_checked = 0
        self.lies = []
        self.prepare(pathlib.Path(program))

    def prepare(self, program):
        """The program as in an installation; where no guest starts, with a recipe that costs nothing."""
        self.programs.mkdir()
        if self.mode == "live":
            (self.programs / "vgrid").symlink_to(program)
            return
        shutil.copy(program, self.programs / "vgrid")
        recipe = self.programs / "share/vgrid/images/tiny/build"
        recipe.parent.mkdir(parents=True)
        recipe.write_text(
            '#!/bin/sh\nset -e\ntruncate -s 1M "$1/root"\necho kernel >"$1/kernel"\n'
            'echo initrd >"$1/initrd"\necho \'{"name": "tiny", "kernel": "kernel", "initrd": '
            '"initrd", "root": "root", "format": "raw", "cmdline": "quiet"}\' >"$1/manifest.json"\n')
        recipe.chmod(0o755)
        guest = self.programs / "libexec/vgrid/vgrid-guest"
        guest.parent.mkdir(parents=True)
        guest.write_text("")

    def environment(self, home):
        environment = {
            "PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb",
            "HOME": str(home.parent), "VGRID_HOME": str(home), "LANG": "C.UTF-8", "NO_COLOR": "1"}
        if "VGRID_CACHE" in os.environ:
            environment["VGRID_CACHE"] = os.environ["VGRID_CACHE"]
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        if self.mode == "fast":
            environment["VGRID_SITE"] = "fake"
        return environment

    def template(self, block, following, folder, environment):
        """A yaml fence: accepted, or refused in the words of the next fence."""
        if "excerpt" in block.marks:
            return
        name = next((mark[5:] for mark in block.marks if mark.startswith("file ")), "page.yaml")
        (folder / name).write_text(block.text())
        status, output = run(f"vgrid check {name}", folder, environment, 0)
        self.n_checked += 1
        if "bad" not in block.marks:
            if status != 0:
                raise block.lie("the template is refused:\n" + "\n".join(output))
            return
        if status == 0:
            raise block.lie("the template is accepted, but marked as bad")
        if not following or following.kind != "text":
            raise block.lie("a bad template is followed by a fence of text with what it is told")
        self.compare(following, following.lines, output)

    @staticmethod
    def compare(block, shown, output):
        if not matches(tidy(shown), tidy(output)):
            raise block.lie("shown:\n  " + "\n  ".join(tidy(shown)) + "\nbut it is:\n  " +
                            "\n  ".join(tidy(output)))

    def session(self, block, folder, environment):
        commands = []
        for line in block.lines:
            if line.startswith("$ "):
                commands.append((line[2:], []))
            elif commands:
                commands[-1][1].append(line)
            else:
                raise block.lie("output without a command")
        status = 0
        for number, (command, shown) in enumerate(commands):
            if command.split()[0] not in COMMANDS:
                continue
            status, output = run(command, folder, environment, status)
            self.n_run += 1
            self.compare(block, shown, output)
            is_asked = number + 1 < len(commands) and commands[number + 1][0] == "echo $?"
            if status and not is_asked:
                raise block.lie(f"'{command}' exits with {status}, which the page does not show")
            if is_asked:
                continue
            status = 0

    def page(self, page):
        folder = self.folder / page.stem
        folder.mkdir()
        for template in (self.source / "templates/catalog").glob("*.yaml"):
            shutil.copy(template, folder)
        home = folder / "home"
        if self.images:
            home.mkdir(mode=0o700)
            shutil.copytree(self.images, home / "images")
        environment = self.environment(home)
        blocks = read_blocks(page)
        for at, block in enumerate(blocks):
            following = blocks[at + 1] if at + 1 < len(blocks) else None
            try:
                if block.kind == "yaml":
                    self.template(block, following, folder, environment)
                elif block.kind == "console" and ("live" in block.marks) == (self.mode == "live"):
                    self.session(block, folder, environment)
                elif block.kind == "message" and self.mode == "fast":
                    self.message(block)
            except Lie as lie:
                self.lies.append(str(lie))
        self.clean(home, folder, environment)

    def clean(self, home, folder, environment):
        """Whatever a page that lies has left running."""
        sites = home / "sites"
        for site in sorted(sites.glob("[a-z]*/")) if sites.is_dir() else ():
            run(f"vgrid site stop '{site.name}' --with-grids", folder, environment, 0)
        grids = home / "grids"
        for grid in sorted(grids.iterdir()) if grids.is_dir() else ():
            run(f"vgrid down '{grid.name}' --delete-disks -y", folder, environment, 0)

    def message(self, block):
        for line in block.lines:
            for part in line.split("…"):
                if part.strip(" '") and part.strip() not in self.strings():
                    raise block.lie(f"no source file says '{part.strip()}'")
        self.n_checked += 1

    def strings(self):
        """All string literals of the program, those behind each other joined."""
        if not hasattr(self, "all_strings"):
            files = [path for layer in ("base", "templates", "compute", "net", "storage", "box",
                                        "orchestrator") for path in (self.source / layer).rglob("*.c")]
            text = "\n".join(path.read_text() for path in files)
            text = re.sub(r'"\s*\n\s*"', "", text)
            self.all_strings = text.replace('\\"', '"').replace("\\n", "\n").replace("%%", "%")
        return self.all_strings

    def words(self, page, verbs):
        """Links lead somewhere, verbs exist."""
        fenced = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if line.startswith("```"):
                fenced = not fenced
            if fenced:
                continue
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", line):
                if "://" not in target and not (page.parent / target).exists():
                    self.lies.append(f"{page.name}:{number}: there is no '{target}'")
            for verb in re.findall(r"`vgrid ([a-z]+)[^`]*`", line):
                if verb not in verbs:
                    self.lies.append(f"{page.name}:{number}: there is no verb '{verb}'")

    def language(self):
        for page, word in (("template-language", "page"), ("site-language", "site-page")):
            made = subprocess.run([self.schema_print, word], check=True, capture_output=True,
                                  text=True)
            if made.stdout != (self.source / f"docs/{page}.md").read_text():
                self.lies.append(
                    f"{page}.md is not what the table of the language gives; renew it with\n"
                    f"  build/debug/tests/schema-print {word} > docs/{page}.md")

    def all(self):
        pages = [self.source / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md",
                                                 "CHANGELOG.md")]
        pages += sorted((self.source / "docs").glob("*.md"))
        environment = self.environment(self.folder / "home")
        _, help_text = run("vgrid --help", self.folder, environment, 0)
        verbs = {line.split()[0] for line in help_text if line.startswith("  ") and line.split()}
        for page in pages:
            if self.mode == "fast":
                self.words(page, verbs | {"manual"})
            self.page(page)
        if self.mode == "fast":
            self.language()
        shutil.rmtree(self.folder, ignore_errors=True)
        for lie in self.lies:
            print(lie)
        print(f"{self.n_run} commands run, {self.n_checked} templates and messages checked, "
              f"{len(self.lies)} lies")
        return 1 if self.lies or self.n_run + self.n_checked == 0 else 0


def main():
    if len(sys.argv) not in (5, 6) or sys.argv[1] not in ("fast", "live"):
        print("usage: run.py fast|live VGRID SCHEMA_PRINT SOURCE [IMAGES]", file=sys.stderr)
        return 2
    mode, program, schema_print, source = sys.argv[1:5]
    return Pages(mode, os.path.abspath(program), os.path.abspath(schema_print),
                 pathlib.Path(source).resolve(), sys.argv[5] if len(sys.argv) > 5 else None).all()


if __name__ == "__main__":
    sys.exit(main())
