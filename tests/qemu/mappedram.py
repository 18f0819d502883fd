# SPDX-License-Identifier: LGPL-2.1-or-later
# An independent reader of QEMU's mapped-ram stream, written from
# docs/devel/migration/mapped-ram.rst and migration/ram.c, to hold iopress
# against.  Shares nothing with src/guest on purpose.

import os
import struct

PAGE = 4096
MAGIC = b"QEVM"
SECTION_START, SECTION_CONFIG, SECTION_COMMAND = 0x01, 0x07, 0x08
SUBSECTION = 0x05
RAM_FLAG_MEM_SIZE = 0x04
LIBVIRT_MAGICS = (b"LibvirtQemudSave", b"LibvirtQemudPart")
LIBVIRT_HEADER = 92
PIECE = 1 << 20


class Malformed(Exception):
    """The file is not a mapped-ram stream."""


class Reader:
    """Big-endian fields one after the other."""

    def __init__(self, file, position):
        self.file = file
        self.position = position

    def take(self, size):
        data = os.pread(self.file, size, self.position)
        if len(data) != size:
            raise Malformed(f"file ends at {self.position + len(data)}")
        self.position += size
        return data

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def peek(self):
        data = os.pread(self.file, 1, self.position)
        return data[0] if data else None

    def counted(self, size):
        """A string behind its length of SIZE bytes."""
        return self.take(self.number(size))


class Block:
    """One RAM block; its bitmap has a bit a page, set = in the file."""

    def __init__(self, name, size, page_size, bitmap, pages_offset):
        self.name = name
        self.size = size
        self.page_size = page_size
        self.bitmap = bitmap
        self.pages_offset = pages_offset
        self.pages = size // page_size

    def is_set(self, page):
        return bool(self.bitmap[page >> 3] >> (page & 7) & 1)

    def present(self):
        return sum(map(self.is_set, range(self.pages)))

    def clear_runs(self):
        """(file offset, length) of every run of pages with a clear bit."""
        start = None
        for page in range(self.pages + 1):
            clear = page < self.pages and not self.is_set(page)
            if clear and start is None:
                start = page
            elif not clear and start is not None:
                yield (self.pages_offset + start * self.page_size,
                       (page - start) * self.page_size)
                start = None


def stream_offset(file):
    """Where the stream begins: 0, or behind libvirt's header."""
    header = os.pread(file, LIBVIRT_HEADER, 0)
    if header[:16] in LIBVIRT_MAGICS:
        return LIBVIRT_HEADER + struct.unpack_from("=I", header, 20)[0]
    return 0


def skip_to_ram(reader):
    """Configuration and commands; ends behind the ram section's version."""
    if reader.take(4) != MAGIC or reader.number(4) != 3:
        raise Malformed("no QEVM magic")
    while True:
        kind = reader.number(1)
        if kind == SECTION_CONFIG:
            reader.counted(4)
            while reader.peek() == SUBSECTION:
                skip_config_subsection(reader)
        elif kind == SECTION_COMMAND:
            reader.number(2)
            reader.counted(2)
        elif kind == SECTION_START:
            reader.number(4)
            if reader.counted(1) != b"ram":
                raise Malformed("the first section is not ram")
            reader.take(8)
            return
        else:
            raise Malformed(f"section type {kind:#x} before ram")


def skip_config_subsection(reader):
    reader.number(1)
    name = reader.counted(1)
    reader.number(4)
    if name == b"configuration/capabilities":
        for _ in range(reader.number(4)):
            reader.counted(1)
    elif name == b"configuration/target-page-bits":
        reader.number(4)
    elif name == b"configuration/uuid":
        reader.take(16)
    else:
        raise Malformed(f"unknown configuration subsection {name}")


def read_block(reader):
    name = reader.counted(1).decode()
    size = reader.number(8)
    version, page_size, bitmap_offset, pages_offset = struct.unpack(
        ">IQQQ", reader.take(28))
    if version != 1 or bitmap_offset != reader.position:
        raise Malformed(f"block {name}: bad header")
    bitmap = reader.take(-(-size // page_size // 8))
    reader.position = pages_offset + size
    return Block(name, size, page_size, bitmap, pages_offset)


def parse(path, offset=None):
    """The RAM blocks of the stream at OFFSET (None: find it) in PATH."""
    file = os.open(path, os.O_RDONLY)
    try:
        reader = Reader(file, stream_offset(file) if offset is None else offset)
        skip_to_ram(reader)
        total = reader.number(8)
        if not total & RAM_FLAG_MEM_SIZE:
            raise Malformed("the ram section does not begin with its size")
        left = total & ~0xfff
        blocks = []
        while left > 0:
            blocks.append(read_block(reader))
            left -= blocks[-1].size
        return blocks
    finally:
        os.close(file)


def end_of_ram(path):
    """Where the last block's pages end and the devices' state begins."""
    last = parse(path)[-1]
    return last.pages_offset + last.size


def stale_pages(path, blocks):
    """How many pages QEMU marks absent hold something all the same."""
    count = 0
    with open(path, "rb") as file:
        for block in blocks:
            for offset, length in block.clear_runs():
                file.seek(offset)
                for _ in range(length // block.page_size):
                    count += any(file.read(block.page_size))
    return count


def pieces(path, blocks=()):
    """PATH in pieces, the pages that BLOCKS mark absent as zeros."""
    runs = sorted(run for block in blocks for run in block.clear_runs())
    position = 0
    with open(path, "rb") as file:
        while True:
            piece = bytearray(file.read(PIECE))
            if not piece:
                return
            end = position + len(piece)
            while runs and runs[0][0] < end:
                offset, length = runs.pop(0)
                stop = min(offset + length, end)
                piece[offset - position:stop - position] = bytes(stop - offset)
                if offset + length > end:
                    runs.insert(0, (end, offset + length - end))
            position = end
            yield bytes(piece)


def first_difference(left, right):
    """File offset of the first byte two series of pieces differ at, or None."""
    position = 0
    right = iter(right)
    for one in left:
        other = next(right, b"")
        if one != other:
            for index, (a, b) in enumerate(zip(one, other)):
                if a != b:
                    return position + index
            return position + min(len(one), len(other))
        position += len(one)
    return position if next(right, b"") else None
