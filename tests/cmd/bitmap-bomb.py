#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images of some KiB whose source begins with RAM bitmaps of gigabytes, every bit
# set: what reads RAM blocks out of an image does not take that much memory.

import copy
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.dont_write_bytecode = True

from iopress_image import Image  # noqa: E402
from test_program import (  # noqa: E402
    FAILED, IOPRESS, WorkFolder, requires_codec, succeed)

CHUNK = 16 << 20
PAGE = 4096
MOST = 1 << 30                  # bytes of bitmaps, docs/security.md
MARGIN = 256 << 20              # what else a run takes
SMALL, LARGE = 2, 96            # windows of bitmaps, the large ones 1.5 GiB


def text(data):
    return bytes([len(data)]) + data


def head(bitmap_windows):
    """QEMU's stream up to the bitmap, which begins at the second page."""
    used = 8 * PAGE * (bitmap_windows * CHUNK - PAGE)
    data = (b"QEVM" + struct.pack(">I", 3) +
            b"\x07" + struct.pack(">I", 2) + b"pc" +
            b"\x05" + text(b"configuration/capabilities") +
            struct.pack(">II", 1, 1) + text(b"mapped-ram") +
            b"\x01" + struct.pack(">I", 2) + text(b"ram") +
            struct.pack(">IIQ", 0, 4, used | 4) +
            text(b"pc.ram") +
            struct.pack(">QIQQQ", used, 1, PAGE, PAGE,
                        bitmap_windows * CHUNK))
    return data.ljust(PAGE, b"\0"), used


def make_sample(folder, first_page):
    """Records of three windows: of the head, of a bitmap, of the tail."""
    source, image = folder.file("source"), folder.file("sample")
    with open(source, "wb") as file:
        file.write(first_page + b"\xff" * (2 * CHUNK - PAGE))
        file.write((struct.pack(">Q", 0x10) + b"\x7e" +
                    struct.pack(">I", 2)).ljust(PAGE, b"\0"))
    succeed("save", "-q", "--force", "-c", "zstd", "--chunk-size", "16M",
            "--format", "raw", source, image)
    return Image.read(image)


def make_bomb(folder, windows):
    """The same piece of a bitmap again and again, no pages, then the tail."""
    path = folder.file("bomb")
    first_page, used = head(windows)
    source = windows * CHUNK + used + PAGE
    image = make_sample(folder, first_page)
    first, full, tail = image.records
    image.records = [first]
    for window in [*range(1, windows), (source - PAGE) // CHUNK]:
        image.records.append(copy.deepcopy(full if window < windows else tail))
        image.records[-1].header["window"] = window
    for record in image.records:
        record.header.change(source=source)
    image.change_header(source=source, kind=1)
    image.reindex()
    with open(path, "wb") as file:
        file.write(image.data())
    assert os.path.getsize(path) < 1 << 20
    return path


def info(folder, windows):
    """Its peak memory in bytes, its exit status, and what it said."""
    command = [IOPRESS, "info", make_bomb(folder, windows)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    print(f"{' '.join(command)}: {usage.ru_maxrss} KiB, exit status "
          f"{process.returncode}: {said}", flush=True)
    return usage.ru_maxrss << 10, process.returncode, said


def main():
    requires_codec("zstd")
    with WorkFolder() as folder:
        _, status, said = info(folder, SMALL)
        assert status == 0 and "pages present" in said
        memory, status, said = info(folder, LARGE)
        assert status == FAILED, status
        assert "RAM block 'pc.ram'" in said and said.count("\n") == 1
        assert memory < MOST + MARGIN, f"{memory >> 20} MiB"


main()
