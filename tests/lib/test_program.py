# SPDX-License-Identifier: LGPL-2.1-or-later
# What the Python tests of the command line share: running iopress, a folder
# to work in, and skipping.

import os
import shutil
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("abs_top_builddir", os.path.dirname(TESTS))
IOPRESS = os.environ.get("IOPRESS", os.path.join(TESTS, "iopress-run"))
PLUGINS = os.path.join(BUILD, "plugins", ".libs")
TIMEOUT = 120                   # seconds that one run may take
FAILED, USAGE, BAD_INPUT = 1, 2, 3

os.environ["abs_top_builddir"] = BUILD
os.environ["LC_ALL"] = "C"


def skip(why):
    print(f"SKIP: {why}", file=sys.stderr)
    sys.exit(77)


def has_codec(name):
    return name == "stored" or os.path.exists(
        os.path.join(PLUGINS, f"{name}.so"))


def requires_codec(name):
    if not has_codec(name):
        skip(f"built without codec {name}")


class Crash(Exception):
    """iopress was killed by a signal, or a sanitizer stopped it."""


def run(*arguments, data=None):
    """Run iopress with DATA on standard input; returns the finished process
    with its output as bytes."""
    process = subprocess.run([IOPRESS, *arguments], check=False,
                             input=b"" if data is None else data,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=TIMEOUT)
    if process.returncode not in (0, 1, 2, 3, 4, 5):
        raise Crash(f"exit status {process.returncode} of iopress "
                    f"{' '.join(arguments)}: {process.stderr.decode()}")
    return process


def succeed(*arguments, data=None):
    process = run(*arguments, data=data)
    if process.returncode != 0:
        raise AssertionError(f"exit status {process.returncode} of iopress "
                             f"{' '.join(arguments)}: "
                             f"{process.stderr.decode()}")
    return process.stdout


class WorkFolder:
    """An empty folder in the build tree, removed at the end."""

    def __enter__(self):
        parent = os.path.join(BUILD, "tests")
        os.makedirs(parent, exist_ok=True)
        self.path = tempfile.mkdtemp(prefix="tmp.", dir=parent)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name, data=None):
        """The path of NAME in the folder; with DATA, written."""
        path = os.path.join(self.path, name)
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
        return path


def read(path):
    with open(path, "rb") as file:
        return file.read()
