#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Random operations on a file of the mount and on a plain one: both must hold
# the same at any time.
#
#   model.py MOUNTED PLAIN SEED OPERATIONS SIZE

import ctypes
import os
import random
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
KEEP, PUNCH, ZERO = 1, 2, 16


def fallocate(fd, mode, offset, length):
    if LIBC.fallocate(fd, mode, ctypes.c_long(offset),
                      ctypes.c_long(length)) < 0:
        errnum = ctypes.get_errno()
        raise OSError(errnum, os.strerror(errnum))


class Pair:
    """A file, twice."""

    def __init__(self, names, numbers, size):
        self.names = names
        self.numbers = numbers
        self.size = size
        self.pool = numbers.randbytes(1 << 20)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
        self.fds = [os.open(name, flags, 0o600) for name in names]

    def both(self, call):
        results = [call(fd) for fd in self.fds]
        assert results[0] == results[1], call
        return results[0]

    def data(self, length):
        if self.numbers.random() < 0.15:
            return bytes(length)
        unit = self.numbers.choice((1, 16, 4096, 100000))
        start = self.numbers.randrange(len(self.pool) - unit)
        piece = self.pool[start:start + unit]
        return (piece * (length // unit + 1))[:length]

    def place(self):
        offset = self.numbers.randrange(self.size)
        length = self.numbers.choice((1, 100, 4096, 4096 * 5, 300000,
                                      1 << 20, 3 << 20))
        if self.numbers.random() < 0.6:
            offset &= ~4095
        if self.numbers.random() < 0.2:
            offset &= ~((1 << 20) - 1)
        return offset, length

    def write(self):
        offset, length = self.place()
        data = self.data(length)
        assert self.both(lambda fd: os.pwrite(fd, data, offset)) == length

    def read(self):
        offset, length = self.place()
        self.both(lambda fd: os.pread(fd, length, offset))

    def truncate(self):
        if self.numbers.random() < 0.7:
            return
        size = self.numbers.choice((0, 50, self.size,
                                    self.numbers.randrange(self.size),
                                    self.numbers.randrange(200000)))
        self.both(lambda fd: os.ftruncate(fd, size))

    def punch(self):
        offset, length = self.place()
        mode = self.numbers.choice((PUNCH | KEEP, ZERO, ZERO | KEEP))
        self.both(lambda fd: fallocate(fd, mode, offset, length))

    def sync(self):
        self.both(os.fsync if self.numbers.random() < 0.5 else os.fdatasync)

    def reopen(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = [os.open(name, os.O_RDWR) for name in self.names]

    def open_twice(self):
        more = [os.open(name, self.numbers.choice((os.O_RDONLY, os.O_WRONLY)))
                for name in self.names[:1]]
        self.write()
        for fd in more:
            os.close(fd)

    def header(self):
        """As libvirt begins a save, and as it ends one."""
        data_bytes = self.numbers.choice((1000, 67889, 300000))
        magic = self.numbers.choice((b"LibvirtQemudPart", b"LibvirtQemudSave"))
        data = magic + struct.pack("=5I", 2, data_bytes, 1, 6, 0) + bytes(56)
        self.both(lambda fd: os.pwrite(fd, data, 0))

    def holes(self):
        size = self.both(lambda fd: os.fstat(fd).st_size)
        offset = 0
        while offset < size:
            try:
                data = os.lseek(self.fds[0], offset, os.SEEK_DATA)
            except OSError:
                data = size
            assert not any(os.pread(self.fds[1], data - offset, offset))
            if data == size:
                break
            offset = os.lseek(self.fds[0], data, os.SEEK_HOLE)
            # Windows of zeros are found out later, and are holes then.
            assert offset >= data

    def compare(self):
        size = self.both(lambda fd: os.fstat(fd).st_size)
        for offset in range(0, size, 1 << 20):
            self.both(lambda fd: os.pread(fd, 1 << 20, offset))
        self.holes()

    def step(self):
        operations = (
            (self.write, 40), (self.read, 30), (self.truncate, 3),
            (self.punch, 6), (self.sync, 2), (self.reopen, 2),
            (self.open_twice, 2), (self.header, 3), (self.compare, 1))
        self.numbers.choices([operation for operation, _ in operations],
                             [weight for _, weight in operations])[0]()


def main():
    mounted, plain, seed, count, size = sys.argv[1:]
    numbers = random.Random(int(seed))
    pair = Pair((mounted, plain), numbers, int(size))
    if numbers.random() < 0.5:
        pair.header()
    for _ in range(int(count)):
        pair.step()
    pair.compare()
    pair.reopen()
    pair.compare()
    for fd in pair.fds:
        os.close(fd)


main()
