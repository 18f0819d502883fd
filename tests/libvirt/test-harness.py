#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirt without iopress, so that a failure of the other tests here can be
# told from one of libvirt, QEMU or the machine: a guest is saved and restored
# in the sparse format, and a managed save outlives the host.

import os

from libvirtd import Libvirtd, main, require


def check(directory):
    path = os.path.join(directory, "image")
    with Libvirtd(directory, save_image_format="sparse") as libvirtd:
        guest = libvirtd.boot_guest("witness")
        guest.save(path)
        guest.restore(path)
        guest.check_memory()
        guest.managed_save()
        libvirtd.kill()
        require(os.listdir(libvirtd.save_dir) == ["witness.save"],
                "no managed save image")
        libvirtd.restart()
        require(guest.domain_state() == "shut off",
                "the guest outlived the host")
        guest.start()
        guest.check_memory()
        libvirtd.restart()
        require(guest.domain_state() == "running",
                "the guest ended with the daemon")


main(check)
