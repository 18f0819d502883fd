#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every I/O call of an expand and of a save --replace fails once in turn; at
# each the process is killed, too.
#
#   test-in-place.py [SITUATION [CALL:N:HOW]]

import os
import random
import sys

from discard import (Source, iopress, is_whole_but_marked, large_digits,
                     libvirt_save, mapped_ram, mixed_pages, put_files, read)
from faults import KILLED, Injector, Situation, main, options_of


class InPlace(Situation):
    """A file becomes another under its name."""

    kill = True

    @property
    def absorbs(self):
        """What retries a call does not know what happened before."""
        return self.before is None

    def prepare(self, folder):
        self.make_first(folder)
        if self.before:
            status, text = self.run(folder, Injector(folder, self.before))
            if status != KILLED:
                raise SystemExit(f"FAIL: {self.name}: {self.before} in the "
                                 f"first run: status {status}: {text}")
        self.files = {name: read(f"{folder}/{name}")
                      for name in os.listdir(folder)}

    def check(self, folder, status):
        counts = f"{folder}/counts"
        if os.path.exists(counts):
            os.unlink(counts)
        if status not in (0, 1, 4, KILLED):
            return "undocumented status"
        wrong = self.check_states(folder, status)
        if wrong:
            return wrong
        # A raw file that is expanded cannot be told from any other file.
        done = {0} if self.source.mapped or not self.is_after(folder) \
            else {0, 3}
        status, text = self.run(folder, None)
        if status not in done:
            return f"again: status {status}: {text}"
        if os.listdir(folder) != ["source"]:
            return f"again: {os.listdir(folder)} is left"
        if not self.is_after(folder):
            return "again: it is not what it has to be"
        return None

    def check_states(self, folder, status):
        """What one run may leave: the file as it was, or as it will be, or
        something that nobody takes for either."""
        before, after = self.is_before(folder), self.is_after(folder)
        if status == 0 and not after:
            return "status 0, and it is not what it has to be"
        if status == 1 and not before and \
           read(f"{folder}/source") != self.files["source"]:
            return "status 1, and the file is neither whole nor as it was"
        if not before and not after and status != 1:
            return self.check_between(folder, status)
        return None


class Expand(InPlace):
    """An image becomes its source again in its own place."""

    # The folder is flushed last when the aside is gone, and blocks of zeros
    # may be given back.
    tolerated = ("fsync", "fallocate")

    def make_first(self, folder):
        self.source.pack(folder)
        os.replace(f"{folder}/image", f"{folder}/source")
        self.packed = read(f"{folder}/source")

    def run(self, folder, injector):
        return iopress("expand", *self.arguments, f"{folder}/source",
                       **options_of(injector))

    def is_before(self, folder):
        return read(f"{folder}/source") == self.packed

    def is_after(self, folder):
        return read(f"{folder}/source") == self.source.expected

    def check_between(self, folder, status):
        if status not in (4, KILLED):
            return "neither packed nor expanded"
        return between_is_refused(self.source, self.packed, folder)


class LargeExpand(Expand):
    """So large that it is flushed while it is written."""

    only = "fdatasync-aside"


def between_is_refused(source, packed, folder):
    """Why a half expanded file is not refused by all, or None."""
    data = read(f"{folder}/source")
    start = packed.index(b"IOPRESS1")
    if source.mapped and data[start:start + 8] == b"QEVM\0\0\0\3" and \
       not is_whole_but_marked(data, source.expected):
        return "QEMU would load what is not whole"
    for verb, *names in (["info", f"{folder}/source"],
                         ["save", f"{folder}/source", f"{folder}/x"],
                         ["restore", f"{folder}/source", f"{folder}/x"]):
        status, text = iopress(verb, *names)
        if status != 3:
            return f"{verb} takes what is not whole: status {status}: {text}"
    return None


class Replace(InPlace):
    """A source becomes its image under its name."""

    def make_first(self, folder):
        put_files(folder, {"source": self.source.data})
        os.chmod(f"{folder}/source", 0o640)

    def run(self, folder, injector):
        return iopress("save", "--replace", *self.source.options,
                       *self.arguments, f"{folder}/source",
                       **options_of(injector))

    def is_before(self, folder):
        return read(f"{folder}/source") == self.source.data

    def is_after(self, folder):
        result = self.source.restores(f"{folder}/source", folder)
        if os.path.exists(f"{folder}/restored"):
            os.unlink(f"{folder}/restored")
        return result

    def check_between(self, folder, status):
        return "the name does not lead to a whole file"


def situations(top):
    cut = mixed_pages(1, 7, 0.9, 1000)
    noise = random.Random(6).randbytes(4700000)
    image = libvirt_save(top, "--xml-padding", "8K",
                         "--block", "pc.ram=256K,random",
                         "--block", "vga.vram=64K,ends")
    ragged = Source("ragged", cut, cut)
    large = Source("large", noise, noise)
    mapped = Source("mapped", *image, "-T", "serial")
    # The prefix ends within the last bytes of a page: no room for the marker.
    edge = Source("edge", *mapped_ram(top, "--offset", str(3 * 4096 - 10),
                                      "--device-bytes", "3000", "--align",
                                      "64K", "--block", "pc.ram=256K,random"))
    for source in (mapped, edge):
        source.mapped = True
    digits = Source("digits", *large_digits(), "-c", "xz:0")
    tiny = Source("tiny", b"no more than this", b"no more than this")
    return [
        Expand("expand", ragged),
        Expand("expand-mapped", mapped),
        Expand("expand-edge", edge, ["--direct-io", "off"]),
        Expand("expand-tiny", tiny),
        LargeExpand("expand-large", digits),
        Expand("expand-put-aside", mapped, before="pwrite:1:kill"),
        Expand("expand-again", mapped, before="aio-write:9:kill"),
        Expand("expand-edge-again", edge, before="aio-write:9:kill"),
        Expand("expand-almost", edge, before="pwrite:5:kill"),
        Expand("expand-done", mapped, before="unlink:1:kill"),
        Expand("expand-edge-done", edge, before="unlink:1:kill"),
        Replace("replace", ragged),
        Replace("replace-mapped", mapped),
        Replace("replace-cached", edge, ["--direct-io", "off"]),
        Replace("replace-begun", large, ["-c", "stored", "--chunk-size", "1M"],
                "aio-write:2:kill"),
        Replace("replace-packed", mapped, before="renameat2:3:kill"),
        Replace("replace-done", mapped, before="unlink:2:kill"),
    ]


if __name__ == "__main__":
    sys.exit(main(situations, sys.argv[1:]))
