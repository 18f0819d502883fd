#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Power cuts while a guest is saved through iopress mount, replayed: what looks
# finished to libvirt or to iopress is whole and right, and a save that was
# reported as finished is there.  (A synced file has its name: so ext4, xfs and
# btrfs.)
#
#   IOPRESS_CRASH_STATES   how many states of each scenario to try
#   IOPRESS_CRASH_SEED     which ones (default 1)

import os
import random
import shutil
import sys

sys.path.insert(0, os.path.join(os.environ["abs_top_srcdir"], "tests",
                                "faults"))
# pylint: disable=wrong-import-position
from discard import digest, iopress, module, put_files, read, scratch
from effects import Log
from mounted_save import Daemon, Saver, begin_privately

PAGES = 120
# Steps of a save; what the file holds at an asterisk must never come back
# wrong.
SCENARIOS = {
    "save": ("begin", "pages", "close", "finish", "*"),
    "again": ("begin", "pages", "finish", "*", "again", "sync", "*", "close"),
    "cut": ("begin", "pages", "sync", "*", "empty", "sync", "*", "close"),
}
FINISHED = b"LibvirtQemudSave"


class Recording:
    """All that was done to store/image, and what it was to hold."""

    def __init__(self, name, top, seed, omit=None):
        self.folder = os.path.join(top, name)
        # Once it was finished an image keeps libvirt's header.
        self.fresh = name == "save"
        self.plains = []
        put_files(self.folder, {})
        for part in ("store", "mnt"):
            os.mkdir(os.path.join(self.folder, part))
        log = os.path.join(self.folder, "effects")
        variables = {
            "IOPRESS_RECORD": log, "IOPRESS_RECORD_SEED": str(seed),
            "IOPRESS_RECORD_FOLDER": os.path.join(self.folder, "store")}
        if omit:
            variables["IOPRESS_RECORD_OMIT"] = omit
        daemon = Daemon(self.folder,
                        ["--chunk-size", "64K", "-o", "pack=now"],
                        module("crash", "record"), variables)
        if not daemon.stands:
            raise SystemExit(f"FAIL: {read(daemon.log)}")
        self.save(SCENARIOS[name])
        if daemon.end() != 0:
            raise SystemExit(f"FAIL: the daemon: {read(daemon.log)}")
        self.log = Log(log, {"source": b""}, ("image", ""))

    def save(self, steps):
        saver = Saver(self.folder, "image", PAGES)
        for step in steps:
            if step == "*":
                self.plains.append(read(os.path.join(self.folder, "plain")))
            elif saver.step(step) != "ok":
                raise SystemExit(f"FAIL: {step} without a power cut")
        saver.end()

    def wrong(self, files, last):
        """Why what a power cut left is wrong, or None."""
        image = files.get("image")
        if image is None:
            return "it is lost" if last else None
        path = os.path.join(self.folder, "left")
        put_files(path, {"image": image})
        path = os.path.join(path, "image")
        whole = iopress("verify", path)[0] == 0
        if not whole and self.fresh and image[:16] == FINISHED:
            return "libvirt takes it for finished"
        if not whole:
            # A part of an image that is emptied is plain, as it was written.
            if last and image not in self.plains:
                return "it is lost"
            return None
        iopress("restore", path, path + ".source")
        source = read(path + ".source")
        # Between two states of the whole file only the header may be new.
        if source[92:] not in [plain[92:] for plain in self.plains]:
            return "it is whole, and wrong"
        if last and source != self.plains[-1]:
            return "it is not the last one"
        return None


def replay(name, top, seed, wanted, omit=None):
    """Returns what failed."""
    chooser = random.Random(f"{seed} {name}")
    recording = Recording(name, top, seed, omit)
    log = recording.log
    cuts = sorted(log.notable | {log.length}) + chooser.choices(
        range(log.length), k=log.length)
    tried, failures, looked_finished = set(), [], 0
    for cut in cuts:
        for files, how in log.states(cut, chooser, 2, 3):
            key = digest(files.get("image") or b"")
            if key in tried and cut != log.length:
                continue
            tried.add(key)
            looked_finished += (files.get("image") or b"")[:16] == FINISHED
            last = cut == log.length and "names 0" not in how
            wrong = recording.wrong(files, last)
            if wrong:
                failures.append(f"{name} {how}: {wrong}")
        if len(tried) >= wanted or len(failures) > 10:
            break
    print(f"{name}{' without a flush' if omit else ''}: {len(tried)} states "
          f"of {log.length} points, {looked_finished} finished to libvirt, "
          f"{len(failures)} wrong", flush=True)
    return failures


def main():
    top = scratch("crash-mount.")
    wanted = int(os.environ.get("IOPRESS_CRASH_STATES", "200"))
    seed = int(os.environ.get("IOPRESS_CRASH_SEED", "1"))
    try:
        failures = [failure for name in SCENARIOS
                    for failure in replay(name, top, seed, wanted)]
        if not replay("save", top, seed, wanted, "image"):
            failures.append("without a flush nothing is lost")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    begin_privately()
    sys.exit(main())
