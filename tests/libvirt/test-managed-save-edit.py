#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What virsh does to the XML of a managed save works on a packed one, and an
# edit is there after the start.

import os

from hook import PACKED, hooked_guest
from libvirtd import main, require


def title(number):
    return f"<title>edit {number}</title>"


def with_title(xml, number):
    require("<name>" in xml, f"this is no XML of a guest: {xml}")
    lines = [line for line in xml.splitlines() if "<title>" not in line]
    at = next(n for n, line in enumerate(lines) if "<name>" in line)
    return "\n".join(lines[:at + 1] + ["  " + title(number)] + lines[at + 1:])


def define(libvirtd, number, dump, define):
    """Read the XML with one command, and change it with the other."""
    xml = libvirtd.virsh(*dump)
    path = os.path.join(libvirtd.directory, "edited.xml")
    with open(path, "w") as file:
        file.write(with_title(xml, number))
    libvirtd.virsh(*define, path)
    require(title(number) in libvirtd.virsh(*dump),
            f"virsh {dump[0]} does not show the edit")


def edit(libvirtd, hook, number, command, dump):
    """Let virsh start an editor."""
    editor = hook.write("editor", f'sed -i "s,<title>.*,{title(number)}," "$1"')
    libvirtd.virsh(*command, EDITOR=editor, VISUAL=editor)
    require(title(number) in libvirtd.virsh(*dump),
            f"virsh {command[0]} has changed nothing")


def check(directory):
    with hooked_guest(directory) as (libvirtd, hook, guest):
        hook.save_and_pack(guest)
        path = hook.path(guest)
        managed = ("managedsave-dumpxml", guest.name)
        image = ("save-image-dumpxml", path)
        require(libvirtd.virsh(*managed) == libvirtd.virsh(*image),
                "the same save, but two XMLs")
        define(libvirtd, 1, managed, ("managedsave-define", guest.name))
        define(libvirtd, 2, image, ("save-image-define", path))
        edit(libvirtd, hook, 3, ("managedsave-edit", guest.name), managed)
        edit(libvirtd, hook, 4, ("save-image-edit", path), image)
        require(hook.state(guest) == PACKED, "the save is not packed any more")
        guest.start()
        require(title(4) in libvirtd.virsh("dumpxml", guest.name),
                "the edit is lost")
        guest.check_memory()
        hook.expect_files()


main(check)
