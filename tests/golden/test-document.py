#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What docs/format.md shows is so: its checksum values, for the Python XXH3
# that the other tests rely on, and its example, for save and restore.

import os
import re
import sys

sys.dont_write_bytecode = True
TESTS = os.path.dirname(sys.path[0])
sys.path[1:1] = [os.path.join(TESTS, "lib")]

from test_program import WorkFolder, read, succeed  # noqa: E402
from xxh3 import xxh3_64  # noqa: E402

EXAMPLE_BYTES = 8450
EXAMPLE_ID = "000102030405060708090a0b0c0d0e0f"


def section(text, number):
    start = text.index(f"\n## {number}. ")
    end = text.find("\n## ", start + 1)
    return text[start:end if end >= 0 else None]


def check_vectors(text):
    vectors = re.findall(r"\| ([0-9]+) \| ([0-9a-f]{16}) ", text)
    assert len(vectors) >= 18, vectors
    for length, value in vectors:
        data = bytes(i % 251 for i in range(int(length)))
        assert xxh3_64(data) == int(value, 16), f"{length} bytes"


def example_parts(text):
    """(file offset, bytes) of every line of the dumps."""
    for base, dump in re.findall(r", at ([0-9]+):\n\n```\n(.*?)```", text,
                                 re.DOTALL):
        for line in dump.splitlines():
            match = re.match(r" *([0-9]+)  ((?:[0-9a-f]{2}){2,4}"
                             r"(?: [0-9a-f]{8})*)(?: |$)", line)
            if match:
                yield (int(base) + int(match[1]),
                       bytes.fromhex(match[2].replace(" ", "")))


def check_example(text):
    with WorkFolder() as work:
        source = work.file("source", b"A" * 4096)
        image = work.file("image")
        succeed("save", "-c", "stored", "--chunk-size", "64K", "--image-id",
                EXAMPLE_ID, source, image)
        data = read(image)
    assert len(data) == EXAMPLE_BYTES
    shown = 0
    for offset, part in example_parts(text):
        found = data[offset:offset + len(part)]
        assert found == part, f"at {offset}: {found.hex()}, not {part.hex()}"
        shown += len(part)
    assert data[8274 - 4096:8274] == b"A" * 4096
    # All but the zeros at the end of the file header, and the payload.
    assert shown == 104 + 82 + 80 + 96, shown


def main():
    document = os.path.join(os.path.dirname(TESTS), "docs", "format.md")
    with open(document, encoding="utf-8") as file:
        text = file.read()
    check_vectors(section(text, 7))
    check_example(section(text, 12))


if __name__ == "__main__":
    main()
