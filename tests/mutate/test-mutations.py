#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every damaged image of damage_*.py is refused with exit status 3 and the
# message that says why, read as a file and through a pipe, by restore and by
# verify, and nothing is left of the output.

import copy
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path[1:1] = [os.path.join(os.path.dirname(sys.path[0]), "lib")]

import damage_end  # noqa: E402, F401
import damage_header  # noqa: E402, F401
import damage_records  # noqa: E402, F401
from mutations import ACCEPTED, MUTATIONS  # noqa: E402
from sample import sample_image, sample_source  # noqa: E402
from test_program import (BAD_INPUT, Crash, WorkFolder, read,  # noqa: E402
                          requires_codec, run)


def mutate(function, image, work):
    image = copy.deepcopy(image)
    data = function(image, work)
    return image.data() if data is None else bytes(data)


def check_refused(process, name, message):
    text = process.stderr.decode()
    if process.returncode != BAD_INPUT:
        return f"exit status {process.returncode}, not 3: {text}"
    if text.count("\n") != 1 or not text.startswith(f"iopress: {name}: "):
        return f"not one line about {name}: {text}"
    if not re.search(f": ({message})(;|$)", text.strip()):
        return f"the message is not '{message}': {text}"
    return None


def try_restore(path, work, message):
    output = work.file("output")
    why = check_refused(run("restore", path, output), path, message)
    left = [name for name in os.listdir(work.path)
            if name.startswith("output")]
    return why or (f"left over: {left}" if left else None)


def try_mutation(path, data, work, message, piped):
    yield "restore", try_restore(path, work, message)
    yield "verify", check_refused(run("verify", path), path, message)
    yield "restore serially", check_refused(
        run("restore", "-T", "serial", path, "-"), path, message)
    yield "restore from a pipe", check_refused(
        run("restore", "-", "-", data=data), "standard input", piped)
    yield "verify from a pipe", check_refused(
        run("verify", "-T", "serial", "-", data=data), "standard input",
        piped)


def failures_of(name, data, work, message, piped):
    path = work.file("image", data)
    try:
        for how, why in try_mutation(path, data, work, message, piped):
            if why:
                yield f"{name}: {how}: {why.strip()}"
    except Crash as crash:
        yield f"{name}: CRASH: {crash}"


def check_accepted(name, data, work):
    path, output = work.file("image", data), work.file("output")
    process = run("restore", "--force", path, output)
    if process.returncode != 0:
        yield f"{name}: refused: {process.stderr.decode()}"
    elif read(output) != sample_source():
        yield f"{name}: restored wrongly"
    else:
        os.unlink(output)
    process = run("restore", "-", "-", data=data)
    if process.returncode != 0 or process.stdout != sample_source():
        yield f"{name}: refused in a pipe: {process.stderr.decode()}"


def main():
    requires_codec("zstd")
    failures = []
    with WorkFolder() as work:
        image = sample_image(work)
        for name, function in ACCEPTED:
            data = mutate(function, image, work)
            failures += check_accepted(name, data, work)
        for name, message, piped, function in MUTATIONS:
            data = mutate(function, image, work)
            failures += failures_of(name, data, work, message, piped)
    print(f"{len(MUTATIONS)} mutations, {len(failures)} failures")
    for failure in failures:
        print(f"FAIL: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
