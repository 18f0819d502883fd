#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# QEMU's own reader of mapped-ram files, scripts/analyze-migration.py of its
# sources (11 and newer), finds in a restored file what it finds in the save: the
# memory of every block, and the state of every device.  No package of QEMU has
# it; it is in PATH, or ANALYZE_MIGRATION names it.

import filecmp
import os
import shutil
import subprocess
import sys

import iopress
from harness import Failure, Skip
from roundtrip import Case, main, require, save_guest

NAME = "analyze-migration.py"


def reader():
    path = os.environ.get("ANALYZE_MIGRATION") or shutil.which(NAME)
    if path is None or not os.path.exists(path):
        raise Skip(f"{NAME} of QEMU's sources is not installed")
    with open(path, encoding="utf-8") as file:
        if "mapped-ram" not in file.read():
            raise Skip(f"{path} knows no mapped-ram files yet")
    return os.path.abspath(path)


def taken_apart(script, path, folder):
    """What the reader makes of PATH: {name: file} in FOLDER."""
    os.mkdir(folder)
    result = subprocess.run([sys.executable, script, "-x", "-f", path],
                            cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"{script} {path}: {result.stdout[-500:]}")
    return {os.path.relpath(os.path.join(place, name), folder):
            os.path.join(place, name)
            for place, _, names in os.walk(folder) for name in names}


def check(directory):
    script = reader()
    source, image, restored = (os.path.join(directory, name) for name in
                               ("source", "image", "restored"))
    save_guest(Case(live=True), directory, source)
    iopress.save(source, image)
    iopress.restore(image, restored)
    parts = [taken_apart(script, path, f"{path}.parts")
             for path in (source, restored)]
    require(parts[0].keys() == parts[1].keys(), f"other parts: {parts}")
    require({"pc.ram", "state.json", "desc.json"} <= parts[0].keys(),
            f"too few parts: {sorted(parts[0])}")
    for name, path in parts[0].items():
        require(filecmp.cmp(path, parts[1][name], shallow=False),
                f"{NAME} finds another {name} in the restored file")


main(check)
