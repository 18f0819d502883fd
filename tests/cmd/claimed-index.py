#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Files of a few KiB with everything right at the head and at the end, which
# claim an index of many entries in a hole between the two: each verb that loads
# an index refuses them, in memory that does not depend on what they claim.

import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.dont_write_bytecode = True

from test_program import (  # noqa: E402
    BAD_INPUT, FAILED, IOPRESS, TESTS, WorkFolder, skip, succeed)
from xxh3 import xxh3_64  # noqa: E402

ID = bytes(16)
CHUNK = 65536
START = 4096                    # of the records
SMALL, LARGE = 1 << 20, 1 << 24  # entries claimed
MARGIN = 16 << 10               # KiB of memory that runs may differ by


def sealed(data):
    return data + struct.pack("<Q", xxh3_64(data))


def make_bomb(path, count):
    source = count * CHUNK
    index = START + count * (80 + CHUNK // 32768 + 1)
    footer = index + 48 + 32 * count
    parts = [
        (0, sealed(struct.pack("<8sHHI16sQQIIQQ16si4x64s88x", b"IOPRESS1", 1,
                               0, 256, ID, 0, source, CHUNK, 0, 0, 0,
                               b"stored", 0, b""))),
        (index, sealed(struct.pack("<4sI16sQQ", b"IPIX", 32, ID, count, 0))),
        (footer, sealed(struct.pack("<4sI16sQQQQQQQ", b"IPFT", 96, ID, index,
                                    footer - index, count, count, count, 0,
                                    footer + 96)) + b"1SSERPOI")]
    with open(path, "wb") as file:
        for offset, data in parts:
            file.seek(offset)
            file.write(data)
    assert os.stat(path).st_blocks * 512 < 1 << 20 or skip("no holes here")


def make_guest(path):
    subprocess.run([sys.executable, f"{TESTS}/lib/make_mapped_ram.py",
                    "--block", "ram=1M,dense", path], check=True)


# Each gives a command that meets the bomb.

def plain(*arguments):
    return lambda folder, bomb: [IOPRESS, *arguments, bomb]


def into(verb):
    return lambda folder, bomb: [IOPRESS, verb, bomb, folder.file("output")]


def from_pipe(folder, bomb):
    return ["sh", "-c", 'cat "$1" 2>/dev/null | exec "$0" restore - "$2"',
            IOPRESS, bomb, folder.file("output")]


def resume(folder, bomb):
    source = folder.file("source")
    with open(source, "wb") as file:
        file.truncate(os.path.getsize(bomb))
        file.write(b"not empty")
    return [IOPRESS, "save", "--resume", source, bomb]


def planted(folder, bomb):
    """Where expand looks for what it has put aside of another file."""
    guest, image = folder.file("guest"), folder.file("image")
    make_guest(guest)
    succeed("save", "-c", "stored", "--image-id", ID.hex(), guest, image)
    os.rename(bomb, f"{image}.packed-00000000")
    return [IOPRESS, "expand", image]


def extract(folder, bomb):
    decoder = os.path.join(os.path.dirname(TESTS), "contrib",
                           "iopress-extract")
    return [sys.executable, decoder, bomb, folder.file("output")]


CASES = {
    "info": plain("info"), "verify": plain("verify"),
    "verify --fast": plain("verify", "--fast"), "restore": into("restore"),
    "restore from a pipe": from_pipe, "recover": into("recover"),
    "expand": plain("expand"), "save --resume": resume,
    "expand, planted": planted, "iopress-extract": extract,
}


def peak(case, count):
    """Its peak memory in KiB, and how it ends."""
    with WorkFolder() as folder:
        bomb = folder.file("bomb")
        make_bomb(bomb, count)
        command = case(folder, bomb)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_maxrss, process.returncode, said


def check(name, case):
    small, _, _ = peak(case, SMALL)
    large, status, said = peak(case, LARGE)
    print(f"{name}: {small} KiB, {large} KiB, exit status {status}: "
          f"{said.strip()}", flush=True)
    if status not in (BAD_INPUT, FAILED):
        return f"{name}: exit status {status}"
    if large > small + MARGIN:
        return f"{name}: {large} KiB instead of {small}"
    return None


def main():
    faults = [check(name, case) for name, case in CASES.items()]
    for fault in filter(None, faults):
        print(f"FAIL: {fault}")
    return any(faults)


if __name__ == "__main__":
    sys.exit(main())
