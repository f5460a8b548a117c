#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: what it takes, refuses, prints, and where, and with which exit code."""

import json
import os
import re
import subprocess

import vgrid
from vgrid import claim, main, template


def verbs(home):
    """The verbs that the overview lists, those of two words as such."""
    found = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", home.run("--help").out, re.MULTILINE)
    assert "up" in found and "image list" in found and len(found) > 15, found
    return found


@claim
def an_unknown_verb_or_option_is_a_usage_error_that_names_the_nearest(home):
    for words, text, nearest in (
            (["upp", "x"], "unknown verb 'upp'", "did you mean 'up'?"),
            (["stauts"], "unknown verb 'stauts'", "did you mean 'status'?"),
            (["image", "lst"], "unknown verb 'image lst'", "did you mean 'image list'?"),
            (["image"], "'image' is not a whole verb", "'image list'"),
            (["xyzzy"], "unknown verb 'xyzzy'", "'vgrid --help'"),
            (["up", "--sett", "a=1", "f"], "unknown option '--sett'", "did you mean '--set'?"),
            (["up", "--stie=fake", "f"], "unknown option '--stie=fake'", "did you mean '--site'?"),
            (["list", "-o", "jsn"], "'--output' cannot be 'jsn'", "did you mean 'json'?"),
            (["list", "-Z"], "unknown option '-Z'", "--help"),
            (["down", "lab", "-o", "json"], "unknown option '-o'", "")):
        result = home.run(*words, code=2).says(text, nearest)
        assert result.out == "", str(result)


@claim
def what_lacks_or_is_too_much_is_a_usage_error(home):
    for words, text in ((["up"], "'vgrid up' needs FILE"), (["up", "a", "b"], "unexpected 'b'"),
                        (["up", "f", "--set"], "'--set' needs a value"),
                        (["up", "f", "-y=1"], "unknown option"),
                        (["list", "--quiet=yes"], "'--quiet' takes no value"),
                        (["exec", "lab"], "needs NODE"), ([], "Usage")):
        result = home.run(*words, code=2)
        assert text in result.err or not words, str(result)
        assert result.out == "", str(result)


@claim
def every_verb_has_a_help_with_usage_and_an_example(home):
    for verb in verbs(home):
        result = home.run(*verb.split(), "--help")
        assert f"vgrid {verb}" in result.out and len(result.out.splitlines()) > 5, str(result)
        assert result.err == "" and home.run(*verb.split(), "-h").out == result.out
        longest = max(map(len, result.out.splitlines()))
        assert longest <= 100, f"{verb}: a line of {longest}"
    assert re.fullmatch(r"vgrid \d+\.\d+\.\d+\S*\n", home.run("--version").out)


@claim
def help_needs_no_home(home):
    home.path.write_text("a file")
    home.run("--help")
    home.run("up", "--help")
    home.run("--version")


@claim
def a_template_that_is_wrong_is_2_and_shows_each_line(home):
    file = home.file("vgrid: 1\nname: Lab\nroles:\n  head: {image: none, memory: 5}\n", "bad.yaml")
    for verb in ("check", "plan", "up"):
        result = home.run(verb, file, code=2).says("bad.yaml:2:7:", "bad.yaml:4:")
        assert result.out == "" and "^" in result.err, str(result)
    assert not home.machines()


@claim
def a_template_or_site_that_cannot_be_read_is_2(home):
    file, folder = home.file(template()), home.folder
    (folder / "big.yaml").write_bytes(b"#" * (1 << 20) + b"\n")
    (folder / "huge.yaml").write_bytes(b"#" * (16 << 20) + b"\n")
    for verb in ("check", "plan", "up"):
        home.run(verb, folder / "missing.yaml", code=2).says("there is no file", "missing.yaml")
        home.run(verb, folder, code=2).says("Is a directory")
        home.run(verb, folder / "big.yaml", code=2).says("larger than a template may be, 1MiB")
    home.run("up", folder / "huge.yaml", code=2).says("larger than a template may be, 1MiB")
    home.run("check", folder / "huge.yaml", code=2).says(
        "larger than a template, 1MiB, or a site file, 16MiB, may be")
    for site, text in ((folder / "missing.yaml", "missing.yaml"), ("./", "Is a directory"),
                       (folder / "huge.yaml", "larger than a site file may be, 16MiB")):
        home.run("plan", file, "--site", site, code=2).says(text)
    assert not home.machines()


@claim
def an_expression_that_its_references_spoil_is_2_with_its_place(home):
    names = template(workers=300, head={"ready": {"console": "(${worker.names})"}})
    test = {"name": "t", "on": "worker", "run": "x", "expect": "^(${worker.ips.lan}|${node.name})$"}
    counted = template(head={"ready": {"console": "login${motd}"}})
    for whole, words, text, part in (
            (names, [], "'console' of 'head': the regular expression is too long", "worker.names"),
            (template(workers=300, tests=[test]), [],
             "'expect' of 'worker-0': the regular expression is too long", "node.name"),
            (counted, ["--set", "motd={6000}"],
             "'console' with motd='{6000}': the regular expression is too large", "login${motd}"),
            (counted, ["--set", "motd={2,1}"], "'{2,1}' allows fewer than it demands", "login${motd}")):
        file = home.file(whole)
        line = 1 + next(n for n, line in enumerate(file.read_text().split("\n")) if part in line)
        for verb in ("plan", "up"):
            home.run(verb, file, *words, code=2).says(text, f"{file}:{line}:")
    assert not home.machines()


@claim
def a_parameter_that_is_wrong_is_2(home):
    file = home.file(template())
    for words, text in ((["workers=x"], "workers"), (["workers=-1"], "workers"),
                        (["worker=1"], "did you mean 'workers'?"), (["workers"], "workers"),
                        (["=1"], "")):
        home.run("plan", file, "--set", *words, code=2).says(text)
    home.run("plan", file, "--site", "moon", code=2).says("there is no site 'moon'")
    home.run("plan", file, "--name", "No Name", code=2).says("No Name")


@claim
def a_dash_reads_the_template_from_standard_input(home):
    text = json.dumps(template(0))
    home.run("check", "-", stdin=text)
    home.run("plan", "-", stdin=text, code=3)
    home.run("up", "-", stdin=text)
    home.run("up", "-", stdin=text).says("nothing to do")
    assert home.json("list")["grids"][0]["template"] == "-"
    home.run("up", "-", stdin="vgrid: 1\n", code=2)
    home.run("up", "-", code=2)
    home.run("down", "lab", "--delete-disks")


@claim
def results_go_to_standard_output_and_all_else_to_standard_error(home):
    file = home.file(template())
    value = json.loads(home.run("up", file, "-o", "json").out)
    assert value["format"] == "vgrid/up/1"
    assert home.run("up", file, "-q").err == ""
    for words in (("status", "none", "-o", "json"), ("up", "none.yaml", "-o", "json"),
                  ("plan", file, "--set", "x=1", "-o", "json")):
        result = home.run(*words, code=None)
        assert result.code in (1, 2) and result.out == "" and result.err, str(result)


@claim
def no_colour_and_no_cursor_is_written_where_no_terminal_is(home):
    file = home.file(template())
    for environment in ({}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}):
        for words in (("plan", file), ("up", file), ("status", "lab"), ("--help",), ("list",)):
            result = home.run(*words, code=None, env=environment)
            assert "\x1b" not in result.out + result.err and "\r" not in result.err, str(result)


@claim
def a_reader_that_goes_away_ends_it_quietly(home):
    file = home.file(template())
    home.run("up", file)
    for words in (("status", "lab"), ("list",), ("schema",), ("--help",), ("plan", file)):
        reader, writer = os.pipe()
        os.close(reader)
        process = home.start(*words, stdout=writer)
        os.close(writer)
        result = home.end(process, words)
        assert result.code != 0 and "error" not in result.err.lower(), str(result)
        assert result.code in (1, 3, -13), str(result)


@claim
def an_up_whose_reader_goes_away_is_done_all_the_same(home):
    file = home.file(template())
    reader, writer = os.pipe()
    os.close(reader)
    process = home.start("up", file, stdout=writer, stderr=writer)
    os.close(writer)
    home.end(process)
    assert len(home.boots()) == 3 and home.record("lab")["phase"] == "up"


@claim
def a_full_standard_output_is_an_error(home):
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = home.start("schema", stdout=full)
        home.end(process).must(1).says("writing the result", "No space left on device")


@claim
def closed_standard_streams_do_no_harm(home):
    file = home.file(template(0))
    shell = ["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh", vgrid.PROGRAM, "up", str(file)]
    subprocess.run(shell, env=home.environment(), check=False, timeout=30)
    assert home.record("lab")["phase"] == "up"
    assert json.loads((home.path / "fake-compute.json").read_text())


@claim
def exec_runs_exactly_its_arguments_and_exits_as_they_do(home):
    home.run("up", home.file(template(0)))
    home.run("exec", "lab", "head", "--", "echo", "a  b", "$HOME", ";", "*").shows("a  b $HOME ; *\n")
    home.run("exec", "lab", "head", "--", "exit", "7", code=7)
    assert ["echo", "a  b", "$HOME", ";", "*"] in home.machines()["lab.head"]["ran"]
    home.run("exec", "lab", "haed", "--", "true", code=1).says("did you mean 'head'?")
    home.set_world("compute", knobs={"head": {"exec": {"warn": {"err": "beware\n"}}}})
    result = home.run("exec", "lab", "head", "--", "warn")
    assert result.err == "beware\n" and result.out == "", str(result)


@claim
def tests_exit_with_4_when_one_fails(home):
    tests = [{"name": "good", "on": "head", "run": "true"},
             {"name": "bad", "on": "worker", "run": "look", "within": "1s"},
             {"name": "says", "on": "head", "run": "echo hello", "expect": "^hell"}]
    home.run("up", home.file(template(tests=tests)))
    home.run("test", "lab")
    home.set_world("compute", knobs={"worker-1": {"exec": {"look": {"status": 1, "out": "a hint"}}}})
    result = home.run("test", "lab", code=4)
    assert "a hint" in result.out + result.err and "bad" in result.out + result.err, str(result)


@claim
def the_completion_script_is_good_bash_and_completes(home):
    home.run("up", home.file(template(0)))
    script = home.run("completion").out
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def complete(line):
        """What bash would offer at the end of the line."""
        body = f"""{script}
compopt() {{ :; }}
COMP_LINE={json.dumps(line)} COMP_POINT={len(line)}
read -ra COMP_WORDS <<< "$COMP_LINE"
[[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_vgrid {json.dumps(vgrid.PROGRAM)}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
        done = subprocess.run(["bash", "-c", body], env=home.environment(), text=True, check=True,
                              capture_output=True)
        return [word for word in done.stdout.split("\n") if word]

    assert "status" in complete("vgrid st") and "up" not in complete("vgrid st")
    assert complete("vgrid status l") == ["lab"]
    assert complete("vgrid exec lab ") == ["head"]
    assert "--keep-disks" in complete("vgrid down lab --ke")
    assert set(complete("vgrid image ")) >= {"list", "build", "import"}
    assert complete("vgrid list -o j") == ["json"]
    assert complete("vgrid down la") == ["lab"]
    offered = home.run("complete", "--", "").out.split()
    assert {verb.split()[0] for verb in verbs(home)} == set(offered), offered


@claim
def every_message_of_the_program_ends_with_a_line(home):
    for words in (("list",), ("--help",), ("up", "none"), ("nothing",)):
        result = home.run(*words, code=None)
        assert all(text == "" or text.endswith("\n") for text in (result.out, result.err))


if __name__ == "__main__":
    main()
