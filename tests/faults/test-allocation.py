#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory is refused to each verb, once or from some point on: it ends with a
# message, and nothing is lost.
#
#   test-allocation.py [SITUATION [allocation:N:HOW]]
#
# IOPRESS_STARVE=1 tries each allocation; by default it is each fifth.

import importlib
import os
import sys

from discard import (PROGRAM, Source, iopress, libvirt_save, mixed_pages, read,
                     skip, take_files)
from faults import Situation, main, options_of

calls = importlib.import_module("test-faults")
in_place = importlib.import_module("test-in-place")


class Resume(Situation):
    """The first is for the verb's options: nothing is known of the source yet,
    and nothing is said of it."""

    starve_from = 2


class Report(Situation):
    """A verb that only reads an image: it says the same as ever, or fails."""

    def __init__(self, source, verb, *arguments):
        super().__init__("-".join([verb, *arguments]).replace("--", ""),
                         source, arguments)
        self.verb = verb

    def prepare(self, folder):
        self.source.pack(folder)
        self.files = take_files(folder)
        self.wanted = None

    def run(self, folder, injector):
        image = f"{folder}/image"
        with open(f"{folder}/report", "wb") as report:
            operands = [] if self.verb == "plugins" else [image]
            return iopress(self.verb, *self.arguments, *operands,
                           stdout=report, **options_of(injector))

    def check(self, folder, status):
        report = read(f"{folder}/report").replace(folder.encode(), b"")
        if self.wanted is None:
            self.wanted = report
        if status not in (0, 1):
            return "undocumented status"
        # A plugin that cannot be loaded is listed as such.
        if self.verb == "plugins" and b'"error":' in report:
            return None
        if status == 0 and report != self.wanted:
            return f"status 0, and another report: {report.decode()}"
        if read(f"{folder}/image") != self.files["image"]:
            return "the image has changed"
        return None


class Recover(calls.Restore):
    """A whole image is recovered whole."""

    def run(self, folder, injector):
        return iopress("recover", *self.arguments, f"{folder}/image",
                       f"{folder}/output", **options_of(injector))


def situations(top):
    cut = mixed_pages(1, 7, 0.9, 1000)
    image = libvirt_save(top, "--xml-padding", "8K",
                         "--block", "pc.ram=256K,random",
                         "--block", "vga.vram=64K,ends")
    ragged = Source("ragged", cut, cut)
    mapped = Source("mapped", *image, "-T", "serial")
    mapped.mapped = True
    batch = ["--discard", "--discard-batch", "128K"]
    tried = [
        Situation("save-discard", ragged, batch),
        Resume("resume", mapped, batch, "fallocate:2:EIO"),
        calls.Plain("save", mapped),
        calls.Restore("restore", ragged),
        calls.RestorePipes("restore-pipes", mapped),
        calls.RestoreTemporary("restore-tmpfile", mapped),
        in_place.Expand("expand", mapped),
        in_place.Replace("replace", mapped),
        Recover("recover", mapped),
        Report(mapped, "info"),
        Report(mapped, "info", "--json"),
        Report(mapped, "info", "--map"),
        Report(mapped, "verify"),
        Report(mapped, "plugins", "--json"),
    ]
    for situation in tried:
        situation.starve = int(os.environ.get("IOPRESS_STARVE", "5"))
        situation.kill = False
    return tried


if __name__ == "__main__":
    with open(PROGRAM, "rb") as program:
        if b"__asan_init" in (text := program.read()) or b"__tsan_init" in text:
            skip("memory is the sanitizer's")
    sys.exit(main(situations, sys.argv[1:]))
