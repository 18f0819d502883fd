#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress in the place of libvirt's iohelper: virsh dump, of QEMU's stream and
# of memory alone, with and without --bypass-cache.  The files are the
# original's, and the guest runs on.

import os

import iohelper
from libvirtd import Libvirtd, main, require

ELF, STREAM = b"\x7fELF", b"QEVM"


def begins_with(path):
    with open(path, "rb") as file:
        return file.read(4)


def dump(guest, helper, path, options):
    with helper.writes(path):
        guest.libvirtd.virsh("dump", guest.name, path, *options)


def check_stream(guest, helper, path, options, direct):
    """The guest stands still meanwhile, and goes on by itself."""
    dump(guest, helper, path, options)
    require(begins_with(path) == STREAM, "not QEMU's stream")
    helper.check_written(path, direct)
    os.unlink(path)
    guest.check_memory()


def check_paused(guest, path, options):
    """Of a paused guest both programs write the same, straight from QEMU."""
    theirs = path + ".original"
    dump(guest, iohelper.drop_in(guest.libvirtd), path, options)
    dump(guest, iohelper.original(guest.libvirtd), theirs, options)
    require(begins_with(path) == ELF, "no ELF file")
    iohelper.require_same(path, theirs)
    os.unlink(path)
    os.unlink(theirs)


def check(directory):
    path = os.path.join(directory, "dump")
    caches = iohelper.caches(directory)
    with Libvirtd(directory) as libvirtd:
        guest = libvirtd.boot_guest("witness")
        helper = iohelper.Recorder(libvirtd)
        for options, direct in caches:
            check_stream(guest, helper, path, options, direct)
        guest.suspend()
        for options, _ in caches:
            check_paused(guest, path, ["--memory-only", *options])
        guest.resume()
        guest.check_memory()


main(check)
