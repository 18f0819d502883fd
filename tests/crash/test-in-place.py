#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Power cuts during "expand" and "save --replace", replayed: whatever a cut can
# leave is whole or refused, and the same run again makes the file whole.
# See replay.py for the variables that choose how many states, and which.

import os
import sys

sys.path.insert(0, os.path.join(os.environ["abs_top_srcdir"], "tests",
                                "faults"))
# pylint: disable=wrong-import-position
from discard import Source, iopress, is_whole_but_marked, mapped_ram, read
from replay import Large, Scenario, large_source, main, sources


class InPlace(Scenario):
    """A file that becomes another under its name."""

    again = ()
    chain = 0.02
    chain_cuts = 3

    def __init__(self, name, source, *options):
        super().__init__(name, source)
        self.arguments = list(options)
        self.packed = None      # the image that expand begins or --replace ends with

    def cuts(self, chooser):
        """Around everything but the many writes between two flushes, and at
        some of those."""
        ends = range(self.log.length + 1)
        return sorted({cut for cut in ends
                       if not self.log.notable.isdisjoint({cut, cut + 1})}
                      | set(chooser.sample(ends, min(len(ends), 8))))

    def begin(self, folder, seed, omit=None):
        self.source.pack(folder)
        self.packed = read(os.path.join(folder, "image"))
        super().begin(folder, seed, omit)

    def check(self, folder, status, text):
        if status != 0:
            return f"again: status {status}: {text}"
        if os.listdir(folder) not in (["source"], ["log", "source"],
                                      ["source", "log"]):
            return f"{os.listdir(folder)} is left"
        return None if self.restores(folder) else "it is not what it has to be"


class Expand(InPlace):
    """An image becomes its source again."""

    other_names = ("source.packed-00112233.part", "source.packed-00112233")

    def before(self):
        return {"source": self.packed}

    def save(self, folder, *arguments, **options):
        return iopress("expand", *self.arguments, *arguments,
                       os.path.join(folder, "source"), **options)

    def restores(self, folder):
        return read(os.path.join(folder, "source")) == self.source.expected

    def judge(self, files):
        data, start = files["source"], self.packed.index(b"IOPRESS1")
        head = data[start:start + 256]
        if self.source.mapped and head[:8] == b"QEVM\0\0\0\3" and \
           data != self.source.expected and \
           not is_whole_but_marked(data, self.source.expected):
            return "QEMU would load what is not whole"
        if head == self.packed[start:start + 256] and data != self.packed:
            return "it has the header of an image and is not whole"
        if data[:start] != self.packed[:start]:
            return "the prefix has changed"
        return None

    def check(self, folder, status, text):
        # A raw file that is expanded cannot be told from any other.
        if status == 3 and not self.source.mapped and self.restores(folder):
            status = 0
        return super().check(folder, status, text)


class Replace(InPlace):
    """A source becomes its image."""

    other_names = ("source.part", "")

    def before(self):
        return {"source": self.source.data}

    def save(self, folder, *arguments, **options):
        return iopress("save", "--replace", *self.source.options,
                       *self.arguments, *arguments,
                       os.path.join(folder, "source"), **options)

    def restores(self, folder):
        return read(os.path.join(folder, "source")) == self.packed

    def judge(self, files):
        if files["source"] not in (self.source.data, self.packed):
            return "the name does not lead to a whole file"
        return None

    def check(self, folder, status, text):
        if status == 1 and "left over from an earlier run" in text and \
           read(os.path.join(folder, "source")) == self.source.data:
            # The head of the image had not reached the disk yet.
            os.unlink(os.path.join(folder, "source.part"))
            status, text = self.save(folder)
        return super().check(folder, status, text)


class LargeExpand(Large, Expand):
    """Windows are written where they belong, many at a time."""


class LargeReplace(Large, Replace):
    """Workers fill the blocks."""


def scenarios(top):
    ragged, plain, mapped = sources(top)
    # The prefix ends within the last bytes of a page: no room for the marker.
    edge = Source("edge", *mapped_ram(
        top, "--offset", str(3 * 4096 - 10), "--align", "64K",
        "--device-bytes", "3000", "--block", "pc.ram=512K,random"))
    mapped.mapped = edge.mapped = True
    short = Source("short", plain.data[:700], plain.data[:700])
    return [
        Expand("expand", mapped),
        Expand("expand-edge", edge, "--direct-io", "off"),
        Expand("expand-pages", plain),
        Expand("expand-short", short),
        LargeExpand("expand-large", large_source()),
        Replace("replace", mapped),
        Replace("replace-ragged", ragged, "-T", "serial",
                "--direct-io", "off"),
        LargeReplace("replace-large", large_source(), "-T", "2"),
    ]


# What has to be flushed in each.  (Without a flush of the folder an expand can
# lose the name of the aside, a --replace nothing.)
BITES = [
    ("expand", "image"),
    ("expand", "source"),
    ("expand", "folder"),
    ("expand-edge", "source"),
    ("replace", "image"),
]


if __name__ == "__main__":
    sys.exit(main(scenarios, BITES, 800))
