# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress mount and a save to it, for tests that break the daemon.

import os
import select
import shutil
import subprocess
import sys
import time

from discard import ENVIRONMENT, PLUGINS, PROGRAM, TESTS, skip

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
        self.log = os.path.join(folder, "log")
        environment = dict(ENVIRONMENT, **(variables or {}))
        if preload:
            environment["LD_PRELOAD"] = preload
        with open(self.log, "wb") as log:
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
    """tests/mount/guest_save.py: libvirt and QEMU save to FOLDER/mnt/NAME, and to
    FOLDER/plain."""

    def __init__(self, folder, name, pages):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(TESTS, "mount", "guest_save.py"),
             os.path.join(folder, "mnt", name),
             os.path.join(folder, "plain"), str(pages)],
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
