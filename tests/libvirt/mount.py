# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress mount on a folder, for tests with libvirtd.

import os
import signal
import subprocess
import time

from libvirtd import require  # finds the others
import harness
import iopress
import namespaces


class Mount:
    """A folder whose files lie below the mount; use it in a with statement.

    FAULT is one of tests/faults/inject.c, on the files of the folder."""

    def __init__(self, folder, *options, fault=None):
        self.folder = folder
        self.options = options
        self.fault = fault
        self.process = None

    def environment(self):
        if self.fault is None:
            return None
        return dict(os.environ, LD_PRELOAD=iopress.module("faults", "inject"),
                    IOPRESS_FAULT_FOLDER=self.folder, IOPRESS_FAULT=self.fault)

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        command = [iopress.program(), "mount"] + iopress.plugin_options()
        self.process = subprocess.Popen(
            command + ["-f", *self.options, self.folder],
            env=self.environment(), preexec_fn=harness.end_with_parent)
        self.wait_until(self.stands, "the mount does not stand")
        return self

    def wait_until(self, condition, message):
        deadline = time.monotonic() + 60
        while not condition():
            if time.monotonic() > deadline:
                raise harness.Failure(message)
            time.sleep(0.01)

    def stands(self):
        if self.process.poll() is not None:
            raise harness.Skip("iopress mount does not work here")
        return os.path.ismount(self.folder)

    def is_stopped(self):
        """A fault has stopped the daemon."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            return file.read().rpartition(") ")[2].startswith("T")

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def die(self):
        """The daemon is killed; the store is seen in its place."""
        self.process.kill()
        self.wait_for_death()

    def wait_for_death(self):
        self.process.wait()
        self.wait_until(lambda: "fuse.iopress" not in
                        namespaces.mounted_types(self.folder),
                        "the dead mount is still there")

    def kill(self):
        self.die()
        subprocess.run(["umount", self.folder], check=True)

    def __exit__(self, *_):
        if self.process.poll() is not None:
            return
        # After a save that failed QEMU may keep its descriptors.
        if subprocess.run(["umount", self.folder]).returncode != 0:
            self.process.terminate()
        require(self.process.wait() == 0, "the mount ended with an error")
