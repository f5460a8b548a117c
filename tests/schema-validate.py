#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the emitted JSON Schema against an independent validator over the golden corpus.

usage: schema-validate.py SCHEMA-PRINTING-PROGRAM [site] FOLDER...

Good templates must be accepted. Bad ones must be refused, but for those marked: a file `semantic`
in the case's folder says that the schema cannot know the fault (then the schema must accept), a file
`text` that the fault is one of the text itself (repeated keys, anchors …), which a parsed value no
longer shows. Exits with 77 (skipped) where the validator is missing.
"""

import os
import json
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-jsonschema python3-yaml)")
    if os.environ.get("CI"):
        sys.exit("the full run skips nothing")
    sys.exit(77)


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema: PyYAML's own resolver is YAML 1.1, where `yes` is a boolean."""

    yaml_implicit_resolvers = {}


for tag, pattern, first in [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+0123456789.")),
]:
    CoreLoader.add_implicit_resolver(
        "tag:yaml.org,2002:" + tag, re.compile("^(?:" + pattern + ")$"), first)


def read_integer(loader, node):
    text = node.value
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    return int(text, 10)


CoreLoader.add_constructor("tag:yaml.org,2002:int", read_integer)
CoreLoader.add_constructor(
    "tag:yaml.org,2002:float", lambda loader, node: float(node.value))


def read(text):
    if text.startswith("{"):
        return json.loads(text)
    return yaml.load(text, Loader=CoreLoader)


def main():
    language = ["site"] if sys.argv[2] == "site" else []
    folders = sys.argv[2 + len(language):]
    schema = json.loads(subprocess.run(
        [sys.argv[1], *language], check=True, capture_output=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = cases = 0
    for root in map(pathlib.Path, folders):
        for path in sorted(root.rglob("*.yaml")):
            is_bad = "bad" in path.parts
            if is_bad and (path.parent / "text").exists():
                continue
            cases += 1
            expect_refusal = is_bad and not (path.parent / "semantic").exists()
            document = read(path.read_bytes().decode("utf-8-sig"))
            error = jsonschema.exceptions.best_match(validator.iter_errors(document))
            if bool(error) == expect_refusal:
                continue
            wrong += 1
            print(f"{path}: the schema", f"refuses: {error.message}" if error else "accepts")
    print(f"{cases} files, {wrong} wrong")
    return 1 if wrong or cases < 70 else 0


sys.exit(main())
