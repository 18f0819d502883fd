#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A managed save is packed in the background, and the guest starts from it: in
# every way in which virsh starts one, two at once, and with a name that a
# shell could take for something else.

import os
import threading

from hook import hooked_guest
from libvirtd import main, require

NAME = 'a guest; "$(name)" *'


def allocated(path):
    return os.stat(path).st_blocks * 512


def check_start(hook, guest, save=(), start=()):
    """Saved, packed and started, each with its options."""
    guest.managed_save(*save)
    whole = allocated(hook.path(guest))
    hook.wait_packed(guest)
    require(allocated(hook.path(guest)) < whole, "it has not shrunk")
    guest.start(*start)
    hook.expect_files()
    if "--paused" in save:
        guest.resume()
    guest.check_memory()


def start_together(guests):
    failures = []

    def start(guest):
        try:
            guest.start()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start, args=(guest,))
               for guest in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def check_two(hook, guests):
    for guest in guests:
        guest.managed_save()
    for guest in guests:
        hook.wait_packed(guest)
    start_together(guests)
    for guest in guests:
        guest.check_memory()
    hook.expect_files()


def check_other_formats(libvirtd, hook, guest):
    """They are left as they are, and start."""
    libvirtd.conf(save_image_format="raw")
    guest.managed_save()
    hook.expect_said("is no finished save in the sparse format")
    guest.start()
    guest.check_memory()


def check(directory):
    with hooked_guest(directory) as (libvirtd, hook, first):
        check_start(hook, first)
        check_start(hook, first, save=["--paused"])
        second = libvirtd.boot_guest(NAME, memory=96, fill=20)
        check_two(hook, [first, second])
        check_other_formats(libvirtd, hook, first)
        # QEMU 10.0 crashes in a save without --bypass-cache after a start with
        # it, so this comes last.
        libvirtd.conf(save_image_format="sparse")
        check_start(hook, second, ["--bypass-cache"], ["--bypass-cache"])


main(check)
