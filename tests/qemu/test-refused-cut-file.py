#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A complete save that was cut afterwards, in each of its parts.

import os

import mappedram
from harness import Guest
from roundtrip import check_refused, main


def check(directory):
    source = os.path.join(directory, "source")
    with Guest(directory) as guest:
        guest.boot()
        guest.fill(64)
        guest.save_mapped_ram(source)
    ram = mappedram.parse(source)[0]
    size = os.stat(source).st_size
    last_block_end = mappedram.end_of_ram(source)
    for length in (size - 1, size - 1000,
                   last_block_end + (size - last_block_end) // 2,
                   last_block_end, last_block_end - 1,
                   ram.pages_offset + ram.size // 2, ram.pages_offset,
                   ram.pages_offset // 2, 20):
        print(f"cut at {length} of {size}")
        os.truncate(source, length)
        check_refused(source, directory)


main(check)
