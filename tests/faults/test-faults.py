#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every I/O call of a save, a resumed save and a restore fails once in turn.
#
#   test-faults.py [SITUATION [CALL:N:HOW]]

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

from discard import (Source, iopress, large_digits, libvirt_save, mixed_pages,
                     read, take_files)
from faults import DONE, Situation, main, options_of


class Descriptors(Situation):
    """The same with inherited descriptors."""

    def save(self, folder, arguments, injector=None):
        flags = os.O_RDWR | os.O_CREAT
        fds = [os.open(os.path.join(folder, name), flags, 0o600)
               for name in ("source", "image")]
        try:
            return iopress("save", *self.source.options, *self.arguments,
                           *arguments, *(f"fd:{fd}" for fd in fds),
                           pass_fds=fds, **options_of(injector))
        finally:
            for fd in fds:
                os.close(fd)


class Plain(Situation):
    """A save that must leave the source alone."""

    def recover(self, folder):
        if os.path.exists(f"{folder}/image.part"):
            os.unlink(f"{folder}/image.part")
        return self.save(folder, ["--force"])

    def check(self, folder, status):
        if status not in (0, 1) or self.consumed(folder):
            return f"the source is whole: {not self.consumed(folder)}"
        return super().check(folder, status)


class Restore(Situation):
    """An image becomes a file again."""

    def prepare(self, folder):
        self.source.pack(folder)
        self.files = take_files(folder)

    def run(self, folder, injector):
        return iopress("restore", *self.arguments, f"{folder}/image",
                       f"{folder}/output", **options_of(injector))

    def check(self, folder, status):
        output = read(f"{folder}/output")
        if status not in (0, 1):
            return "undocumented status"
        if status == 0 and output != self.source.expected:
            return "status 0 and a wrong file"
        if status == 0 and os.path.exists(f"{folder}/output.part"):
            return "status 0, and output.part is left"
        if status == 1 and output is not None:
            return "status 1 and a file under the final name"
        return None


class LargeSave(Plain):
    """So large that it is flushed while it is written."""

    only = "fdatasync-aside"


class LargeSaveCached(Plain):
    """So large that what is buffered is waited for."""

    only = "write-behind"


class LargeRestore(Restore):
    """So large that it is flushed while it is written."""

    only = "fdatasync-aside"


class RestorePipes(Restore):
    """From standard input to standard output, both pipes."""

    def run(self, folder, injector):
        options = options_of(injector)
        reader, feed = os.pipe()
        drain, writer = os.pipe()
        with ThreadPoolExecutor(2) as pool:
            pool.submit(feed_pipe, feed, read(f"{folder}/image"))
            output = pool.submit(drain_pipe, drain)
            result = iopress("restore", *self.arguments, "-", "-",
                             stdin=reader, stdout=writer, **options)
            os.close(reader)
            os.close(writer)
            self.outputs[folder] = output.result()
        return result

    outputs = {}

    def check(self, folder, status):
        wrong = self.outputs.pop(folder) != self.source.expected
        if status not in (0, 1) or (status == 0 and wrong):
            return f"the output is wrong: {wrong}"
        return None


class RestoreTemporary(Restore):
    """Into a file without a name, of which a command makes the output."""

    # The last one empties the file when the command has ended.
    tolerated = ("ftruncate:3",)

    def run(self, folder, injector):
        return iopress("restore", *self.arguments, "--tmpfile", folder,
                       f"{folder}/image", "--", "env", "-u", "LD_PRELOAD",
                       "cp", "{}", f"{folder}/output", **options_of(injector))

    def check(self, folder, status):
        left = set(os.listdir(folder)) - {"source", "image", "output",
                                          "counts"}
        if left:
            return f"left: {left}"
        return super().check(folder, status)


def feed_pipe(fd, data):
    try:
        while data:
            data = data[os.write(fd, data):]
    except BrokenPipeError:
        pass
    os.close(fd)


def drain_pipe(fd):
    with os.fdopen(fd, "rb") as file:
        return file.read()


def situations(top):
    cut = mixed_pages(1, 22, 0.9, 1000)
    whole = mixed_pages(2, 22, 0.9, 0)
    image = libvirt_save(top, "--xml-padding", "8K",
                         "--block", "pc.ram=1M,random",
                         "--block", "vga.vram=192K,ends")
    ragged = Source("ragged", cut, cut)
    even = Source("even", whole, whole, "--direct-io", "off")
    direct = Source("direct", whole, whole)
    mapped = Source("mapped", *image, "-T", "serial")
    noise = random.Random(3).randbytes(28 << 20)
    little = noise[:18 << 20]
    packed = Source("packed", little, little, "-c", "xz:0")
    stored = Source("stored", noise, noise, "-c", "stored")
    unpacked = Source("unpacked", *large_digits(), "-c", "xz:0")
    batch = ["--discard", "--discard-batch", "128K"]
    middle, late = "fallocate:4:EIO", "aio-write:7:ENOSPC"
    return [
        Situation("save", ragged, batch),
        Situation("save-cached", even, batch),
        Situation("save-mapped", mapped, batch),
        Situation("resume", ragged, batch, middle),
        Situation("resume-cached", even, batch, late),
        Situation("resume-mapped", mapped, batch, middle),
        Situation("resume-mapped-late", mapped, batch, late),
        Situation("resume-unnamed", mapped, batch, "renameat2:1:EIO"),
        Situation("resume-named", ragged, batch, "fsync:2:EIO"),
        Situation("resume-done", mapped, batch, DONE),
        Descriptors("save-fds", mapped, batch),
        Descriptors("resume-fds-done", direct, batch, DONE),
        Descriptors("resume-fds", ragged, batch, middle),
        Plain("save-plain", ragged),
        LargeSave("save-large", packed),
        LargeSaveCached("save-large-cached", stored, ["--direct-io", "off"]),
        Restore("restore", ragged),
        LargeRestore("restore-large", unpacked),
        Restore("restore-cached", mapped, ["--direct-io", "off"]),
        RestorePipes("restore-pipes", mapped),
        RestoreTemporary("restore-tmpfile", mapped),
    ]


if __name__ == "__main__":
    sys.exit(main(situations, sys.argv[1:]))
