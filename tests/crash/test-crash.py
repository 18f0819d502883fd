#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Power cuts during "save --discard" and "save --resume", replayed: whatever
# a cut can leave, --resume must end well and restore give every byte back.  (What
# does not begin like an image is refused, and the source must be whole then.)
# See replay.py for the variables that choose how many states, and which.

import os
import sys

sys.path.insert(0, os.path.join(os.environ["abs_top_srcdir"], "tests",
                                "faults"))
# pylint: disable=wrong-import-position
from discard import Source, iopress, mapped_ram, mixed_pages, put_files, read
from replay import Large, Scenario, large_source, main, sources


def unfinished_image(top, data):
    """The head of an image of another source, whose source is whole."""
    put_files(top, {"source": data})
    names = [os.path.join(top, name) for name in ("source", "image")]
    iopress("save", "--chunk-size", "64K", *names)
    return read(names[1])[:-5000]


class LargeScenario(Large, Scenario):
    """The source is given back meanwhile."""


def scenarios(top):
    ragged, plain, mapped = sources(top)
    small = ["--discard-batch", "128K"]
    page, short = (Source(f"{size} bytes", plain.data[:size],
                          plain.data[:size]) for size in (4096, 700))
    return [
        Scenario("pages", plain, *small),
        Scenario("ragged", ragged, *small, "-T", "serial",
                  "--direct-io", "off"),
        Scenario("mapped", mapped, *small),
        Scenario("bare", Source("bare", *mapped_ram(
            top, "--align", "64K", "--device-bytes", "3000", "--content",
            "text", "--block", "pc.ram=512K,random")), *small),
        Scenario("large-steps", plain, "--discard-batch", "640K"),
        Scenario("fds", mapped, *small, descriptors=True),
        Scenario("leftover", plain, *small, leftover=unfinished_image(
            os.path.join(top, "other"), mixed_pages(5, 10, 0.9, 0))),
        Scenario("stored", plain, "-c", "stored", *small),
        LargeScenario("large", large_source(), "--discard-batch", "4M"),
        Scenario("page", page),
        Scenario("short", short),
    ]


if __name__ == "__main__":
    sys.exit(main(scenarios, [("pages", omit) for omit in
                              ("image", "source", "folder")], 10000))
