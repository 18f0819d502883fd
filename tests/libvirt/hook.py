# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress-hook in the libvirtd of libvirtd.py, and what it makes of managed
# saves.

import fcntl
import os
import shlex
import struct
import time
from contextlib import contextmanager

from libvirtd import Libvirtd, require  # first: it says where others are

import iopress
from harness import Failure

ROOT = os.environ.get("abs_top_srcdir") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOOK = os.path.join(ROOT, "contrib", "libvirt", "iopress-hook")
LOCKS = "/run/iopress"

WHOLE, PACKED, EXPANDING = "whole", "packed", "being expanded"
MAGICS = {b"QEVM\0\0\0\3": WHOLE, b"IOPRESS1": PACKED}


def wait_until(condition, what, timeout=120):
    """WHAT may be a function, which says it when it is too late."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise Failure(f"not in {timeout} s: {text}")
        time.sleep(0.02)


def state_of(path):
    """WHOLE, PACKED or EXPANDING, by what stands behind libvirt's header;
    None when there is no file."""
    try:
        with open(path, "rb") as file:
            header = file.read(92)
            require(header[:16] == b"LibvirtQemudSave",
                    f"{path}: libvirt's header is damaged")
            file.seek(92 + struct.unpack("=I", header[20:24])[0])
            return MAGICS.get(file.read(8), EXPANDING)
    except FileNotFoundError:
        return None


class Hook:
    """The hook as an administrator installs it, with its messages in a file
    and the iopress that is to be tested."""

    def __init__(self, libvirtd, **settings):
        self.libvirtd = libvirtd
        self.log = os.path.join(libvirtd.directory, "hook.log")
        self.configuration = os.path.join(libvirtd.directory, "hook.conf")
        self.settings = {"log": self.log, "iopress": self.write_iopress()}
        self.configure(**settings)
        libvirtd.install_hook(self.write(
            "qemu-hook",
            f"IOPRESS_HOOK_CONFIGURATION={shlex.quote(self.configuration)}",
            "export IOPRESS_HOOK_CONFIGURATION",
            f'exec {shlex.quote(HOOK)} "$@"'))

    def write(self, name, *lines):
        """A shell script in the test's folder; returns its path."""
        path = os.path.join(self.libvirtd.directory, name)
        with open(path + ".new", "w") as file:
            print("#!/bin/sh", *lines, sep="\n", file=file)
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)
        return path

    def write_iopress(self, name="iopress", before=""):
        """A command with the built plugins, after what BEFORE does."""
        options = " ".join(map(shlex.quote, iopress.plugin_options()))
        # libvirtd's hooks get none of the environment of the tests.
        build = shlex.quote(os.environ.get("abs_top_builddir", ""))
        return self.write(
            name, before, f"export abs_top_builddir={build}", "verb=$1", "shift",
            f'exec {shlex.quote(iopress.program())} "$verb" {options} "$@"')

    def configure(self, **settings):
        self.settings.update(settings)
        with open(self.configuration, "w") as file:
            for key, value in self.settings.items():
                print(key, "=", value, file=file)

    def said(self):
        try:
            with open(self.log) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def expect_said(self, text, timeout=120):
        wait_until(lambda: text in self.said(),
                   lambda: f"the hook says '{text}', but: {self.said()}",
                   timeout)

    # Managed saves.

    def path(self, guest):
        return os.path.join(self.libvirtd.save_dir, f"{guest.name}.save")

    def state(self, guest):
        return state_of(self.path(guest))

    def files(self):
        return sorted(os.listdir(self.libvirtd.save_dir))

    def is_packing(self, guest):
        """Whether a packer is at work on it, not just waiting."""
        return os.path.exists(self.path(guest) + ".part")

    def save_and_pack(self, guest, *options):
        """A managed save, until the file has been packed."""
        guest.managed_save(*options)
        self.wait_packed(guest)

    def is_locked(self, guest):
        """Whether a packer is still at work."""
        try:
            with open(os.path.join(LOCKS, f"{guest.name}.lock")) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def wait_packed(self, guest):
        """What it has replaced may take its room for a moment longer."""
        wait_until(lambda: self.state(guest) == PACKED and
                   not self.is_packing(guest) and not self.is_locked(guest),
                   lambda: f"{guest.name} is packed; the hook said: "
                   f"{self.said()}", timeout=400)   # at low priority

    def save_and_catch(self, guest, *options):
        """A managed save, until it is being packed."""
        guest.managed_save(*options)
        wait_until(lambda: self.is_packing(guest),
                   lambda: f"{guest.name} is being packed; the hook said: "
                   f"{self.said()}")

    def expect_files(self, *names):
        require(self.files() == sorted(names),
                f"instead of {sorted(names)} there are {self.files()}; "
                f"the hook said: {self.said()}")

    def expect_start(self, guest, *others):
        """It starts from its save, which goes; the OTHERS are left."""
        guest.start()
        self.expect_files(*others)
        guest.check_memory()


@contextmanager
def hooked_guest(directory, **settings):
    """A libvirtd with the hook, and a guest of it that runs."""
    with Libvirtd(directory, save_image_format="sparse") as libvirtd:
        hook = Hook(libvirtd, **settings)
        yield libvirtd, hook, libvirtd.boot_guest("witness")
