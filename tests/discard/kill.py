#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL at random instants of save --discard and of the --resume after it,
# several times in a row: --resume always finishes, and nothing is lost.
#
#   kill.py [KILLS [SEED [FOLDER]]]

import os
import random
import sys
import time

from discard_case import (Case, Lost, PlaceFolder, has_codec, kinds,
                          make_templates)

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 220
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
PLACE = sys.argv[3] if len(sys.argv) > 3 else None
CODECS = ["stored", "zstd:1", "lz4", "xz:0"]


def choose_options(rng):
    codecs = [codec for codec in CODECS if has_codec(codec.split(":")[0])]
    return ["--chunk-size", "64K", "-c", rng.choice(codecs),
            "--discard-batch", rng.choice(["64K", "256K", "1M"]),
            "-T", rng.choice(["0", "1", "2"]),
            "--direct-io", rng.choice(["auto", "off"])]


def full_time(templates, folder):
    """Seconds that a run takes which nobody disturbs."""
    case = Case(folder, templates["raw"], "paths",
                ["--chunk-size", "64K", "--discard-batch", "256K"])
    start = time.monotonic()
    process = case.start()
    process.communicate()
    case.clear()
    if process.returncode != 0:
        raise Lost(f"exit status {process.returncode} of the first run")
    return time.monotonic() - start


def wait_for_last_step(case, process):
    """Until the image has its name: only the rest of the source is left."""
    if case.fds:
        return False
    while process.poll() is None and not os.path.exists(case.output):
        pass
    return True


def kill_once(case, rng, seconds, *options):
    """Start a run and kill it.  Returns whether it was still running."""
    process = case.start(*options)
    if rng.random() < 0.2 and wait_for_last_step(case, process):
        time.sleep(rng.random() * 0.004)
    else:
        time.sleep(rng.random() * seconds)
    process.kill()
    message = process.communicate()[1].decode()
    if process.returncode not in (0, -9):
        raise Lost(f"exit status {process.returncode}: {message}")
    return process.returncode != 0


class Tally:
    """How many kills hit what."""

    def __init__(self):
        self.kills = self.resumes = self.consumed = self.last = 0

    def count(self, case, resuming):
        self.kills += 1
        self.resumes += resuming
        self.consumed += not case.is_whole()
        self.last += not case.fds and os.path.exists(case.output)


def chain(case, rng, seconds, tally):
    """A run and some resumes of it, each of them killed, then the end."""
    if kill_once(case, rng, seconds):
        tally.count(case, False)
    for _ in range(rng.randrange(2, 9)):
        if kill_once(case, rng, 0.6 * seconds, "--resume"):
            tally.count(case, True)
    case.finish()


def main():
    rng = random.Random(SEED)
    tally = Tally()
    with PlaceFolder(PLACE) as folder:
        templates = make_templates(folder, rng)
        seconds = full_time(templates, folder)
        todo = []
        while tally.kills < KILLS:
            todo = todo or kinds(templates)
            template, naming = todo.pop()
            options = choose_options(rng)
            case = Case(folder, templates[template], naming, options)
            try:
                chain(case, rng, seconds, tally)
            except Lost as error:
                print(f"FAIL: {template}, {naming}, {' '.join(options)}, "
                      f"seed {SEED}, {tally.kills} kills: {error}",
                      file=sys.stderr)
                return 1
            case.clear()
    print(f"{tally.kills} kills, {tally.resumes} of them of a --resume, "
          f"{tally.consumed} with part of the source gone, "
          f"{tally.last} in the last step")
    # The kills have to land where it matters.
    if KILLS < 100:
        return 0
    return 0 if min(tally.resumes, tally.consumed, tally.last) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
