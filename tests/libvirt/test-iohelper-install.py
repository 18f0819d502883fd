#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# contrib/libvirt/install-iohelper puts iopress where libvirtd looks for its
# iohelper, and takes it away again: guests are saved with the one and restored
# with the other, both ways.

import filecmp
import os
import subprocess

import iohelper
import namespaces
from harness import Failure, Skip
from libvirtd import ORIGINAL_IOHELPER, Libvirtd, main, require

INSTALL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                       "contrib", "libvirt", "install-iohelper")
DPKG = "/var/lib/dpkg"
DIVERTED = Libvirtd.iohelper + ".distrib"


def install(*options):
    result = subprocess.run(["sh", INSTALL, *options], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(result.stdout.strip(), flush=True)
    if result.returncode != 0:
        raise Failure("install-iohelper fails")


def diversions():
    """What dpkg puts elsewhere, as it tells."""
    if not os.path.isdir(DPKG):
        return None
    return subprocess.run(["dpkg-divert", "--list", Libvirtd.iohelper],
                          stdout=subprocess.PIPE, check=True,
                          text=True).stdout.strip()


def require_program(path, program):
    require(filecmp.cmp(path, program, shallow=False),
            f"{path} is not {program}")


def check_installed():
    require_program(Libvirtd.iohelper, iohelper.binary())
    require_program(DIVERTED, ORIGINAL_IOHELPER)
    told = diversions()
    require(told is None or told.endswith(f"to {DIVERTED}"),
            f"dpkg-divert says: {told}")


def check_undone():
    require_program(Libvirtd.iohelper, ORIGINAL_IOHELPER)
    require(not os.path.exists(DIVERTED), f"{DIVERTED} was left behind")
    require(not diversions(), "the diversion was left behind")


def check(directory):
    path = os.path.join(directory, "image")
    if not iohelper.direct_works(directory):
        raise Skip("libvirt restores through iohelper with O_DIRECT only")
    with Libvirtd(directory) as libvirtd:
        if os.path.isdir(DPKG):
            namespaces.mount_copy(directory, DPKG)
        guest = libvirtd.boot_guest("witness")
        install("--iopress", iohelper.binary())
        check_installed()
        guest.save(path, "--bypass-cache")
        install("--undo")
        check_undone()
        guest.restore(path, "--bypass-cache")
        guest.check_memory()
        guest.save(path, "--bypass-cache")
        install("--iopress", iohelper.binary())
        check_installed()
        guest.restore(path, "--bypass-cache")
        guest.check_memory()


main(check)
