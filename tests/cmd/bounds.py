#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What others make iopress read, at its worst: it ends in time, within the memory
# that docs/security.md states.  Claims of an index are in claimed-index.py, page
# bitmaps in bitmap-bomb.py, and what grows faster than its file in linear.py.

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.dont_write_bytecode = True

from iopress_image import Image  # noqa: E402
from test_program import (  # noqa: E402
    BAD_INPUT, FAILED, IOPRESS, WorkFolder, has_codec, succeed)

CANCELLED = 5
SECONDS = 10
SMALL = 96 << 20                # bytes of memory: the program, and little else
PREFIX = 16 << 20               # the longest


class Ran:
    """A finished run: status, standard error, seconds of a processor, bytes."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen([IOPRESS, *command],
                                        stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True,
                                        **options)

    def wait(self):
        self.said = self.process.stderr.read()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        self.process.returncode = self.status
        self.seconds = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss << 10
        return self


def run(*command, **options):
    return Ran(command, **options).wait()


def check(name, ran, status, most, words=""):
    print(f"{name}: exit status {ran.status}, {ran.seconds:.1f} s, "
          f"{ran.memory >> 20} MiB: {ran.said.strip()[:200]}", flush=True)
    assert ran.status == status
    assert ran.seconds < SECONDS
    assert ran.memory < most or os.environ.get("VALGRIND")
    assert words in ran.said
    assert ran.said.count("\n") == (status != 0)


# The prefix, as large as it can be.

def xml_of(pattern):
    room = PREFIX - 92
    return (pattern * (room // len(pattern) + 1))[:room]


def long_xml(folder):
    source, image = folder.file("source"), folder.file("image")
    for pattern in (b"<a>", b"<!--", b"&amp;", b"<name>&", b"<a b='", b"<",
                    b"]]><![CDATA["):
        with open(source, "wb") as file:
            file.write(b"LibvirtQemudSave" +
                       struct.pack("<5I", 2, PREFIX - 92, 0, 6, 0) +
                       bytes(56) + xml_of(pattern) + b"x" * 4096)
        check(f"XML of {pattern}", run("save", "-q", "--force", "--format",
                                       "raw", source, image), 0, SMALL)
        check(f"XML of {pattern}", run("info", image), 0, SMALL)
    check("XML of 4 GiB", run("save", "-q", "--force", with_length(source),
                              image), BAD_INPUT, SMALL, "which cannot be")


def with_length(source):
    with open(source, "r+b") as file:
        file.seek(20)
        file.write(b"\xff\xff\xff\xff")
    return source


# RAM blocks.

def text(data):
    return bytes([len(data)]) + data


def many_blocks(folder, total, block):
    """Blocks as far as the file goes, and as they would go on for ever."""
    path = folder.file("stream")
    with open(path, "wb") as file:
        file.write(b"QEVM" + struct.pack(">I", 3) + b"\x07" +
                   struct.pack(">I", 2) + b"pc\x05" +
                   text(b"configuration/capabilities") +
                   struct.pack(">II", 1, 2) + text(b"mapped-ram") +
                   text(b"x-ignore-shared") + b"\x01" +
                   struct.pack(">I", 2) + text(b"ram") +
                   struct.pack(">IIQ", 0, 4, total | 4))
        file.write(block * ((4 << 20) // len(block)))
    return path


def billion_blocks(folder):
    ignored = text(b"b") + struct.pack(">QQIQQQ", 4096, 0, 1, 4096, 0, 0)
    empty = text(b"b") + struct.pack(">QQIQQQ", 0, 0, 1, 4096, 0, 0)
    image = folder.file("image")
    for block in (ignored, empty):
        path = many_blocks(folder, 10 ** 9 * 4096, block)
        check("a billion RAM blocks", run("save", "-q", path, image),
              BAD_INPUT, SMALL, "more than 4096 RAM blocks")
    block = text(b"b") + struct.pack(">QQ", 2 ** 64 - 4096, 0)
    path = many_blocks(folder, 2 ** 64 - 4096, block)
    check("a RAM block of 16 EiB", run("save", "-q", path, image), BAD_INPUT,
          SMALL)


# Sizes.

def largest_sizes(folder):
    source, path = folder.file("source"), folder.file("image")
    with open(source, "wb") as file:
        file.write(b"x" * 100000)
    succeed("save", "-q", "--force", "-c", "stored", source, path)
    for fields in ({"source": 2 ** 64 - 1}, {"source": 2 ** 63},
                   {"prefix": 2 ** 64 - 1}, {"chunk": 2 ** 32 - 1}):
        image = Image.read(path)
        image.change_header(**fields)
        bad = folder.file("bad", image.data())
        for verb in ("info", "verify"):
            check(f"{fields}, {verb}", run(verb, bad), BAD_INPUT, SMALL)
    # As large as can be, and still what it says: nothing is gone through.
    image = Image.read(path)
    image.change_header(source=2 ** 63 - 1)
    for record in image.records:
        record.header.change(source=2 ** 63 - 1)
    image.reindex()
    bad = folder.file("bad", image.data())
    for verb in ("info", "verify"):
        check(f"8 EiB, {verb}", run(verb, bad), 0, SMALL)


# Frames.

def large_dictionary(folder):
    """A frame of xz that asks for a dictionary of 1.5 GiB."""
    source, path = folder.file("source"), folder.file("image")
    with open(source, "wb") as file:
        file.write(b"x" * 100000)
    succeed("save", "-q", "--force", "-c", "xz:0", source, path)
    image = Image.read(path)
    frame = image.records[0].payload
    block = 12                  # behind the header of the stream
    length = (frame[block] + 1) * 4
    assert frame[block + 2] == 0x21
    frame[block + 4] = 37
    struct.pack_into("<I", frame, block + length - 4,
                     zlib.crc32(bytes(frame[block:block + length - 4])))
    image.records[0].seal()
    image.reindex()
    check("a dictionary of 1.5 GiB",
          run("verify", "-T", "1", folder.file("bad", image.data())),
          BAD_INPUT, SMALL, "too large a dictionary")


# QMP.

def answer(connection, data, often):
    try:
        while often > 0:
            connection.sendall(data)
            often -= 1
    except OSError:
        pass


def peer(folder, data, often=1):
    """A save that waits for who says DATA so often."""
    ours, theirs = socket.socketpair()
    threading.Thread(target=answer, args=(ours, data, often),
                     daemon=True).start()
    source = folder.file("source", b"x" * 100000)
    ran = Ran(["save", "--wait-qmp", f"fd:{theirs.fileno()}", source,
               folder.file("output")], pass_fds=[theirs.fileno()])
    theirs.close()
    return ran, ours


def endless_answers(folder):
    for data in (b"[" * 4096, b"[0,0,0,0," * 1024, b'{"a":' * 1024,
                 b" " * 65536, b'"' + b"x" * (1 << 20)):
        ran, ours = peer(folder, data, 1 << 20)
        check(f"QMP: {data[:10]}...", ran.wait(), FAILED, SMALL,
              "what answers is not QEMU")
        ours.close()


def slow_peer(folder):
    """Who never comes to an answer can be waited for, and the wait be ended."""
    events = b'{"event": "RESUME", "data": {}}\r\n' * 100
    for data, often in ((b"", 0), (events, 1 << 30)):
        ran, ours = peer(folder, data, often)
        time.sleep(1)
        ran.process.send_signal(signal.SIGTERM)
        check(f"QMP: {data[:20]}...", ran.wait(), CANCELLED, SMALL)
        ours.close()


def main():
    with WorkFolder() as folder:
        long_xml(folder)
        billion_blocks(folder)
        largest_sizes(folder)
        if has_codec("xz"):
            large_dictionary(folder)
        endless_answers(folder)
        slow_peer(folder)


main()
