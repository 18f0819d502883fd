#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Put the marker of a file that is not what it was into it (docs/format.md).
#
#   make_marker.py consumed ID CONSUMED FILE
#   make_marker.py expanding ID PREFIX FILE

import os
import struct
import sys

from xxh3 import xxh3_64

BYTES = 64
SECTOR = 512


def marker(magic, image_id, consumed, source):
    data = struct.pack("<8s16sQQ16x", magic, image_id, consumed, source)
    return data + struct.pack("<Q", xxh3_64(data))


def main():
    kind, image_id, number, path = sys.argv[1:]
    image_id, number = bytes.fromhex(image_id), int(number)
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if kind == "consumed":
            file.write(marker(b"IOPRGONE", image_id, number, size))
        else:
            room = SECTOR - number % SECTOR
            file.seek(number if room >= BYTES else number + room)
            file.write(marker(b"IOPRUNPK", image_id, 0, size))


main()
