#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is told as JSON is as docs/schema says, and every member stands there.

import glob
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

try:
    import jsonschema
except ImportError:
    print("SKIP: python3-jsonschema is not installed", file=sys.stderr)
    sys.exit(77)

TOP = os.environ["abs_top_srcdir"]
BUILD = os.environ["abs_top_builddir"]


def schema(name):
    with open(f"{TOP}/docs/schema/{name}.json", encoding="utf-8") as file:
        return json.load(file)


def closed(value):
    """The schema with no members but those it names."""
    if isinstance(value, list):
        return [closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: closed(item) for key, item in value.items()}
    if result.get("type") == "object":
        result["additionalProperties"] = False
    return result


def check(name, text):
    validator = jsonschema.Draft202012Validator(closed(schema(name)))
    value = json.loads(text)
    errors = [error.message for error in validator.iter_errors(value)]
    if errors:
        sys.exit(f"FAIL: {name}: {errors}\n{text}")
    return value


def iopress(*arguments, progress=None):
    command = [os.environ["IOPRESS"], *arguments]
    if progress is not None:
        command[2:2] = ["--progress-fd", str(progress.fileno())]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True,
        pass_fds=() if progress is None else (progress.fileno(),)).stdout


def check_source(preset, folder):
    source, image, other = (os.path.join(folder, preset + end)
                            for end in (".save", ".iop", ".other"))
    subprocess.run([sys.executable, f"{TOP}/tests/lib/make_mapped_ram.py",
                    "--preset", preset, source], check=True)
    check("estimate", iopress("save", "--estimate", "--json", source))
    check("estimate", iopress("save", "--estimate", "--json", source, image))
    with open(os.path.join(folder, "progress"), "w+",
              encoding="utf-8") as progress:
        iopress("save", source, image, progress=progress)
        iopress("verify", image, progress=progress)
        iopress("restore", image, other, progress=progress)
        progress.seek(0)
        lines = progress.read().splitlines()
    if not lines:
        sys.exit("FAIL: no progress")
    for line in lines:
        check("progress", line)
    check("info", iopress("info", "--json", image))
    for file in (source, image, other, folder):
        check("state", iopress("info", "--state", "--json", file))


def main():
    for path in glob.glob(f"{TOP}/docs/schema/*.json"):
        name = os.path.basename(path)[:-len(".json")]
        jsonschema.Draft202012Validator.check_schema(schema(name))
    with tempfile.TemporaryDirectory(dir=f"{BUILD}/tests") as folder:
        for preset in ("libvirt-save", "everything", "plain-sparse", "no-ram"):
            check_source(preset, folder)
    try:
        check("info", '{"image": "x", "unknown": 1}')
    except SystemExit:
        return
    sys.exit("FAIL: anything is accepted")


main()
