#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# The host dies while a managed save is being packed, and while it is being
# expanded; or just iopress does.  In the end the guest starts from its save,
# and nothing is left over.

import os
import shlex
import shutil
import signal
import threading

from hook import EXPANDING, LOCKS, ROOT, WHOLE, hooked_guest, wait_until
from libvirtd import main, require

STOPPER = os.path.join(ROOT, "tests", "libvirt", "stop_expanding.py")


def die(libvirtd):
    """The host ends and starts again: nothing of /run is left."""
    libvirtd.kill()
    shutil.rmtree(LOCKS, ignore_errors=True)
    libvirtd.restart()


def check_packing(libvirtd, hook, guest):
    hook.configure(codec="xz:9")
    hook.save_and_catch(guest)
    die(libvirtd)
    require(hook.state(guest) == WHOLE, "the save is not whole")
    require(hook.is_packing(guest), "nothing was begun")
    hook.expect_start(guest)
    hook.configure(codec="zstd:1")


class Stopped:
    """A start that is stopped in the middle of expanding."""

    def __init__(self, libvirtd, hook, guest, delay):
        self.libvirtd = libvirtd
        self.guest = guest
        self.hook = hook
        self.usual = hook.settings["iopress"]
        report = os.path.join(libvirtd.directory, "stopped")
        hook.configure(iopress=hook.write(
            "stopper", f"exec python3 {shlex.quote(STOPPER)} {delay} "
            f'{shlex.quote(report)} {shlex.quote(self.usual)} "$@"'))
        self.thread = threading.Thread(target=self.start)
        self.thread.start()
        wait_until(lambda: os.path.exists(report),
                   lambda: f"it has stopped in the middle: {hook.said()}")
        with open(report) as file:
            self.process = int(file.read())
        os.unlink(report)
        require(hook.state(guest) == EXPANDING, "not in the middle")

    def start(self):
        self.result = self.libvirtd.try_virsh("start", self.guest.name)

    def end(self):
        self.thread.join()
        self.hook.configure(iopress=self.usual)


def check_expanding(libvirtd, hook, guest):
    """The host dies several times in the same expansion."""
    hook.save_and_pack(guest)
    for delay in (0, 0.01, 0.05):
        stopped = Stopped(libvirtd, hook, guest, delay)
        die(libvirtd)
        stopped.end()
        require(hook.state(guest) == EXPANDING,
                f"the save is {hook.state(guest)} after the host died")
        libvirtd.virsh("managedsave-dumpxml", guest.name)
    hook.expect_start(guest)


def check_killed(libvirtd, hook, guest):
    """Only iopress dies: the start fails, and another one does not."""
    hook.save_and_pack(guest)
    stopped = Stopped(libvirtd, hook, guest, 0.01)
    os.kill(stopped.process, signal.SIGKILL)
    stopped.end()
    require(stopped.result.returncode != 0, "it has started")
    require(guest.domain_state() == "shut off", "it runs")
    require(hook.state(guest) == EXPANDING, "the save has not been kept")
    hook.expect_start(guest)


def check_libvirtd_killed(libvirtd, hook, guest):
    """libvirtd dies, and the hook goes on; the next start waits for it."""
    hook.save_and_pack(guest)
    stopped = Stopped(libvirtd, hook, guest, 0.01)
    libvirtd.process.kill()
    libvirtd.process.wait()
    libvirtd.process = None
    stopped.end()
    libvirtd.restart()
    thread = threading.Thread(target=guest.start)
    thread.start()
    thread.join(2)
    require(thread.is_alive(), "a second one expands at the same time")
    os.kill(stopped.process, signal.SIGCONT)
    thread.join()
    hook.expect_files()
    guest.check_memory()


def check(directory):
    with hooked_guest(directory) as (libvirtd, hook, guest):
        check_packing(libvirtd, hook, guest)
        check_expanding(libvirtd, hook, guest)
        check_killed(libvirtd, hook, guest)
        check_libvirtd_killed(libvirtd, hook, guest)


main(check)
