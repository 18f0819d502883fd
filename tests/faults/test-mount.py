#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every I/O call of iopress mount fails once in turn while a guest is saved, or
# memory is refused: the writer gets the error, close does not, what failed never
# looks finished, and the daemon lives on and takes the next save.
#
#   test-mount.py [SITUATION [CALL:N:HOW]]

import os
import sys

from discard import iopress, put_files, read
from faults import Situation, main, options_of
from mounted_save import Daemon, Saver, begin_privately

PAGES = 300
STEPS = ("begin", "pages", "sync", "again", "close", "finish")


class Save(Situation):
    """A guest is saved as libvirt does it."""

    # What is given back at the end need not be.
    tolerated = ("fallocate",)
    told_by_errno = True

    def prepare(self, folder):
        put_files(folder, {})
        self.files = {}

    def run(self, folder, injector):
        for name in ("store", "mnt"):
            os.mkdir(os.path.join(folder, name))
        variables = injector.variables()
        variables["IOPRESS_FAULT_FOLDER"] = os.path.join(folder, "store")
        daemon = Daemon(folder, self.arguments,
                        options_of(injector)["preload"], variables)
        self.wrong[folder] = []
        status = 1
        if daemon.stands:
            status = self.save(folder, daemon, "lost" in
                               (injector.fault or ""))
            if daemon.process.poll() is not None:
                self.wrong[folder].append("the daemon has ended")
            ended = daemon.end()
            if ended != 0:
                self.wrong[folder].append(f"the daemon ended with {ended}")
        if not os.path.exists(injector.path):
            # It was killed, and the fault is what it was killed for.
            with open(injector.path, "w", encoding="ascii") as file:
                file.write(injector.fault.rpartition(":")[0].replace(":", " "))
        return status, (read(daemon.log) or b"").decode()

    wrong = {}                  # in this process

    def save(self, folder, daemon, lost):
        saver = Saver(folder, "guest", PAGES)
        failed = None
        for step in STEPS:
            answer = saver.step(step)
            if answer != "ok":
                failed = step
                break
        if answer == "hang":
            self.wrong[folder].append(f"{failed} hangs")
            daemon.kill()
        elif failed == "close":
            self.wrong[folder].append("close fails")
        # A flush may tell of what is lost once more.
        elif failed not in (None, "begin", "finish") and not lost:
            self.begin_anew(folder, saver)
        self.failed[folder] = failed
        saver.end()
        return 1 if failed else 0

    failed = {}

    def begin_anew(self, folder, saver):
        """After an error nothing works until the file is emptied."""
        for step, wanted in (("again", False), ("sync", False),
                             ("empty", True), ("sync", True),
                             ("close", True)):
            answer = saver.step(step)
            if (answer == "ok") != wanted:
                self.wrong[folder].append(f"then {step}: {answer}")

    def check(self, folder, status):
        wrong = self.wrong.pop(folder)
        image = os.path.join(folder, "store", "guest")
        failed = self.failed.pop(folder, "begin")
        if failed in (None, "finish"):
            whole = iopress("verify", image)[0] == 0
            if not whole and failed is None:
                wrong.append("it is not whole")
            if whole and not self.is_right(folder, image):
                wrong.append("it is whole, and wrong")
        return "; ".join(wrong) or None

    @staticmethod
    def is_right(folder, image):
        """What is written last may be there or not when that failed."""
        output = os.path.join(folder, "restored")
        iopress("restore", image, output)
        return read(output)[92:] == read(os.path.join(folder, "plain"))[92:]


class SaveStored(Save):
    """The same calls, but in other places."""

    absorbs = False


class Starved(Save):
    """The daemon gets no memory once, at the start or later.  Without any more
    of it libfuse ends the daemon; what libraries say is not for iopress."""

    others = ("fuse: ", "short read on fuse device", "libgcc_s.so.1 must be ")

    starve = int(os.environ.get("IOPRESS_STARVE", "0")) or 7
    starved = ["ENOMEM"]

    def run(self, folder, injector):
        status, said = super().run(folder, injector)
        lines = said.splitlines(keepends=True)
        return status, "".join(line for line in lines
                               if not line.startswith(self.others))

    def begin_anew(self, folder, saver):
        """Whether that works is a matter of memory."""


def situations(top):
    del top
    return [
        Save("now", None, ["--chunk-size", "256K", "-o", "pack=now"]),
        # A worker that is lost is the only one.
        Starved("starved", None,
                ["--chunk-size", "256K", "-o", "pack=now", "-T", "1"]),
        SaveStored("stored", None, ["--chunk-size", "256K", "-c", "stored"]),
    ]


if __name__ == "__main__":
    begin_privately()
    sys.exit(main(situations, sys.argv[1:]))
