# SPDX-License-Identifier: LGPL-2.1-or-later
# One source being consumed into one image, by path or by descriptor: starting
# runs that a test interrupts, and checking that nothing was lost.

import errno
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.dont_write_bytecode = True

from test_program import (  # noqa: E402
    IOPRESS, TESTS, TIMEOUT, WorkFolder, has_codec, read, skip, succeed)

__all__ = ["Case", "IOPRESS", "Lost", "PlaceFolder", "Template", "WorkFolder",
           "exit_status", "has_codec", "kinds", "make_templates", "read",
           "skip", "succeed"]

MAKER = os.path.join(TESTS, "lib", "make_mapped_ram.py")


class Lost(AssertionError):
    """Bytes are gone, or what must hold does not."""


def exit_status(name, check, *arguments):
    """Of a test that is CHECK: 1, with a message, when something is lost."""
    try:
        check(*arguments)
    except Lost as error:
        print(f"FAIL: {name}: {error}", file=sys.stderr)
        return 1
    return 0


class PlaceFolder(WorkFolder):
    """An empty folder in PLACE, None: in the build tree."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        if self.place is None:
            return super().__enter__()
        self.path = tempfile.mkdtemp(prefix="tmp.", dir=self.place)
        return self


class Template:
    """A source to copy, and what restoring its image must give."""

    def __init__(self, source, expected):
        self.source = source
        self.expected = expected


def raw_bytes(rng, size):
    """Runs of random bytes, text and zeros."""
    data = bytearray()
    while len(data) < size:
        length = rng.randrange(1, 400000)
        kind = rng.randrange(4)
        if kind == 0:
            data += bytes(length)
        elif kind == 1:
            data += b"%d\n" % rng.randrange(10 ** 9) * (length // 8)
        else:
            data += rng.randbytes(length)
    return b"\1" + bytes(data[:size - 2]) + b"\2"


def make_templates(folder, rng):
    """A template by name: raw ones of even and odd size, one that begins with
    a hole, and saves of QEMU bare and within libvirt's header."""
    templates = {}
    for name, size in (("raw", 4 << 20), ("raw-odd", (3 << 20) + 1234)):
        path = folder.file(name, raw_bytes(rng, size))
        templates[name] = Template(path, read(path))
    path = folder.file("raw-hole",
                       bytes(700000) + raw_bytes(rng, 2 << 20) + bytes(70000))
    templates["raw-hole"] = Template(path, read(path))
    for name, options in (
            ("mapped-ram", ["--libvirt", "save", "--block", "ram=6M,extents",
                            "--block", "vga=1M,dense", "--stale", "0.2"]),
            ("mapped-ram-random", ["--offset", "5001", "--content", "random",
                                   "--block", "ram=2M,dense"])):
        path, expected = folder.file(name), folder.file(name + ".expected")
        subprocess.run([sys.executable, MAKER, path, "--expected", expected,
                        *options], check=True)
        templates[name] = Template(path, read(expected))
    return templates


def kinds(templates, names=("paths", "fds", "fds-write-only")):
    """Every template with every way of naming the files."""
    return [(template, naming) for naming in names
            for template in sorted(templates)]


class Case:
    """A fresh copy of a template and a place for its image.

    NAMING: "paths", or "fds": fd:N of descriptors that this test holds open,
    the source for reading and writing, the output for writing only; with
    "fds-write-only" the source for writing only, too."""

    def __init__(self, folder, template, naming, options=()):
        self.source = folder.file("source")
        self.output = folder.file("image")
        self.part = self.output + ".part"
        self.restored = folder.file("restored")
        self.template = template
        self.options = list(options)
        self.fds = ()
        self.clear()
        subprocess.run(["cp", "--sparse=always", template.source,
                        self.source], check=True)
        self.original = read(template.source)
        self.names = [self.source, self.output]
        if naming == "fds":
            self.open_fds(os.O_RDWR)
        elif naming == "fds-write-only":
            self.open_fds(os.O_WRONLY)

    def open_fds(self, source_access):
        self.fds = (os.open(self.source, source_access),
                    os.open(self.output, os.O_WRONLY | os.O_CREAT, 0o600))
        self.names = [f"fd:{fd}" for fd in self.fds]

    def clear(self):
        self.close()
        for path in (self.source, self.output, self.part, self.restored):
            if os.path.exists(path):
                os.unlink(path)

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = ()

    def start(self, *options, wrapper=""):
        """Start a run that consumes; WRAPPER: a command that execs it."""
        return subprocess.Popen(
            [IOPRESS, "save", "--discard", *self.options, *options,
             *self.names], pass_fds=self.fds, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "VALGRIND":
                 wrapper or os.environ.get("VALGRIND", "")})

    def begun(self):
        """The file that holds the image by now, or None."""
        for path in (self.part, self.output):
            if os.path.exists(path) and os.path.getsize(path) > 0:
                return path
        return None

    def state(self):
        """Something that changes with source and image."""
        return [(os.stat(path).st_mtime_ns, os.stat(path).st_blocks)
                for path in (self.source, self.part, self.output)
                if os.path.exists(path)]

    def is_whole(self):
        return read(self.source) == self.original

    def is_gone(self):
        """Whether all of the source has been given back.  (XFS may keep
        blocks behind its end for as long as it is open.)"""
        with open(self.source, "rb") as file:
            try:
                os.lseek(file.fileno(), 0, os.SEEK_DATA)
            except OSError as error:
                return error.errno == errno.ENXIO
        return False

    def resume(self):
        """Go on to the end, undisturbed, with no other option."""
        done = subprocess.run(
            [IOPRESS, "save", "--resume", *self.names], pass_fds=self.fds,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise Lost(f"--resume: exit status {done.returncode}: "
                       f"{done.stderr.decode()}")

    def check_restored(self):
        succeed("restore", "--force", self.output, self.restored)
        if read(self.restored) != self.template.expected:
            raise Lost("what is restored is not what was saved")

    def finish(self):
        """Everything that must hold after whatever happened before."""
        if os.path.getsize(self.source) != len(self.original):
            raise Lost("the size of the source has changed")
        if self.begun() is None and not self.is_whole():
            raise Lost("there is no image and the source is not whole")
        self.resume()
        self.check_restored()
        if os.path.exists(self.part):
            raise Lost("--resume left a .part")
        if not self.is_gone() and not self.is_whole():
            raise Lost("after --resume the source is neither whole nor gone, "
                       f"{os.stat(self.source).st_blocks} blocks are left")
        self.resume()
        self.check_restored()
