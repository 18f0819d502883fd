#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images written before 1.0.0 and by it, kept here as hexadecimal text, decode for
# ever, from a file and, but for that of a mount, from a pipe, to the bytes whose
# SHA-256 stands in SHA256SUMS.  Never change one of the .hex files; add new ones.

import hashlib
import os
import sys

sys.dont_write_bytecode = True
HERE = sys.path[0]
sys.path[1:1] = [os.path.join(os.path.dirname(HERE), "lib")]

from iopress_image import FILE_HEADER_BYTES, FileHeader, Image  # noqa: E402
from test_program import (WorkFolder, has_codec, read, skip,  # noqa: E402
                          succeed)

UNORDERED = 1


def golden_sums():
    with open(os.path.join(HERE, "SHA256SUMS"), encoding="ascii") as file:
        for line in file:
            digest, name = line.split()
            yield name, digest


def golden_image(name):
    with open(os.path.join(HERE, name + ".hex"), encoding="ascii") as file:
        return bytes.fromhex(file.read())


def check(name, digest, work):
    data = golden_image(name)
    start = Image.find_header(data)
    header = FileHeader(data[start:start + FILE_HEADER_BYTES])
    codec = header["codec"].rstrip(b"\0").decode()
    if not has_codec(codec):
        return False
    path, output = work.file(name, data), work.file(name + ".restored")
    succeed("verify", path)
    succeed("restore", path, output)
    outputs = [read(output)]
    if not header["incompatible"] & UNORDERED:
        outputs.append(succeed("restore", "-", "-", data=data))
    for restored in outputs:
        assert len(restored) == header["source"], name
        assert hashlib.sha256(restored).hexdigest() == digest, name
    print(f"{name}: {codec}, {len(data)} bytes, right")
    return True


def main():
    with WorkFolder() as work:
        results = {name: check(name, digest, work)
                   for name, digest in golden_sums()}
    listed = {name[:-4] for name in os.listdir(HERE) if name.endswith(".hex")}
    assert listed == set(results), "SHA256SUMS and the .hex files differ"
    assert results["stored"]
    missing = [name for name, seen in results.items() if not seen]
    if missing:
        skip(f"built without the codecs of {', '.join(missing)}")


if __name__ == "__main__":
    main()
