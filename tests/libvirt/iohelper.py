# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers in the place of libvirt's iohelper that write down what they do:
# that they were started, and which bytes went through them.

import contextlib
import os
import subprocess

from libvirtd import ORIGINAL_IOHELPER, require  # finds the other two
import iopress

PIECE = 1 << 20
HEADER_MAGIC = 16               # bytes, rewritten by libvirt at the end

# libvirtd's environment holds no PATH.  The program behind it sees the
# name, the arguments and the descriptors that libvirt has chosen.
LOGGED = """#!/bin/bash
echo "$@" >>'{log}'
exec -a "$0" '{program}' "$@"
"""
RECORDED = """#!/bin/bash
set -o pipefail
echo "$@" >>'{log}'
run () {{ (exec -a "$0" '{program}' "$@"); }}
if test "$2" = 0; then
  run "$@" | /usr/bin/tee '{record}'
else
  /usr/bin/tee '{record}' | run "$@"
fi
"""


class Helper:
    """What libvirtd starts as iohelper: PROGRAM, in one of these scripts."""

    def __init__(self, libvirtd, program, script=LOGGED):
        self.log = os.path.join(libvirtd.directory, "iohelper.log")
        self.record = os.path.join(libvirtd.directory, "iohelper.record")
        path = os.path.join(libvirtd.directory, "iohelper.sh")
        with open(path, "w") as file:
            file.write(script.format(program=program, log=self.log,
                                     record=self.record))
        libvirtd.use_iohelper(path)

    @contextlib.contextmanager
    def used(self, path, descriptor):
        """Inside, it must be started once, for PATH."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log)
        yield
        wanted = f"{path} {descriptor}\n"
        said = read(self.log) if os.path.exists(self.log) else b""
        require(said.decode() == wanted,
                f"iohelper was started with {said!r}, not {wanted!r}")

    def writes(self, path):
        return self.used(path, 1)

    def reads(self, path):
        return self.used(path, 0)


class Recorder(Helper):
    """The drop-in, and beside it what went in or came out, so that the
    original can be given the same.  Two saves of one guest do not compare:
    QEMU's sequential stream has marks in it where its time slices ended."""

    def __init__(self, libvirtd):
        super().__init__(libvirtd, binary(), RECORDED)
        self.theirs = self.record + ".original"

    def check_written(self, path, direct, skipped=0):
        """What was written to PATH, its first bytes apart, is what came in,
        and is what the original makes of it."""
        require_same(path, self.record, skipped)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        output = os.open(self.theirs, flags | (os.O_DIRECT if direct else 0))
        with subprocess.Popen(["cat", self.record],
                              stdout=subprocess.PIPE) as feeder:
            status = subprocess.run([ORIGINAL_IOHELPER, self.theirs, "1"],
                                    stdin=feeder.stdout, stdout=output, env={})
        os.close(output)
        require(status.returncode == feeder.returncode == 0,
                "the original iohelper fails")
        require_same(self.record, self.theirs)

    def check_read(self, path):
        """What was read from PATH with O_DIRECT is what the original reads."""
        require_same(path, self.record)
        file = os.open(path, os.O_RDONLY | os.O_DIRECT)
        with open(self.theirs, "wb") as output, \
                subprocess.Popen([ORIGINAL_IOHELPER, path, "0"], stdin=file,
                                 stdout=subprocess.PIPE, env={}) as helper:
            subprocess.run(["cat"], stdin=helper.stdout, stdout=output,
                           check=True)
        os.close(file)
        require(helper.returncode == 0, "the original iohelper fails")
        require_same(self.record, self.theirs)


def binary():
    """The program itself, which is what gets installed for libvirt."""
    return os.path.join(iopress.build_directory(), "iopress")


def drop_in(libvirtd):
    return Helper(libvirtd, binary())


def original(libvirtd):
    return Helper(libvirtd, ORIGINAL_IOHELPER)


def direct_works(directory):
    """Whether O_DIRECT does; what needs it is left out where it does not."""
    path = os.path.join(directory, "direct")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT))
    except OSError:
        print(f"not tried: --bypass-cache, as {directory} has no O_DIRECT")
        return False
    os.unlink(path)
    return True


def caches(directory):
    """Options of virsh, and whether they mean O_DIRECT, for DIRECTORY."""
    if direct_works(directory):
        return [([], False), (["--bypass-cache"], True)]
    return [([], False)]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def require_same(left, right, skipped=0):
    """LEFT and RIGHT are the same file, their first bytes apart."""
    sizes = os.path.getsize(left), os.path.getsize(right)
    require(sizes[0] == sizes[1], f"{left} and {right} have sizes {sizes}")
    require(sizes[0] > skipped, f"{left} is empty")
    with open(left, "rb") as one, open(right, "rb") as other:
        one.seek(skipped)
        other.seek(skipped)
        while True:
            pieces = one.read(PIECE), other.read(PIECE)
            require(pieces[0] == pieces[1],
                    f"{left} and {right} differ before {one.tell()}")
            if not pieces[0]:
                return
