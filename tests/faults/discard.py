# SPDX-License-Identifier: LGPL-2.1-or-later
# Sources, runs of the program and the checks of what they leave, for the
# tests that break "save --discard" and mend it with "--resume".

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

PAGE = 4096
CHUNK = 65536
IMAGE_ID = "00112233445566778899aabbccddeeff"
TIMEOUT = 180                   # seconds; most runs take a tenth of one

BUILD = os.environ["abs_top_builddir"]
TESTS = os.path.join(os.environ["abs_top_srcdir"], "tests")
PROGRAM = os.path.join(BUILD, "iopress")
PLUGINS = os.path.join(BUILD, "plugins", ".libs")

# A sanitizer's report must not look like a documented exit status, and the
# preloaded module comes before its runtime.
ENVIRONMENT = {
    "LC_ALL": "C",
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "ASAN_OPTIONS": "exitcode=99:verify_asan_link_order=0:detect_leaks=0",
    "UBSAN_OPTIONS": "exitcode=99:print_stacktrace=1",
}


def skip(why):
    print(f"SKIP: {why}", file=sys.stderr)
    sys.exit(77)


def module(folder, name):
    """The path of a module to preload."""
    path = os.path.join(BUILD, "tests", folder, ".libs", name + ".so")
    if not os.path.exists(path):
        skip(f"{path} is not built")
    return path


def iopress(verb, *arguments, preload=None, variables=None, **options):
    """Run it.  Returns exit status and standard error.  What is preloaded makes
    system calls of its own, in the workers, too."""
    environment = dict(ENVIRONMENT, **(variables or {}))
    if preload:
        environment["LD_PRELOAD"] = preload
        arguments = ("--sandbox=off", *arguments)
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.DEVNULL)
    try:
        done = subprocess.run([PROGRAM, verb, "--plugin-dir", PLUGINS,
                               "--progress=none", *arguments],
                              env=environment, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False, **options)
    except subprocess.TimeoutExpired:
        return "hang", ""
    return done.returncode, done.stderr.decode(errors="replace")


def write_file(path, data, dense=False):
    """Write a file whose zero pages are holes, unless it shall be DENSE."""
    with open(path, "wb") as file:
        if dense:
            file.write(data)
            return
        for offset in range(0, len(data), PAGE):
            page = data[offset:offset + PAGE]
            if page.count(0) != len(page):
                file.seek(offset)
                file.write(page)
        file.truncate(len(data))


def read(path):
    """The bytes of a file; None when it is not there."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def put_files(folder, files, dense=False):
    """Make a folder that holds these files and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name, data in files.items():
        write_file(os.path.join(folder, name), data, dense)


def take_files(folder, others=("image", "image.part")):
    """What put_files takes: the source and what has become of the image."""
    files = {name: read(os.path.join(folder, name))
             for name in ("source", *filter(None, others))}
    return {name: data for name, data in files.items() if data is not None}


def digest(data):
    """The quickest that is no checksum: a third of the time of a replay."""
    return hashlib.sha1(data).digest()


class Source:
    """What is packed, what must come back, and how it is packed."""

    def __init__(self, name, data, expected, *options):
        self.name = name
        self.data = data
        self.expected = expected
        self.options = ["--chunk-size", "64K", "--image-id", IMAGE_ID,
                        *options]
        self.good = set()       # digests of images that restore right
        self.mapped = False     # whether it is known to begin like QEMU's

    def pack(self, folder):
        """Make a folder with the file "source", and "image" next to it."""
        put_files(folder, {"source": self.data})
        status, text = iopress("save", *self.options, f"{folder}/source",
                               f"{folder}/image")
        if status != 0:
            raise SystemExit(f"FAIL: {self.name} cannot be packed: {text}")

    def restores(self, image, folder):
        """Whether the image file restores to what is expected."""
        key = digest(read(image))
        if key in self.good:
            return True
        output = os.path.join(folder, "restored")
        status, _ = iopress("restore", "--force", image, output)
        if status == 0 and read(output) == self.expected:
            self.good.add(key)
        return key in self.good


def is_whole_but_marked(data, expected):
    """Whether an expanded file lacks nothing, and has only the last marker of
    expand behind its end."""
    end = (len(expected) + 511) // 512 * 512
    return data[:len(expected)] == expected and len(data) == end + 64 and \
        data[end:end + 8] == b"IOPRUNPK"


def mixed_pages(seed, windows, compressible, cut):
    """Windows of text, noise, zeros and holes; the last lacks CUT bytes."""
    choose = random.Random(seed)
    line = b"the quick brown fox jumps over the lazy dog "
    data = bytearray()
    for window in range(windows):
        for _ in range(CHUNK // PAGE):
            kind = choose.random()
            if data and (window % 7 == 5 or kind < 0.5):
                page = bytes(PAGE)
            elif not data or kind < compressible:
                text = b"%d " % choose.randrange(10 ** 9) + line
                page = (text * (PAGE // len(text) + 1))[:PAGE]
            else:
                page = choose.randbytes(PAGE)
            data += page
    return bytes(data[:len(data) - cut])


def large_digits():
    """What is slow to unpack, and so large that it is flushed meanwhile; and
    what comes back of it."""
    data = random.Random(4).randbytes(14 << 20).hex().encode()
    return data, data


def mapped_ram(folder, *options):
    """A mapped-ram file and what comes back of it."""
    path, expected = (os.path.join(folder, name) for name in ("m", "e"))
    subprocess.run([sys.executable, f"{TESTS}/lib/make_mapped_ram.py",
                    *options, "--expected", expected, path], check=True)
    return read(path), read(expected)


def libvirt_save(folder, *options):
    """The same as a file of virsh save, with old bytes in unused pages."""
    return mapped_ram(folder, "--libvirt", "save", "--align", "64K",
                      "--stale", "0.2", "--device-bytes", "3000", *options)


def scratch(prefix):
    """A folder of this run, removed by the caller: in memory where that takes
    direct I/O, else in the build tree."""
    for place in ("/dev/shm", os.path.join(BUILD, "tests")):
        try:
            with tempfile.NamedTemporaryFile(prefix=prefix,
                                             dir=place) as file:
                os.close(os.open(file.name, os.O_RDWR | os.O_DIRECT))
            break
        except OSError:
            continue
    return tempfile.mkdtemp(prefix=prefix, dir=place)


def jobs():
    """How many runs at a time: they mostly wait for the kernel."""
    return 8 * len(os.sched_getaffinity(0))
