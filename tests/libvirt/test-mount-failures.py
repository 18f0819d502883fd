#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon of iopress mount is killed or hangs at every stage of a save, and
# libvirtd is killed in the middle of one: either the save has worked and can be
# restored, or the guest runs on.  What was finished is never lost, and libvirt
# starts no guest from nothing whose managed save it cannot read.

import hashlib
import os
import subprocess
import time

from libvirtd import Libvirtd, main, require  # finds the others
from mount import Mount

# Calls of the daemon: a piece of the prefix, the file header, pages, and at the
# second open all of it, the index and the footer.
STAGES = ["pwrite:4", "fdatasync-aside:1", "pwrite:40", "ftruncate:2",
          "fdatasync-aside:2", "fsync:1"]


def save_in_background(guest, path, *options):
    return subprocess.Popen(
        ["virsh", "-q", "save", guest.name, path, "--image-format", "sparse",
         *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).digest()


def looks_finished(path):
    """To libvirt."""
    with open(path, "rb") as file:
        return file.read(16) == b"LibvirtQemudSave"


def check_runs_on(guest):
    require(guest.domain_state() == "running", "the guest is lost")
    guest.check_memory()


def restore_and_check(guest, path):
    guest.restore(path)
    guest.check_memory()


def check_killed(guest, folder):
    """The daemon dies at each stage of a save."""
    path = os.path.join(folder, "killed")
    for number, stage in enumerate(STAGES):
        options = ["--parallel-channels", "2"] if number % 2 else []
        with Mount(folder, "-T", "2", fault=f"{stage}:kill") as mount:
            process = save_in_background(guest, path, *options)
            mount.wait_for_death()
            print(stage, process.communicate()[1].strip(), flush=True)
            subprocess.run(["umount", folder], check=True)
        require(process.returncode != 0, "an unfinished save has worked")
        require(not looks_finished(path), "it looks like a finished save")
        check_runs_on(guest)


def check_hung(guest, folder):
    """The daemon hangs: so does the save, and goes on with it."""
    path = os.path.join(folder, "hung")
    for stage in ("pwrite:40", "fsync:1"):
        with Mount(folder, fault=f"{stage}:stop") as mount:
            process = save_in_background(guest, path)
            mount.wait_until(mount.is_stopped, "the daemon does not stop")
            time.sleep(0.5)
            require(process.poll() is None, "the save does not wait")
            mount.go_on()
            require(process.wait() == 0, process.stderr.read())
            restore_and_check(guest, path)
            guest.destroy()
        guest.boot()
        guest.fill(20)


def check_libvirtd_killed(libvirtd, guest, folder):
    """libvirtd dies in the middle of a save and lets the guest run on when it
    is back."""
    path = os.path.join(folder, "left")
    with Mount(folder, fault="pwrite:40:stop") as mount:
        process = save_in_background(guest, path)
        mount.wait_until(mount.is_stopped, "the daemon does not stop")
        libvirtd.process.kill()
        libvirtd.process.wait()
        process.wait()
        mount.go_on()
        libvirtd.process = None
        libvirtd.start()
        mount.wait_until(lambda: guest.domain_state() == "running",
                         "the guest is lost")
        guest.check_memory()
        require(not looks_finished(path), "it looks like a finished save")
        guest.save(path, "--image-format", "sparse")
        restore_and_check(guest, path)
        guest.destroy()


def check_several(libvirtd, guests, folder):
    """Two guests at a time, while files are read."""
    paths = [os.path.join(folder, guest.name) for guest in guests]
    with Mount(folder, "-T", "2"):
        saves = list(map(save_in_background, guests, paths))
        for process in saves:
            require(process.wait() == 0, process.stderr.read())
        readers = [subprocess.Popen(["cksum", path],
                                    stdout=subprocess.DEVNULL)
                   for path in paths]
        restores = [subprocess.Popen(["virsh", "-q", "restore", path])
                    for path in paths]
        for process in restores + readers:
            require(process.wait() == 0, "a restore or a reader failed")
        for guest in guests:
            guest.attach()
            guest.check_memory()
        check_snapshot(libvirtd, guests[0], folder)
        guests[1].destroy()


def check_snapshot(libvirtd, guest, folder):
    """An external snapshot of memory, made while the guest writes to it."""
    path = os.path.join(folder, "memory")
    guest.dirty_start(8)
    libvirtd.virsh("snapshot-create-as", guest.name, "first", "--live",
                   "--memspec", f"file={path},snapshot=external")
    guest.dirty_stop()
    guest.destroy()
    guest.restore(path)
    guest.wait_for_ticks()
    guest.destroy()


def check_dead(libvirtd, guest):
    """A managed save in a mount whose process is dead, also for a libvirtd that
    begins then, and in one that hangs: libvirt does not start the guest from
    nothing, and deletes nothing."""
    path = os.path.join(libvirtd.save_dir, f"{guest.name}.save")
    with Mount(libvirtd.save_dir) as mount:
        guest.managed_save()
        mount.die()
        before = digest(path)
        print(libvirtd.virsh_refuses("start", guest.name).strip(), flush=True)
        libvirtd.virsh_refuses("managedsave-remove", guest.name)
        libvirtd.restart()
        require("Managed save: yes" in " ".join(
            libvirtd.virsh("dominfo", guest.name).split()),
            "libvirt does not know the managed save any more")
        libvirtd.virsh_refuses("start", guest.name)
        require(digest(path) == before, "the managed save was changed")
        subprocess.run(["umount", libvirtd.save_dir], check=True)
    with Mount(libvirtd.save_dir) as mount:
        mount.stop()
        process = subprocess.Popen(["virsh", "-q", "start", guest.name])
        time.sleep(1)
        require(process.poll() is None, "libvirt does not wait")
        mount.go_on()
        require(process.wait() == 0, "cannot be started")
        guest.attach()
        guest.check_memory()
        guest.destroy()


def check(directory):
    folder = os.path.join(directory, "saves")
    with Libvirtd(directory, save_image_format="sparse") as libvirtd:
        guest = libvirtd.boot_guest("witness")
        check_killed(guest, folder)
        check_hung(guest, folder)
        check_libvirtd_killed(libvirtd, guest, folder)
        guest.boot()
        guest.fill(20)
        other = libvirtd.boot_guest("other")
        check_several(libvirtd, [guest, other], folder)
        other.boot()
        other.fill(20)
        check_dead(libvirtd, other)


main(check)
