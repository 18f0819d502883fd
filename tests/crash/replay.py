# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs of the program are recorded, cut at many points, and run again.
#
#   IOPRESS_CRASH_STATES   about how many states to try
#   IOPRESS_CRASH_SEED     which ones (default 1)
#
# The order of effects of a recorded run is a matter of timing, so a state that
# fails is kept in the folder that is named.

import os
import random
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

sys.path.insert(0, os.path.join(os.environ["abs_top_srcdir"], "tests",
                                "faults"))
# pylint: disable=wrong-import-position
from discard import (BUILD, Source, digest, iopress, libvirt_save,
                     mixed_pages, module, put_files, read, scratch, take_files)
from effects import Log

CHAIN_DEPTH = 3
KEPT_FAILURES = 5


class Scenario:
    """A source and the way it is packed."""

    again = ("--resume",)       # options of a run that goes on
    other_names = ("image.part", "image")
    chain = 0.06                # share of the runs that go on and are cut, too
    chain_cuts = 6
    singles = 8                 # states of each cut, see Log.states
    count = 4

    def __init__(self, name, source, *arguments, descriptors=False,
                 leftover=None):
        self.name = name
        self.source = source
        self.arguments = ["--discard", *source.options, *arguments]
        self.descriptors = descriptors
        self.leftover = leftover        # an image.part of something else
        self.log = None
        self.tried = set()      # digests of states

    def before(self):
        files = {"source": self.source.data}
        if self.descriptors:
            files["image"] = b""
        if self.leftover:
            files["image.part"] = self.leftover
        return files

    def save(self, folder, *arguments, **options):
        names = [os.path.join(folder, name) for name in ("source", "image")]
        fds = []
        if self.descriptors:
            fds = [os.open(name, os.O_RDWR) for name in names]
            names = [f"fd:{fd}" for fd in fds]
        try:
            return iopress("save", *self.arguments, *arguments, *names,
                           pass_fds=fds, **options)
        finally:
            for fd in fds:
                os.close(fd)

    def record(self, folder, seed, *arguments, omit=None):
        """Run with every effect written down.  Returns status, text, log."""
        before = take_files(folder, self.other_names)
        log = os.path.join(folder, "log")
        variables = {"IOPRESS_RECORD": log, "IOPRESS_RECORD_FOLDER": folder,
                     "IOPRESS_RECORD_SEED": str(seed)}
        if omit:
            variables["IOPRESS_RECORD_OMIT"] = omit
        status, text = self.save(folder, *arguments, variables=variables,
                                 preload=module("crash", "record"))
        return status, text, Log(log, before, self.other_names) \
            if status == 0 else None

    def begin(self, folder, seed, omit=None):
        """Record the first run."""
        put_files(folder, self.before())
        status, text, self.log = self.record(folder, seed, omit=omit)
        if status != 0 or not self.restores(folder):
            raise SystemExit(f"FAIL: {self.name}: not even an undisturbed "
                             f"run: {status} {text}")

    def restores(self, folder):
        image = os.path.join(folder, "image")
        return os.path.exists(image) and self.source.restores(image, folder)

    def cuts(self, chooser):
        """Where to cut the recorded run."""
        del chooser
        return range(self.log.length + 1)

    def judge(self, files):
        """What is wrong with a state as such, or None."""

    def check(self, folder, status, text):
        """What is wrong after the run that went on, or None."""
        if status == 3 and \
           read(os.path.join(folder, "source")) == self.source.data:
            # The head of the image had not reached the disk yet: it cannot be
            # told from another file, or is that of an earlier one.
            if "if SOURCE is whole move it away" in text:
                os.unlink(os.path.join(folder, "image.part"))
            elif not self.leftover:
                return f"resume: status {status}: {text}"
            status, text = self.save(folder)
        if status != 0:
            return f"resume: status {status}: {text}"
        if os.path.exists(os.path.join(folder, "image.part")):
            return "image.part is left"
        if not self.restores(folder):
            return "the image does not restore"
        return None


class Large:
    """What makes a scenario bear so large a source that every block of the
    writer is used again, while the image is flushed: few states have to do."""

    chain = 0.02
    chain_cuts = 1
    singles = 1
    count = 2

    def cuts(self, chooser):
        """Two, one of them around something notable."""
        notable = chooser.choice(sorted(self.log.notable))
        return [chooser.randrange(self.log.length + 1),
                notable - chooser.randrange(2)]


def large_source():
    noise = random.Random(6).randbytes(19 << 20)
    data = noise[:10 << 20] + bytes(1 << 20) + noise[10 << 20:-777]
    return Source("large", data, data, "--chunk-size", "1M")


class Replay:
    """The states that one process tries, and what became of them."""

    def __init__(self, scenario, folder, seed):
        self.scenario = scenario
        self.folder = folder
        self.chooser = random.Random(seed)
        self.tried = set()      # digests
        self.chained = 0
        self.failures = []      # (files, dense, text)

    def try_cuts(self, log, cuts, count, how="", depth=0):
        for cut in cuts:
            for files, choice in log.states(cut, self.chooser,
                                            self.scenario.singles, count):
                key = digest(b"".join(b"%s %d " % (name.encode(), len(data))
                                      + data for name, data in files.items()))
                if key not in self.tried and key not in self.scenario.tried:
                    self.tried.add(key)
                    self.try_state(files, how + choice, depth)

    def try_state(self, files, how, depth):
        self.chained += depth > 0
        # A zero page may be a hole or not.
        dense = self.chooser.random() < 0.2
        how += " dense" if dense else ""
        put_files(self.folder, files, dense)
        log = None
        if depth < CHAIN_DEPTH and \
                self.chooser.random() < self.scenario.chain:
            status, text, log = self.scenario.record(
                self.folder, self.chooser.randrange(10 ** 9),
                *self.scenario.again)
        else:
            # Now and then with the libaio of the system.
            preload = module("crash", "record") \
                if self.chooser.random() < 0.97 else None
            status, text = self.scenario.save(
                self.folder, *self.scenario.again, preload=preload)
        wrong = self.scenario.judge(files) or \
            self.scenario.check(self.folder, status, text)
        if wrong:
            self.failures.append((files, dense, f"{self.scenario.name}: {how}"
                                                f": {wrong}"))
        elif log:
            cuts = self.chooser.sample(range(log.length + 1),
                                       min(self.scenario.chain_cuts,
                                           log.length + 1))
            self.try_cuts(log, cuts, 1, f"{how}; then ", depth + 1)


# Set before the processes are forked: (scenario, cuts, seed, folder).
WORK = []


def replay(number):
    scenario, cuts, seed, top = WORK[number]
    one = Replay(scenario, os.path.join(top, f"replay{number}"), seed)
    one.try_cuts(scenario.log, cuts, scenario.count)
    shutil.rmtree(one.folder, ignore_errors=True)
    return one.tried, one.chained, one.failures


def replay_all(scenarios, top, seed):
    """Cut every recorded run everywhere.  Returns how many of the states were
    in chains, and the failures."""
    WORK.clear()
    for scenario in scenarios:
        cuts = scenario.cuts(random.Random(f"{seed} {scenario.name}"))
        step = len(cuts) // 4 + 1
        for first in range(0, len(cuts), step):
            WORK.append((scenario, cuts[first:first + step],
                         f"{seed} {len(WORK)}", top))
    workers = 2 * len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(workers, get_context("fork")) as pool:
        results = list(pool.map(replay, range(len(WORK))))
    for (scenario, *_), (tried, _, _) in zip(WORK, results):
        scenario.tried |= tried
    return (sum(chained for _, chained, _ in results),
            [failure for _, _, some in results for failure in some])


def sources(top):
    """What most scenarios begin with: with a last part page, without, and as
    QEMU writes it."""
    ragged = mixed_pages(3, 14, 0.98, 1000)
    plain = mixed_pages(4, 14, 0.98, 0)
    mapped = libvirt_save(top, "--xml-padding", "5K", "--content", "text",
                          "--block", "pc.ram=512K,random",
                          "--block", "vga.vram=128K,ends")
    return (Source("ragged", ragged, ragged), Source("plain", plain, plain),
            Source("mapped", *mapped))


def test_protocol(scenarios, top, wanted, seed):
    """Returns how many states failed."""
    tried = chained = rounds = effects = 0
    failures = []
    start = time.monotonic()
    while tried < wanted and len(failures) < 100:
        for number, scenario in enumerate(scenarios):
            scenario.begin(os.path.join(top, "record"), seed + rounds * 100
                           + number)
        in_chains, failed = replay_all(scenarios, top, f"{seed} {rounds}")
        effects += sum(scenario.log.length for scenario in scenarios)
        tried = sum(len(scenario.tried) for scenario in scenarios)
        chained += in_chains
        failures += failed
        rounds += 1
    keep(failures)
    print(f"{tried} different states from {effects} points of "
          f"{rounds * len(scenarios)} recorded runs, {chained} of them after "
          f"a second cut or later: {len(failures)} failed "
          f"({time.monotonic() - start:.0f} s)", flush=True)
    return len(failures)


def keep(failures):
    for number, (files, dense, text) in enumerate(failures):
        if number < KEPT_FAILURES:
            folder = os.path.join(BUILD, "tests", "crash", f"failed{number}")
            put_files(folder, files, dense)
            text += f"\n  kept in {folder}"
        print(f"FAIL: {text}")


def test_bites(scenario, top, omit, seed):
    """Without one kind of sync the replay must find a loss.  Returns whether
    it did."""
    scenario.chain = 0
    scenario.begin(os.path.join(top, "record"), seed, omit)
    _, failures = replay_all([scenario], top, f"{seed} {omit}")
    print(f"{scenario.name} without sync of the {omit}: {len(failures)} of "
          f"{len(scenario.tried)} states fail, as they must", flush=True)
    return bool(failures)


def main(scenarios, bites, states):
    """What SCENARIOS (top) returns must bear every cut, and must not without
    the syncs that BITES names: (scenario, what is not synced)."""
    wanted = int(os.environ.get("IOPRESS_CRASH_STATES", states))
    seed = int(os.environ.get("IOPRESS_CRASH_SEED", "1"))
    top = scratch("crash.")
    try:
        failed = test_protocol(scenarios(top), top, wanted, seed)
        for name, omit in bites:
            scenario = next(scenario for scenario in scenarios(top)
                            if scenario.name == name)
            if not test_bites(scenario, top, omit, seed):
                print(f"FAIL: {name} without sync of the {omit}: nothing was "
                      "lost")
                failed += 1
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 1 if failed else 0
