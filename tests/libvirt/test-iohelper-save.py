#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress in the place of libvirt's iohelper: virsh save and restore, raw and
# zstd, and managed save, with and without --bypass-cache.  The guest runs on,
# and the original, given the same bytes, writes the same file and reads the
# same from it.

import contextlib
import os
import shutil

import iohelper
from libvirtd import Libvirtd, main


def image_formats():
    if shutil.which("zstd"):
        return ["raw", "zstd"]
    print("not tried: format zstd, as zstd is not installed")
    return ["raw"]


def restore(guest, helper, path, direct):
    """Without O_DIRECT libvirt reads the file itself."""
    if direct:
        with helper.reads(path):
            guest.restore(path, "--bypass-cache")
    else:
        guest.restore(path)
    guest.check_memory()


def check_plain(guest, helper, path, options, direct):
    with helper.writes(path):
        guest.save(path, *options)
    restore(guest, helper, path, direct)
    os.unlink(path)


def check_managed(guest, helper, options, direct):
    path = os.path.join(guest.libvirtd.save_dir, f"{guest.name}.save")
    with helper.writes(path):
        guest.managed_save(*options)
    with helper.reads(path) if direct else contextlib.nullcontext():
        guest.start(*options)
    guest.check_memory()


def check_recorded(guest, helper, path, options, direct):
    with helper.writes(path):
        guest.save(path, *options)
    helper.check_written(path, direct, iohelper.HEADER_MAGIC)
    restore(guest, helper, path, direct)
    if direct:
        helper.check_read(path)
    os.unlink(path)


def check(directory):
    path = os.path.join(directory, "image")
    with Libvirtd(directory) as libvirtd:
        guest = libvirtd.boot_guest("witness")
        helper = iohelper.drop_in(libvirtd)
        for options, direct in iohelper.caches(directory):
            check_plain(guest, helper, path, options, direct)
            check_managed(guest, helper, options, direct)
        helper = iohelper.Recorder(libvirtd)
        for image_format in image_formats():
            for options, direct in iohelper.caches(directory):
                print(image_format, *options, flush=True)
                check_recorded(guest, helper, path,
                               ["--image-format", image_format, *options],
                               direct)


main(check)
