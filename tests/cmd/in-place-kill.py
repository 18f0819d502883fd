#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL at random instants of save --replace and of expand, in turn on one
# file, whose XML is edited between two of them: the name always leads to the
# whole save, to the whole image, or to what the next expand makes whole.
#
#   in-place-kill.py [KILLS [SEED [FOLDER]]]

import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.dont_write_bytecode = True

from test_program import (  # noqa: E402
    IOPRESS, TESTS, TIMEOUT, WorkFolder, has_codec, read, succeed)

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 150
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20261124
PLACE = sys.argv[3] if len(sys.argv) > 3 else None
CODECS = ["stored", "zstd:1", "lz4"]
EDIT_AT = 3000                  # within libvirt's padding


class Lost(AssertionError):
    """What must hold does not."""


class File:
    """One save file, and what it has to be."""

    def __init__(self, folder, rng, layout):
        self.path = os.path.join(folder, "guest.save")
        self.folder = folder
        self.rng = rng
        expected = os.path.join(folder, "expected")
        subprocess.run([sys.executable, f"{TESTS}/lib/make_mapped_ram.py",
                        "--libvirt", "save", "--block", "ram=12M,extents",
                        "--block", "vga=1M,dense", "--expected", expected,
                        *layout, self.path], check=True)
        self.expected = bytearray(read(expected))
        os.unlink(expected)
        self.start = self.expected.index(b"QEVM\0\0\0\3")

    def edit(self):
        """As virsh managedsave-define does: in place, the length stays."""
        text = b"<!-- %08d -->" % self.rng.randrange(10 ** 8)
        self.expected[EDIT_AT:EDIT_AT + len(text)] = text
        with open(self.path, "r+b") as file:
            file.seek(EDIT_AT)
            file.write(text)

    def options(self):
        codecs = [codec for codec in CODECS if has_codec(codec.split(":")[0])]
        return ["-q", "-T", self.rng.choice(["0", "1", "serial"]),
                "--direct-io", self.rng.choice(["auto", "off"])], \
            ["--chunk-size", "64K", "-c", self.rng.choice(codecs)]

    def command(self, verb):
        both, packing = self.options()
        return [IOPRESS, "save", "--replace", *both, *packing, self.path] \
            if verb == "replace" else [IOPRESS, "expand", *both, self.path]

    def kill(self, verb, seconds):
        """Returns whether it was still running."""
        process = subprocess.Popen(self.command(verb),
                                   stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        time.sleep(self.rng.random() * seconds)
        process.kill()
        message = process.communicate()[1].decode()
        if process.returncode not in (0, -9):
            raise Lost(f"{verb}: exit status {process.returncode}: {message}")
        return process.returncode != 0

    def end(self, verb):
        done = subprocess.run(self.command(verb), stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=TIMEOUT,
                              check=False)
        if done.returncode != 0:
            raise Lost(f"{verb}: exit status {done.returncode}: "
                       f"{done.stderr.decode()}")
        if os.listdir(self.folder) != ["guest.save"]:
            raise Lost(f"{verb}: {os.listdir(self.folder)} is left")

    def state(self):
        """What the name leads to."""
        data = read(self.path)
        if data[:self.start] != self.expected[:self.start]:
            raise Lost("the XML is not what it was edited to")
        if data == self.expected:
            return "expanded"
        magic = data[self.start:self.start + 8]
        if magic == b"QEVM\0\0\0\3" and \
           data[:len(self.expected)] != self.expected:
            raise Lost("QEMU would load what is not whole")
        if magic == b"IOPRESS1" and \
           subprocess.run([IOPRESS, "verify", "-q", self.path], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0:
            restored = self.path + ".restored"
            succeed("restore", self.path, restored)
            same = read(restored) == self.expected
            os.unlink(restored)
            if not same:
                raise Lost("the image holds something else")
            return "packed"
        return "between"


def check(file, verb, tally):
    state = file.state()
    tally[verb, state] = tally.get((verb, state), 0) + 1
    if verb == "replace" and state == "between":
        raise Lost("the name leads to nothing that is whole")


def seconds_of(file, verb):
    start = time.monotonic()
    file.end(verb)
    return time.monotonic() - start


def chain(folder, rng, layout, tally):
    file = File(folder, rng, layout)
    seconds = {verb: seconds_of(file, verb) for verb in ("replace", "expand")}
    for _ in range(3):
        for verb in ("replace", "expand"):
            for _ in range(rng.randrange(1, 6)):
                if file.kill(verb, 1.2 * seconds[verb]):
                    check(file, verb, tally)
                file.edit()
            file.end(verb)
            wanted = "packed" if verb == "replace" else "expanded"
            if file.state() != wanted:
                raise Lost(f"after {verb} it is not {wanted}")


def main():
    rng = random.Random(SEED)
    tally = {}
    # The stream begins somewhere in a sector, and 2 bytes before the end of one
    # and of a page.
    layouts = [["--xml-padding", str(size)] for size in (5026, 5320, 7880)]
    with WorkFolder() as work:
        place = PLACE or work.path
        while sum(tally.values()) < KILLS:
            layout = rng.choice(layouts)
            with tempfile.TemporaryDirectory(dir=place) as folder:
                try:
                    chain(folder, rng, layout, tally)
                except Lost as error:
                    print(f"FAIL: {layout}, seed {SEED}, {tally}: {error}",
                          file=sys.stderr)
                    return 1
    for (verb, state), count in sorted(tally.items()):
        print(f"{verb} killed {count} times with the file {state}")
    # The kills have to land where it matters.
    return 0 if KILLS < 100 or tally.get(("expand", "between"), 0) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
