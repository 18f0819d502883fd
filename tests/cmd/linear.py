#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Files that were made to be expensive: the work grows no faster than the file
# does.  Each shape is built in two sizes, the second four times the first, and
# what is compared is instructions, counted by valgrind, and system calls, never
# time.
#
#   linear.py [SHAPE...]

import os
import re
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.dont_write_bytecode = True

from test_program import (  # noqa: E402
    BUILD, PLUGINS, TESTS, WorkFolder, read, skip, succeed)
from xxh3 import xxh3_64  # noqa: E402

FACTOR = 4
MOST = 5.5                      # times the work; squared it would be 16
ID = bytes(range(16))
CHUNK = 65536
LARGE_CHUNK = 16 << 20
START = 4096                    # of the records


def sealed(data):
    return data + struct.pack("<Q", xxh3_64(data))


def file_header(source, chunk=CHUNK):
    data = struct.pack("<8sHHI16sQQIIQQ16si4x64s88x", b"IOPRESS1", 1, 0, 256,
                       ID, 0, source, chunk, 0, 0, 0, b"stored", 0, b"")
    return sealed(data).ljust(START, b"\0")


def record_header(payload, body_sum=0, image_id=ID, chunk=CHUNK, window=0):
    raw = -(-payload // 4096) * 4096
    return sealed(struct.pack("<4sI16sQQIIIIQQ", b"IPRC", 0, image_id, window,
                              1 << 40, 0, chunk, raw, payload, 0, body_sum))


def index_header(count, entries_sum=0):
    return sealed(struct.pack("<4sI16sQQ", b"IPIX", 32, ID, count,
                              entries_sum))


def index_entry(window, offset, length=4096 + 82):
    return struct.pack("<QQIIQ", window, offset, length, 1, 0)


# The shapes: each writes a file of SIZE bytes, more or less, and returns
# the verb and its arguments.

def record_magics(path, size):
    with open(path, "wb") as file:
        file.write(b"IPRC" * (size // 4))
    return ["recover", path, path + ".output"]


def nested_records(path, size):
    """Headers as they should be, of bodies that overlap and are wrong."""
    with open(path, "wb") as file:
        header = record_header(min(size // 2, LARGE_CHUNK), chunk=LARGE_CHUNK)
        file.write(header * (size // len(header)))
    return ["recover", path, path + ".output"]


def chained_records(path, size):
    """The same behind a file header, each where the one before ends."""
    with open(path, "wb") as file:
        file.write(file_header(1 << 40, LARGE_CHUNK))
        header = record_header(min(size // 2, LARGE_CHUNK), chunk=LARGE_CHUNK)
        file.write(header * (size // len(header)))
    return ["recover", path, path + ".output"]


def records_between(path, size):
    """Such headers, and a whole record behind each of them."""
    body = b"\1".ljust(LARGE_CHUNK // 4096 // 8, b"\0") + b"x"
    record = record_header(1, xxh3_64(body), chunk=LARGE_CHUNK) + body
    with open(path, "wb") as file:
        file.write(file_header(1 << 40, LARGE_CHUNK))
        header = record_header(min(size // 2, LARGE_CHUNK), chunk=LARGE_CHUNK)
        file.write((header + record) * (size // len(header + record)))
    return ["recover", path, path + ".output"]


def image_ids(path, size):
    """Whole records, each of an image of its own."""
    body = b"\1\0" + b"x"
    body_sum = xxh3_64(body)
    with open(path, "wb") as file:
        for i in range(size // 83):
            file.write(record_header(1, body_sum, struct.pack("<QQ", i, 7)) +
                       body)
    return ["recover", path, path + ".output"]


def index_headers(path, size):
    """Each says that the rest of the file are its entries."""
    with open(path, "wb") as file:
        file.write(file_header(1 << 40))
        header = index_header(size // 2 // 32)
        file.write(header * (size // len(header)))
    return ["recover", path, path + ".output"]


def index_entries(path, size):
    """Index headers in front of entries that are all as they should be."""
    count = size // 32
    with open(path, "wb") as file:
        file.write(file_header(1 << 40))
        file.write(index_header(count) * (size // 48))
        for i in range(count):
            file.write(index_entry(i, START + i * (4096 + 82)))
    return ["recover", path, path + ".output"]


def idle_guest(path, size):
    """A large guest with little in it, whose image was cut."""
    guest = f"{path}.guest"
    subprocess.run([sys.executable, f"{TESTS}/lib/make_mapped_ram.py",
                    "--block", f"ram={size}G,ends", guest], check=True)
    succeed("save", "-c", "stored", "--chunk-size", "64K", guest,
            path)
    # The head and the bitmap are left, the memory is not.
    places = [found.start() for found in re.finditer(b"IPRC", read(path))]
    os.truncate(path, places[-2])
    return ["recover", path, path + ".output"]


def stream_magics(path, size):
    """What may be QEMU's stream, again and again."""
    with open(path, "wb") as file:
        file.write(b" " + b"QEVM\0\0\0\3\7" * (size // 9))
    return ["save", "--format", "mapped-ram", path, path + ".output"]


def discarded_holes(path, size):
    """A page at either end of nothing."""
    with open(path, "wb") as file:
        file.write(b"x" * 4096)
        file.seek(size << 30)
        file.write(b"x" * 4096)
    return ["save", "--discard", path, path + ".output"]


SHAPES = {
    record_magics: 32 << 10,
    nested_records: 256 << 10,
    chained_records: 256 << 10,
    records_between: 2 << 20,
    image_ids: 64 << 10,
    index_headers: 64 << 10,
    index_entries: 64 << 10,
    idle_guest: 16,
    stream_magics: 64 << 10,
    discarded_holes: 64,
}

# A call is for a part of the file, not for what may begin in it, nor for each
# window of a hole.
FEW_CALLS = {record_magics, image_ids, index_headers, index_entries,
             idle_guest, stream_magics, discarded_holes}


def instructions(verb, *arguments):
    """How many it takes, and what it says."""
    process = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no",
         "--cachegrind-out-file=/dev/null", f"{BUILD}/iopress", verb,
         "--plugin-dir", PLUGINS, "-T", "serial", "--sandbox=off",
         *arguments],
        check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"I +refs: +([0-9,]+)", process.stderr)
    if found is None or process.returncode not in (0, 3):
        raise AssertionError(f"exit status {process.returncode}: "
                             f"{process.stderr}")
    return int(found[1].replace(",", ""))


def calls(folder, verb, *arguments):
    """How many reads, and looks for holes, it takes; and the bytes read."""
    log = folder.file("log")
    subprocess.run(["strace", "-f", "-o", log,
                    "-e", "trace=pread64,lseek,fallocate",
                    f"{BUILD}/iopress", verb, "--plugin-dir", PLUGINS,
                    "--direct-io=off", *arguments], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = read(log)
    lengths = re.findall(rb"pread64\(.* = (\d+)\n", found)
    return found.count(b"("), sum(map(int, lengths))


def measure(shape, size, traced):
    with WorkFolder() as folder:
        path = folder.file("file")
        count = instructions(*shape(path, size))
        for left in os.listdir(folder.path):
            os.unlink(folder.file(left))
        return count, *(calls(folder, *shape(path, size)) if traced
                        else (1, 1))


def check(shape, size, traced):
    small, few, little = measure(shape, size, traced)
    large, many, much = measure(shape, FACTOR * size, traced)
    print(f"{shape.__name__}: {small}, {large} instructions: "
          f"{large / small:.1f} times; {few}, {many} calls; {little}, {much} "
          "bytes", flush=True)
    return (large <= MOST * small and many <= FACTOR * few and
            much <= MOST * little and
            (shape not in FEW_CALLS or many < 50))


def main():
    if os.environ.get("VALGRIND"):
        skip("runs under valgrind already")
    if shutil.which("valgrind") is None:
        skip("needs valgrind")
    if subprocess.run(["valgrind", "-q", f"{BUILD}/iopress", "--version"],
                      check=False, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode != 0:
        skip("needs a build that runs under valgrind")
    traced = shutil.which("strace") is not None
    wrong = [shape.__name__ for shape, size in SHAPES.items()
             if not sys.argv[1:] or shape.__name__ in sys.argv[1:]
             if not check(shape, size, traced)]
    for name in wrong:
        print(f"FAIL: {name}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
