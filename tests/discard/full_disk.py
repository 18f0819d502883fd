#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# One case of file-systems.sh: save --discard where there is next to no room.
#
#   full_disk.py FILE-SYSTEM CASE FOLDER

import json
import mmap
import os
import random
import subprocess
import sys
import threading

from discard_case import IOPRESS, Lost, WorkFolder, exit_status, read, succeed

MIB = 1 << 20
BATCH = 8 * MIB
# What may be held twice: a batch, and the blocks of the writer; the rest is
# for metadata, and for what XFS allocates ahead of a file that is appended to.
BOUND = BATCH + 24 * MIB
FOR_FILE_SYSTEM = 8 * MIB


def free_bytes(folder):
    vfs = os.statvfs(folder)
    return vfs.f_bavail * vfs.f_frsize


def total_bytes(folder):
    vfs = os.statvfs(folder)
    return vfs.f_blocks * vfs.f_frsize


def make_bytes(rng, length, share):
    """A MiB at a time, of which about SHARE remains when compressed."""
    incompressible = int(4096 * share)
    while length > 0:
        piece = bytearray()
        while len(piece) < min(MIB, length):
            piece += rng.randbytes(incompressible)
            piece += b"x" * (4096 - incompressible)
        yield bytes(piece[:min(MIB, length)])
        length -= MIB


def write_small_extents(path, pieces):
    """Direct writes of 128 KiB, as QEMU does them: an extent each where the
    file system does not join them."""
    unit = 128 << 10
    with mmap.mmap(-1, MIB) as buffer:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o600)
        for piece in pieces:
            buffer[:len(piece)] = piece
            with memoryview(buffer) as view:
                for start in range(0, len(piece), unit):
                    os.write(fd, view[start:start + unit])
        os.fsync(fd)
        os.close(fd)


def write_large_extents(path, pieces):
    with open(path, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def fill_up(path):
    """Leave nothing free."""
    with open(path, "wb", buffering=0) as file:
        for size in (MIB, 4096):
            try:
                while file.write(b"\1" * size) == size:
                    pass
            except OSError:
                pass


class Watch(threading.Thread):
    """Samples what files and file system have in use."""

    def __init__(self, folder, paths):
        super().__init__(daemon=True)
        self.folder, self.paths = folder, paths
        self.ended = threading.Event()
        self.start_allocated, self.start_free = self.allocated(), None
        self.start_free = free_bytes(folder)
        self.peak_allocated = self.peak_used = 0
        self.start()

    def allocated(self):
        blocks = {}             # by inode: a file may be renamed in between
        for path in self.paths:
            try:
                status = os.stat(path)
                blocks[status.st_ino] = 512 * status.st_blocks
            except FileNotFoundError:
                pass
        return sum(blocks.values())

    def run(self):
        while not self.ended.is_set():
            self.peak_allocated = max(self.peak_allocated, self.allocated())
            self.peak_used = max(self.peak_used, self.start_free
                                 - free_bytes(self.folder))

    def end(self):
        self.ended.set()
        self.join()
        return self.peak_allocated - self.start_allocated, self.peak_used


class Full:
    """A file system with a source that nearly fills it."""

    def __init__(self, kind, folder, elsewhere):
        self.kind, self.folder, self.elsewhere = kind, folder, elsewhere
        self.rng = random.Random(7)
        self.source = os.path.join(folder, "source")
        self.output = os.path.join(folder, "image")
        self.part = self.output + ".part"
        self.filler = os.path.join(folder, "filler")
        self.expected = elsewhere.file("expected")
        self.exit_status = None
        self.bound = BOUND

    def fill(self, share, small_extents):
        """Write a source that leaves 5 % of the file system free."""
        kept = total_bytes(self.folder) // 20
        length = (free_bytes(self.folder) - kept) // 4096 * 4096
        write = write_small_extents if small_extents else write_large_extents
        write(self.source, make_bytes(self.rng, length, share))
        self.keep_expected()

    def keep_expected(self):
        subprocess.run(["cp", self.source, self.expected], check=True)
        os.sync()

    def save(self, *options):
        """Run and measure.  Returns exit status, message, peaks."""
        watch = Watch(self.folder, [self.source, self.part, self.output])
        done = subprocess.run(
            [IOPRESS, "save", "-T", "2", "--discard-batch", str(BATCH),
             *options, self.source, self.output],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        peaks = watch.end()
        self.exit_status = done.returncode
        message = done.stderr.decode().strip()
        print(f"{self.kind}: exit status {done.returncode}, at most "
              f"{peaks[0] / MIB:.1f} MiB more allocated, "
              f"{peaks[1] / MIB:.1f} MiB less free than before; {message}")
        if peaks[0] > self.bound:
            raise Lost(f"{peaks[0] / MIB:.1f} MiB more were allocated than "
                       f"before, more than {self.bound / MIB:.0f} MiB")
        return done.returncode, message

    def discard(self):
        return self.save("--discard")

    def check_prediction(self):
        """--estimate tells how much room is needed at most, but for what the
        file system takes for itself."""
        done = succeed("save", "--estimate", "--json", "--discard", "-T", "2",
                       "--discard-batch", str(BATCH), self.source,
                       self.output)
        predicted = json.loads(done)["peak_extra_size"]
        if not BATCH <= predicted <= BOUND:
            raise Lost(f"{predicted / MIB:.1f} MiB are predicted to be "
                       "needed")
        self.bound = min(self.bound, predicted + FOR_FILE_SYSTEM)

    def check_whole(self):
        if read(self.source) != read(self.expected):
            raise Lost("exit status 1, and the source is not whole")
        if os.path.exists(self.part) or os.path.exists(self.output):
            raise Lost("exit status 1, and an image is left")

    def check_stopped(self, status, message):
        if status == 1:
            self.check_whole()
        elif status != 4:
            raise Lost(f"exit status {status} where there is no room")
        elif f"iopress save --resume {self.source}" not in message:
            raise Lost("exit status 4 does not say how to go on")
        if "No space left" not in message:
            raise Lost("the message does not say why")

    def check_done(self):
        restored = self.elsewhere.file("restored")
        succeed("restore", "--force", self.output, restored)
        if read(restored) != read(self.expected):
            raise Lost("what is restored is not what was saved")
        if os.stat(self.source).st_blocks != 0:
            raise Lost("blocks of the source are left")

    def move_away(self):
        """Take source and image to where there is room."""
        for name in ("source", "output", "part"):
            old = getattr(self, name)
            setattr(self, name, self.elsewhere.file(os.path.basename(old)))
            if os.path.exists(old):
                subprocess.run(["cp", "--sparse=always", old,
                                getattr(self, name)], check=True)

    def go_on(self, status):
        """There is room now."""
        if status == 4:
            status, _ = self.save("--resume")
        else:
            status, _ = self.discard()
        if status != 0:
            raise Lost(f"exit status {status} although there is room")
        self.check_done()


def shrink(full, small_extents):
    """Both copies do not fit, but the source makes room as it goes."""
    full.fill(0.5, small_extents)
    full.check_prediction()
    status, message = full.discard()
    # Where a punch frees nothing until all of an extent has gone, a source
    # of few large extents cannot make room.
    if status != 0 and full.kind == "btrfs" and not small_extents:
        full.check_stopped(status, message)
        full.move_away()
        status, message = full.save("--resume")
    if status != 0:
        raise Lost(f"exit status {status}: {message}")
    full.check_done()


def stuck(full):
    """The image does not fit where it is written; the source, elsewhere,
    shrinks in vain."""
    full.source = full.elsewhere.file("source")
    half = int(free_bytes(full.folder) * 0.5)
    write_large_extents(full.filler, make_bytes(full.rng, half, 1))
    full.rng = random.Random(8)
    write_large_extents(full.source,
                        make_bytes(full.rng, int(half * 1.3), 1))
    full.keep_expected()
    status, message = full.discard()
    if status != 4:
        raise Lost(f"exit status {status} instead of 4: {message}")
    full.check_stopped(status, message)
    before = os.stat(full.source).st_blocks * 512
    if before > half:
        raise Lost("no space of the source has been freed")
    # In vain once more, and nothing gets worse by it.
    status, message = full.save("--resume")
    if status != 4:
        raise Lost(f"exit status {status} of --resume without room")
    os.unlink(full.filler)
    full.go_on(4)


def stuck_at_once(full):
    """There is no room for the first step."""
    full.fill(1, small_extents=True)
    fill_up(full.filler)
    os.sync()
    status, message = full.discard()
    full.check_stopped(status, message)
    os.unlink(full.filler)
    os.sync()
    full.go_on(status)


CASES = {"shrink": lambda full: shrink(full, False),
         "shrink-small-extents": lambda full: shrink(full, True),
         "stuck": stuck,
         "stuck-at-once": stuck_at_once}


def main():
    kind, case, folder = sys.argv[1:]
    with WorkFolder() as elsewhere:
        return exit_status(f"{kind}, {case}", CASES[case],
                           Full(kind, folder, elsewhere))


if __name__ == "__main__":
    sys.exit(main())
