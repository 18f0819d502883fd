#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every I/O call of iopress mount fails once in turn while a guest is saved: the
# writer gets the error, close does not, what failed never looks finished, and
# the daemon lives on and takes the next save.
#
#   test-mount.py [SITUATION [CALL:N:HOW]]

import os
import select
import shutil
import subprocess
import sys
import time

from discard import (ENVIRONMENT, PLUGINS, PROGRAM, TESTS, iopress, put_files,
                     read, skip)
from faults import Situation, main, options_of

PAGES = 300
STEPS = ("begin", "pages", "sync", "again", "close", "finish")
PATIENCE = 20                   # seconds


def begin_privately():
    """Begin again with mounts that nobody else sees."""
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse") or \
            shutil.which("unshare") is None:
        skip("needs root, unshare and /dev/fuse")
    if "IOPRESS_PRIVATE_MOUNTS" not in os.environ:
        os.environ["IOPRESS_PRIVATE_MOUNTS"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private",
                              sys.executable, *sys.argv])


class Daemon:
    """iopress mount of FOLDER/store on FOLDER/mnt."""

    def __init__(self, folder, arguments, preload=None, variables=None):
        self.folder = os.path.join(folder, "mnt")
        environment = dict(ENVIRONMENT, **(variables or {}))
        if preload:
            environment["LD_PRELOAD"] = preload
        with open(os.path.join(folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "mount", "--plugin-dir", PLUGINS, "-f", "-T", "2",
                 "--store", os.path.join(folder, "store"), *arguments,
                 self.folder], env=environment, stderr=log,
                stdin=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and \
                not os.path.ismount(self.folder) and time.monotonic() < end:
            time.sleep(0.01)
        self.stands = self.process.poll() is None

    def end(self):
        """Unmount; returns the exit status of the daemon, or "hang"."""
        if self.process.poll() is None:
            self.unmount()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            status = "hang"
        if status != 0:
            self.kill()
        return status

    def unmount(self, *options):
        subprocess.run(["umount", *options, self.folder], check=False,
                       stderr=subprocess.DEVNULL)

    def kill(self):
        """Whoever waits for it goes on; the store is seen in its place."""
        self.process.kill()
        self.process.wait()
        time.sleep(0.5)
        self.unmount("-l")


class Saver:
    """tests/mount/guest_save.py."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(TESTS, "mount", "guest_save.py"),
             os.path.join(folder, "mnt", "guest"),
             os.path.join(folder, "plain"), str(PAGES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def step(self, name):
        """What becomes of it: "ok", an errno's name, or "hang"."""
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            return "hang"
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Save(Situation):
    """A guest is saved as libvirt does it."""

    # What is given back at the end need not be.
    tolerated = ("fallocate",)

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
        return status, (read(os.path.join(folder, "log")) or b"").decode()

    wrong = {}                  # in this process

    def save(self, folder, daemon, lost):
        saver = Saver(folder)
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


def situations(top):
    del top
    return [
        Save("now", None, ["--chunk-size", "256K", "-o", "pack=now"]),
        SaveStored("stored", None, ["--chunk-size", "256K", "-c", "stored"]),
    ]


if __name__ == "__main__":
    begin_privately()
    sys.exit(main(situations, sys.argv[1:]))
