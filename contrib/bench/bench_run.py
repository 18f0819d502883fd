# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs one command for contrib/bench and measures it; the page cache before
# it; the small C programs that measure what Python cannot.

import ctypes
import dataclasses
import json
import mmap
import os
import shutil
import subprocess
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
RUN_SECONDS_MAX = 3600
CHUNK = 1 << 20


class Failure(Exception):
    """A command that did not work, and its last words."""


@dataclasses.dataclass
class Sample:
    """What one run took: seconds, bytes, processors that others used, and
    for how long the disk was busy (None: it does not tell)."""
    wall: float
    cpu: float
    peak: int
    size: int
    others: float
    disk: typing.Optional[float]


def last_line(text):
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"


def run_plain(command, **options):
    """Run COMMAND, return its standard output."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, check=False,
                                timeout=RUN_SECONDS_MAX, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(str(error)) from error
    if result.returncode != 0:
        raise Failure(f"{os.path.basename(command[0])}: exit status "
                      f"{result.returncode}: {last_line(result.stderr)}")
    return result.stdout


class Helpers:
    """The C programs beside this file, compiled with what is there."""

    def __init__(self, folder):
        self.folder = folder
        self.compiler = os.environ.get("CC", "cc").split()
        self.missing = {}
        self.child = self.compile("bench-child")
        if self.child is None:
            raise Failure(f"a C compiler is needed: "
                          f"{self.missing['bench-child']}")
        self.limits = self.compile("bench-limits", packages={
            "libzstd": "HAVE_ZSTD", "liblz4": "HAVE_LZ4",
            "liblzma": "HAVE_LZMA"}, options=["-pthread"])
        self.disk = self.compile("bench-disk", libraries=["-laio"])
        self.threads = self.compile("bench-threads",
                                    options=["-shared", "-fPIC"])

    def compile(self, name, packages=None, options=(), libraries=()):
        """The path of the compiled program, or None."""
        output = os.path.join(self.folder, name)
        flags = list(libraries)
        for package, macro in (packages or {}).items():
            found = package_flags(package)
            if found is not None:
                flags += [f"-D{macro}", *found]
        try:
            run_plain([*self.compiler, "-std=gnu11", "-O2", "-D_GNU_SOURCE",
                       *options, "-o", output,
                       os.path.join(HERE, f"{name}.c"), *flags])
        except Failure as failure:
            self.missing[name] = str(failure)
            return None
        return output


def package_flags(package):
    """What pkg-config says of PACKAGE, or None."""
    try:
        return run_plain(["pkg-config", "--cflags", "--libs",
                          package]).decode().split()
    except Failure:
        return None


def data_ranges(fd):
    """The (offset, end) of everything in the file that is in no hole."""
    end = 0
    while True:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, end


def make_hot(path):
    """Read the file's data, so that the page cache holds it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        for start, end in data_ranges(fd):
            while start < end:
                start += len(os.pread(fd, min(CHUNK, end - start), start))
    finally:
        os.close(fd)


def cached_bytes(path):
    """How much of the file the page cache holds, holes left out."""
    library = ctypes.CDLL(None, use_errno=True)
    fd = os.open(path, os.O_RDWR)
    total = 0
    try:
        for start, end in data_ranges(fd):
            start -= start % mmap.PAGESIZE
            with mmap.mmap(fd, end - start, offset=start) as mapping:
                address = ctypes.addressof(ctypes.c_char.from_buffer(mapping))
                pages = (end - start + mmap.PAGESIZE - 1) // mmap.PAGESIZE
                states = (ctypes.c_ubyte * pages)()
                library.mincore(ctypes.c_void_p(address),
                                ctypes.c_size_t(end - start), states)
                total += sum(state & 1 for state in states)
    finally:
        os.close(fd)
    return total * mmap.PAGESIZE


def make_cold(path):
    """Drop the file from the page cache, with force where root has it."""
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)
    left = cached_bytes(path)
    if left > CHUNK and os.geteuid() == 0:
        with open("/proc/sys/vm/drop_caches", "w",
                  encoding="ascii") as control:
            control.write("1\n")


def busy_seconds():
    """Processor seconds spent by everything on this machine since boot."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / os.sysconf("SC_CLK_TCK")


def disk_seconds(path):
    """For how long the disk of PATH has had requests since boot, or None."""
    device = os.stat(path).st_dev
    name = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat"
    try:
        with open(name, encoding="ascii") as file:
            return int(file.read().split()[9]) / 1000
    except (OSError, IndexError, ValueError):
        return None


def allocated(path):
    return os.stat(path).st_blocks * 512


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def measure(helpers, command, output, environment=None):
    """Run COMMAND once, flush OUTPUT (or None), return a Sample."""
    report = os.path.join(helpers.folder, "result")
    remove(report)
    before, disk_before = busy_seconds(), disk_seconds(helpers.folder)
    run_plain([helpers.child, report, output or "-", *command],
              env=environment)
    busy, disk = busy_seconds() - before, disk_seconds(helpers.folder)
    if disk is not None and disk_before is not None:
        disk -= disk_before
    with open(report, encoding="ascii") as file:
        taken = json.load(file)
    others = max(0.0, busy - taken["cpu"]) / max(taken["wall"], 0.01)
    size = os.stat(output).st_size if output else 0
    return Sample(taken["wall"], taken["cpu"], taken["peak"], size, others,
                  disk)


def make_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def same_bytes(one, other):
    """Whether two files are equal, without reading holes of both."""
    with open(one, "rb") as first, open(other, "rb") as second:
        if os.fstat(first.fileno()).st_size != \
           os.fstat(second.fileno()).st_size:
            return False
        for file in (first, second):
            for start, end in data_ranges(file.fileno()):
                if not same_range(first, second, start, end):
                    return False
    return True


def same_range(first, second, start, end):
    while start < end:
        length = min(CHUNK, end - start)
        if os.pread(first.fileno(), length, start) != \
           os.pread(second.fileno(), length, start):
            return False
        start += length
    return True
