#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirt and an image that iopress has packed: virsh restore refuses it and
# leaves it alone; virsh shows and edits its XML; and iopress restore gives a
# file back that virsh restores, with the XML as it was edited.

import hashlib
import os

from libvirtd import Libvirtd, main, require  # finds the other
import iopress

TITLE = "edited while packed"
EDITOR = """#!/bin/sh
sed -i 's,</name>,</name><title>{title}</title>,' "$1"
"""


def state_of(path):
    """What is not to change when virsh has refused the file."""
    status = os.stat(path)
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return digest, status.st_ino, status.st_size, status.st_mtime_ns


def check_refused(guest, packed):
    before = state_of(packed)
    for options in ([], ["--parallel-channels", "2"], ["--running"]):
        text = guest.libvirtd.virsh_refuses("restore", packed, *options)
        print(text.strip(), flush=True)
        require("load of migration failed" in text, "not QEMU's refusal")
        require(state_of(packed) == before, f"{packed} was changed")
        require(guest.domain_state() == "shut off", "the guest runs")


def behind_prefix(path):
    """The image from the end of libvirt's part on."""
    prefix = iopress.info(path)["prefix_size"]
    with open(path, "rb") as file:
        file.seek(prefix)
        return file.read()


def edit(libvirtd, directory, packed):
    """virsh save-image-edit; nothing but libvirt's part may change."""
    editor = os.path.join(directory, "editor")
    with open(editor, "w") as file:
        file.write(EDITOR.format(title=TITLE))
    os.chmod(editor, 0o755)
    before = behind_prefix(packed)
    print(libvirtd.virsh("save-image-edit", packed, EDITOR=editor,
                         VISUAL=editor))
    require(behind_prefix(packed) == before, "more than the XML was changed")
    require(TITLE in libvirtd.virsh("save-image-dumpxml", packed),
            "the XML is as it was before the edit")
    iopress.verify(packed)


def check(directory):
    sparse, packed, unpacked = (os.path.join(directory, name) for name in
                                ("sparse", "packed", "unpacked"))
    with Libvirtd(directory) as libvirtd:
        guest = libvirtd.boot_guest("witness")
        guest.save(sparse, "--image-format", "sparse")
        iopress.save(sparse, packed)
        check_refused(guest, packed)
        require(libvirtd.virsh("save-image-dumpxml", packed) ==
                libvirtd.virsh("save-image-dumpxml", sparse),
                "the packed image shows other XML")
        edit(libvirtd, directory, packed)
        iopress.restore(packed, unpacked)
        guest.restore(unpacked)
        require(libvirtd.virsh("desc", guest.name, "--title").strip() == TITLE,
                "the edited XML is lost")
        guest.check_memory()


main(check)
