#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# An unchanged libvirt saves to a folder that iopress mount shows, and restores
# from it: in every format and way, managed saves, external snapshots and dumps.
# A full disk fails the save, a daemon that is killed loses no guest, and what
# was finished stays when the mount is missing.

import hashlib
import os
import subprocess
import time

from libvirtd import Libvirtd, main, require  # finds the others
import iopress
import namespaces
from mount import Mount

EDITOR = """#!/bin/sh
sed -i 's,</name>,</name><title>edited</title>,' "$1"
"""


def boot_again(guest):
    guest.boot()
    guest.fill(20)


def check_ways(libvirtd, guest, folder):
    """Each of virsh save's ways, and back."""
    path = os.path.join(folder, "guest.save")
    ways = [
        (["--image-format", "sparse"], []),
        (["--image-format", "sparse", "--parallel-channels", "2"],
         ["--parallel-channels", "2"]),
        (["--image-format", "sparse", "--bypass-cache",
          "--parallel-channels", "2"],
         ["--bypass-cache", "--parallel-channels", "2"]),
        (["--image-format", "raw"], []),
        (["--image-format", "zstd"], []),
    ]
    for save, restore in ways:
        print("save", *save, flush=True)
        guest.save(path, *save)
        require("<domain" in libvirtd.virsh("save-image-dumpxml", path),
                "no XML")
        guest.restore(path, *restore)
        guest.check_memory()
        if "--bypass-cache" in save:
            # libvirt would let QEMU crash at the next save without it.
            guest.destroy()
            boot_again(guest)
        os.unlink(path)


def check_managed(libvirtd, guest):
    guest.managed_save()
    require("<domain" in libvirtd.virsh("managedsave-dumpxml", guest.name),
            "no XML")
    guest.start()
    guest.check_memory()


def check_edit(libvirtd, guest, folder, directory):
    path = os.path.join(folder, "edited")
    editor = os.path.join(directory, "editor")
    with open(editor, "w") as file:
        file.write(EDITOR)
    os.chmod(editor, 0o755)
    guest.save(path, "--image-format", "sparse")
    libvirtd.virsh("save-image-edit", path, EDITOR=editor, VISUAL=editor)
    guest.restore(path)
    require(libvirtd.virsh("desc", guest.name, "--title").strip() == "edited",
            "the edit is lost")
    guest.check_memory()


def check_dump(libvirtd, guest, folder):
    path = os.path.join(folder, "dump")
    libvirtd.virsh("dump", guest.name, path, "--memory-only")
    with open(path, "rb") as file:
        require(file.read(4) == b"\x7fELF", "no dump")
    os.unlink(path)
    guest.check_memory()


def check_missing(libvirtd, guest, mount):
    """Without the mount the image stands there, and libvirt leaves it alone."""
    guest.managed_save()
    path = os.path.join(libvirtd.save_dir, f"{guest.name}.save")
    mount.kill()
    with open(path, "rb") as file:
        before = hashlib.sha256(file.read()).digest()
    iopress.verify(path)
    libvirtd.virsh_refuses("start", guest.name)
    with open(path, "rb") as file:
        require(hashlib.sha256(file.read()).digest() == before,
                "the managed save was changed")


def check_killed(libvirtd, guest, folder):
    """The daemon dies in the middle of a save: the guest runs on."""
    path = os.path.join(folder, "killed")
    with Mount(folder) as mount:
        process = subprocess.Popen(
            ["virsh", "save", guest.name, path, "--image-format", "sparse"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(path):
            time.sleep(0.001)
        mount.kill()
        finished = process.wait() == 0
    print("the save was", "finished" if finished else "refused", flush=True)
    if finished:
        boot_again(guest)
    else:
        require(guest.domain_state() == "running", "the guest is lost")
        guest.check_memory()


def check_full(guest, libvirtd, directory):
    """A full disk fails the save, and the guest runs on."""
    folder = os.path.join(directory, "small")
    os.makedirs(folder)
    namespaces.mount("-t", "tmpfs", "-o", "size=20M", "none", folder)
    with Mount(folder):
        for options in ([], ["--parallel-channels", "2"]):
            libvirtd.virsh_refuses("save", guest.name,
                                   os.path.join(folder, "guest.save"),
                                   "--image-format", "sparse", *options)
            require(guest.domain_state() == "running", "the guest is lost")
            guest.check_memory()


def check(directory):
    folder = os.path.join(directory, "saves")
    with Libvirtd(directory, save_image_format="sparse") as libvirtd:
        guest = libvirtd.boot_guest("witness")
        with Mount(folder):
            check_ways(libvirtd, guest, folder)
            check_edit(libvirtd, guest, folder, directory)
            check_dump(libvirtd, guest, folder)
            # QEMU keeps what it was restored from open.
            guest.destroy()
        boot_again(guest)
        check_full(guest, libvirtd, directory)
        check_killed(libvirtd, guest, folder)
        with Mount(libvirtd.save_dir):
            check_managed(libvirtd, guest)
            guest.destroy()
        boot_again(guest)
        with Mount(libvirtd.save_dir) as mount:
            check_missing(libvirtd, guest, mount)
        with Mount(libvirtd.save_dir):
            guest.start()
            guest.check_memory()
            guest.destroy()


main(check)
