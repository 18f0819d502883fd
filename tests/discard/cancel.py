#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGTERM and SIGINT at random instants of save --discard and --resume: exit 5
# with the source whole and no image, or 4 with all that --resume needs.
#
#   cancel.py [SIGNALS [SEED]]

import os
import random
import signal
import sys
import time

from discard_case import (Case, Lost, WorkFolder, kinds, make_templates)

SIGNALS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 5
SECONDS = 0.25                  # about what a run takes

CANCELLED, CONSUMED = 5, 4


def cancel(case, rng, *options):
    """Start a run and tell it to end.  Returns status and message."""
    number = rng.choice([signal.SIGTERM, signal.SIGINT])
    before = case.state()
    process = case.start("-q", *options)
    time.sleep(rng.random() * SECONDS)
    process.send_signal(number)
    message = process.communicate(timeout=60)[1].decode()
    # It may not have come as far as to heed signals.
    if process.returncode == -number and case.state() == before:
        return None, ""
    return process.returncode, message


def check_cancelled(case, resumed):
    if not case.is_whole():
        gone = "all" if case.is_gone() else "part"
        raise Lost(f"exit status 5, and {gone} of the source is gone")
    if not resumed and case.begun() is not None:
        raise Lost("exit status 5, and an image is left")


def check_consumed(case, message):
    command = f"iopress save --resume {case.names[0]} {case.names[1]}"
    if command not in message:
        raise Lost(f"exit status 4 does not say how to go on: {message}")
    if case.begun() is None:
        raise Lost("exit status 4, and there is no image")
    if case.is_whole():
        raise Lost("exit status 4, and the source is whole")


def chain(case, rng, seen):
    """A run and perhaps resumes of it, each told to end; then the end."""
    resumed = ()
    for _ in range(rng.randrange(1, 4)):
        status, message = cancel(case, rng, *resumed)
        seen[status] = seen.get(status, 0) + 1
        if status == CANCELLED:
            check_cancelled(case, case.begun() is not None and resumed)
        elif status == CONSUMED:
            check_consumed(case, message)
        elif status not in (0, None):
            raise Lost(f"exit status {status}: {message}")
        if case.begun() is not None:
            resumed = ("--resume",)
    case.finish()


def main():
    rng = random.Random(SEED)
    seen = {}
    with WorkFolder() as folder:
        templates = make_templates(folder, rng)
        todo = []
        while sum(seen.values()) < SIGNALS:
            todo = todo or kinds(templates)
            template, naming = todo.pop()
            options = ["--chunk-size", "64K", "--discard-batch", "256K",
                       "-c", rng.choice(["stored", "zstd:9", "xz:6"]),
                       "-T", rng.choice(["0", "1", "2"])]
            case = Case(folder, templates[template], naming, options)
            try:
                chain(case, rng, seen)
            except Lost as error:
                print(f"FAIL: {template}, {naming}, {' '.join(options)}, "
                      f"seed {SEED}: {error}", file=sys.stderr)
                return 1
            case.clear()
    print("times each exit status was seen:", seen)
    return 0 if {CANCELLED, CONSUMED} <= set(seen) else 1


if __name__ == "__main__":
    sys.exit(main())
