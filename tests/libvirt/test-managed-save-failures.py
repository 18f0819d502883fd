#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A managed save that cannot be expanded: the disk is full, or iopress is
# missing or crashes.  The start fails, the save stays, and when the reason is
# gone the guest starts from it.

import os
import subprocess

from hook import PACKED, hooked_guest, wait_until
from libvirtd import main, require

DISK_MIB = 160


def mount_small_disk(libvirtd):
    """Let managed saves go to a small file system of their own."""
    image = os.path.join(libvirtd.directory, "disk")
    with open(image, "wb") as file:
        file.truncate(DISK_MIB << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image,
                              libvirtd.save_dir])
    return mounted.returncode == 0


def free_room(folder):
    """Bytes that root can still write there."""
    status = os.statvfs(folder)
    return status.f_bfree * status.f_frsize


def fill_disk(folder):
    """Leave no room there but a few pages."""
    path = os.path.join(folder, "ballast")
    with open(path, "wb") as file:
        try:
            while True:
                file.write(os.urandom(1 << 20))
                file.flush()
        except OSError:
            pass
    return path


def expect_kept(libvirtd, hook, guest):
    """It does not start, and its save is as it was."""
    path = hook.path(guest)
    with open(path, "rb") as file:
        before = file.read()
    libvirtd.virsh_refuses("start", guest.name)
    require(guest.domain_state() == "shut off", "it runs")
    require(hook.state(guest) == PACKED, "the save has not been kept")
    with open(path, "rb") as file:
        require(file.read() == before, "the save has been changed")
    hook.expect_said("not expanded: ")


def check_full_disk(libvirtd, hook, guest):
    empty = free_room(libvirtd.save_dir)
    hook.save_and_pack(guest)
    packed = os.stat(hook.path(guest)).st_blocks * 512
    wait_until(lambda: free_room(libvirtd.save_dir) + packed >
               empty - (1 << 20), "what was replaced gives its room back")
    ballast = fill_disk(libvirtd.save_dir)
    expect_kept(libvirtd, hook, guest)
    hook.expect_files("ballast", "lost+found", f"{guest.name}.save")
    os.unlink(ballast)
    hook.expect_start(guest, "lost+found")


def check_iopress(libvirtd, hook, guest):
    """Missing, crashing, or refusing."""
    usual = hook.settings["iopress"]
    hook.save_and_pack(guest)
    for program in ("/no/such/program",
                    hook.write("crashes", "kill -SEGV $$"),
                    hook.write("is-killed", "kill -KILL $$"),
                    hook.write("fails", "echo no luck >&2", "exit 1")):
        hook.configure(iopress=program)
        expect_kept(libvirtd, hook, guest)
    hook.expect_said("no luck")
    hook.configure(iopress=usual)
    guest.start()
    guest.check_memory()


def check_signals(libvirtd, hook, guest):
    """The hook itself is told to end."""
    usual = hook.settings["iopress"]
    hook.save_and_pack(guest)
    # Not that of another test, which is in another mount namespace.
    hook.configure(iopress=hook.write(
        "ends-the-hook",
        "for process in $(ps -A -o pid=,args= | "
        "awk '/restore begin/ && !/awk/ { print $1 }'); do",
        "  if test /proc/$process/ns/mnt -ef /proc/self/ns/mnt; then",
        "    kill -TERM $process",
        "  fi",
        "done"))
    expect_kept(libvirtd, hook, guest)
    hook.configure(iopress=usual)
    guest.start()
    guest.check_memory()


def check(directory):
    with hooked_guest(directory) as (libvirtd, hook, guest):
        check_iopress(libvirtd, hook, guest)
        check_signals(libvirtd, hook, guest)
        if mount_small_disk(libvirtd):
            check_full_disk(libvirtd, hook, guest)
        else:
            print("no loop mounts here: a full disk has not been tried")


main(check)
