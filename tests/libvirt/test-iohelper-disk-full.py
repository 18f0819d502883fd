#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk fills while libvirt saves or dumps a guest through iopress in the
# place of its iohelper: virsh says what it says with the original, the file is
# gone, and the guest runs on.

import os
import shutil

import iohelper
import namespaces
from libvirtd import Libvirtd, main, require

SIZE = "size=6m"                # less than the guest, compressed, too


def commands(path, folder):
    """What is tried, as arguments of virsh."""
    caches = [options for options, _ in iohelper.caches(folder)]
    for options in caches:
        yield ["save", "witness", path, *options]
        yield ["dump", "witness", path, *options]
    yield ["dump", "witness", path, "--memory-only"]
    if shutil.which("zstd"):
        yield ["save", "witness", path, "--image-format", "zstd"]


def message(guest, arguments, folder):
    """What virsh says when it fails."""
    text = guest.libvirtd.virsh_refuses(*arguments)
    require(os.listdir(folder) == [], "something was left behind")
    guest.check_memory()
    return text


def check(directory):
    folder = os.path.join(directory, "full")
    os.mkdir(folder)
    namespaces.mount_empty(folder, SIZE)
    path = os.path.join(folder, "image")
    with Libvirtd(directory) as libvirtd:
        guest = libvirtd.boot_guest("witness")
        for arguments in commands(path, folder):
            iohelper.drop_in(libvirtd)
            ours = message(guest, arguments, folder)
            iohelper.original(libvirtd)
            theirs = message(guest, arguments, folder)
            print(" ".join(arguments), ours.strip(), sep="\n", flush=True)
            require(ours == theirs, f"the original makes virsh say: {theirs}")
            require(f"{libvirtd.iohelper}: failure with {path}: Unable to "
                    f"write {path}: No space left on device" in ours,
                    "not the error that was wanted")


main(check)
