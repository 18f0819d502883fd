# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the iopress that is to be tested: the program that IOPRESS names, or by
# default the one in the build directory (abs_top_builddir, else the current
# one).  IOPRESS_PLUGIN_DIR names the codecs when iopress is not installed.

import json
import os
import subprocess

from harness import Failure, Skip

TIMEOUT = 600
INCOMPLETE = 3  # exit status: not an image, or incomplete or damaged


def build_directory():
    return os.environ.get("abs_top_builddir", os.getcwd())


def program():
    """The path of iopress."""
    path = os.environ.get("IOPRESS") or os.path.join(build_directory(),
                                                     "iopress")
    if not os.access(path, os.X_OK):
        raise Skip(f"there is no iopress at {path}")
    return path


def plugin_options():
    plugins = os.environ.get("IOPRESS_PLUGIN_DIR")
    if not plugins and not os.environ.get("IOPRESS"):
        plugins = os.path.join(build_directory(), "plugins", ".libs")
    return ["--plugin-dir", plugins] if plugins else []


def module(folder, name):
    """The path of a module of the tests that is to be preloaded."""
    path = os.path.join(build_directory(), "tests", folder, ".libs",
                        f"{name}.so")
    if not os.path.exists(path):
        raise Skip(f"{path} is not built")
    return path


def run(verb, *arguments):
    """Run one verb; returns the finished process with its output as text."""
    command = [program(), verb] + plugin_options() + list(arguments)
    return subprocess.run(command, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=TIMEOUT)


def succeed(verb, *arguments):
    """Run a verb that has to work; returns its standard output."""
    result = run(verb, *arguments)
    if result.returncode != 0:
        raise Failure(f"iopress {verb} ended with status {result.returncode}: "
                      f"{result.stderr.strip()}")
    return result.stdout


def save(source, image, *options):
    succeed("save", *options, source, image)


def restore(image, output, *options):
    succeed("restore", *options, image, output)


def verify(image, *options):
    succeed("verify", *options, image)


def info(image):
    """What info --json says."""
    text = succeed("info", "--json", image)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failure(f"info --json is not JSON: {error}: {text}") from error
