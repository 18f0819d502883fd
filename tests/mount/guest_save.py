#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Writes a save as libvirt and QEMU do, call by call; each step waits for a line
# on standard input, and prints one when it is done: "ok", or the errno's name.
#
#   guest_save.py FILE PLAIN PAGES
#
# Steps: begin, pages, close, finish (the second open and the 92 bytes), sync,
# again (a page once more), empty.  PLAIN gets the same without the mount.

import errno
import os
import random
import struct
import sys

PREFIX = 67981
PACKET = 512 << 10


class Save:
    def __init__(self, name, plain, pages):
        self.names = (name, plain)
        self.size = pages * 4096
        self.fds = []
        numbers = random.Random(7)
        self.noise = numbers.randbytes(2 * PACKET)

    def header(self, word):
        return (b"LibvirtQemud" + word +
                struct.pack("=5I", 2, PREFIX - 92, 1, 6, 0) + bytes(56))

    def write(self, fd, data, offset):
        for target in (fd, self.plain):
            count = os.pwrite(target, data, offset)
            assert count == len(data), "a short write"

    def begin(self):
        name, plain = self.names
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self.plain = os.open(plain, flags, 0o600)
        fd = os.open(name, flags, 0o600)
        self.fds = [fd]
        self.write(fd, self.header(b"Part"), 0)
        self.write(fd, b"<domain/>", 92)
        self.write(fd, bytes(PREFIX - 101), 101)
        self.fds.append(os.open(name, os.O_WRONLY))
        for target in (fd, self.plain):
            os.ftruncate(target, PREFIX)
        self.write(fd, b"QEVM\0\0\0\3" + b"stream" * 20, PREFIX)

    def pages(self):
        for offset in range(0, self.size, PACKET):
            start = offset // PACKET * 997 % PACKET
            self.write(self.fds[offset // PACKET % 2],
                       self.noise[start:start + PACKET], (1 << 20) + offset)
        self.write(self.fds[0], b"\xff" * (self.size // 32768), PREFIX + 300)
        self.write(self.fds[0], b"end" * 777, (1 << 20) + self.size)

    def again(self):
        self.write(self.fds[0], b"dirty" * 1000, 5 << 20)

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []

    def finish(self):
        fd = os.open(self.names[0], os.O_WRONLY)
        try:
            self.write(fd, self.header(b"Save"), 0)
        finally:
            os.close(fd)

    def sync(self):
        os.fsync(self.fds[0])

    def empty(self):
        for fd in (self.fds[0], self.plain):
            os.ftruncate(fd, 0)
        self.write(self.fds[0], b"small", 0)


save = Save(sys.argv[1], sys.argv[2], int(sys.argv[3]))
for line in sys.stdin:
    try:
        getattr(save, line.strip())()
        print("ok", flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
