#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What happens to a managed save while it is being packed: the guest is started
# from it or afresh, the save is removed, its XML is edited, libvirtd ends and
# starts again.

import os
import time

from hook import WHOLE, hooked_guest, wait_until
from libvirtd import main, require


def check_start(libvirtd, hook, guest, *options):
    """The job is free, and the start waits for nothing."""
    hook.save_and_catch(guest, *options)
    libvirtd.virsh("managedsave-dumpxml", guest.name)
    require(hook.is_packing(guest), "it is not being packed any more")
    before = time.monotonic()
    libvirtd.virsh("start", guest.name, *options)
    print(f"started in {time.monotonic() - before:.1f} s")
    require("stopped packing" in hook.said(), "nothing was stopped")
    hook.expect_files()
    guest.attach()
    guest.check_memory()


def check_force_boot(hook, guest):
    """The packer of the old save is gone before there can be a new one."""
    hook.save_and_catch(guest, "--bypass-cache")
    guest.boot()
    hook.expect_files()
    guest.fill(20)
    hook.configure(codec="zstd:1")
    hook.save_and_pack(guest)
    guest.start()
    guest.check_memory()


def check_remove(libvirtd, hook, guest):
    """Nothing comes back."""
    hook.save_and_catch(guest)
    libvirtd.virsh("managedsave-remove", guest.name)
    hook.expect_said("was removed while it was packed")
    hook.expect_files()
    guest.boot()
    guest.fill(20)


def check_edit(libvirtd, hook, guest):
    """The edit is in what is packed at last."""
    hook.save_and_catch(guest)
    xml = libvirtd.virsh("managedsave-dumpxml", guest.name)
    path = os.path.join(libvirtd.directory, "edited.xml")
    with open(path, "w") as file:
        file.write(xml.replace("</name>", "</name>\n<title>edited</title>"))
    libvirtd.virsh("managedsave-define", guest.name, path)
    require(hook.state(guest) == WHOLE, "it has been packed already")
    hook.configure(codec="zstd:1")
    hook.wait_packed(guest)
    guest.start()
    require("<title>edited</title>" in libvirtd.virsh("dumpxml", guest.name),
            "the edit is lost")
    guest.check_memory()


def check_restart(libvirtd, hook, guest):
    """Packing outlives libvirtd; the new one can still end it."""
    hook.save_and_catch(guest)
    libvirtd.restart()
    require(hook.is_packing(guest) and hook.state(guest) == WHOLE,
            "packing ended with libvirtd")
    guest.start()
    guest.check_memory()
    hook.configure(codec="zstd:1")
    guest.managed_save()
    libvirtd.restart()
    hook.wait_packed(guest)
    guest.start()
    guest.check_memory()


def check_undefine(libvirtd, hook, guest):
    hook.save_and_catch(guest)
    libvirtd.virsh("undefine", "--managed-save", guest.name)
    wait_until(lambda: hook.files() == [],
               lambda: f"nothing is left: {hook.files()}")


def check(directory):
    slow = "xz:3"
    with hooked_guest(directory, codec=slow) as (libvirtd, hook, guest):
        check_start(libvirtd, hook, guest)
        check_edit(libvirtd, hook, guest)
        hook.configure(codec=slow)
        check_restart(libvirtd, hook, guest)
        hook.configure(codec=slow)
        check_start(libvirtd, hook, guest, "--bypass-cache")
        check_force_boot(hook, guest)
        hook.configure(codec=slow)
        check_remove(libvirtd, hook, guest)
        check_undefine(libvirtd, hook, guest)


main(check)
