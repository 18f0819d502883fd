# SPDX-License-Identifier: LGPL-2.1-or-later
# For contrib/bench: a QEMU that has the data as a guest's memory, and iopress
# mount.  The guest never runs, so every save has the same bytes.

import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "qemu"))

import harness

import bench_run

MIB = 1 << 20
PREFIX = 67981             # where QEMU's stream began in a save of libvirt's
FDSET = 1
BANDWIDTH = 1 << 50        # bytes a second; QEMU's own limit is 128 MiB
STATUS = "user.iopress.status"
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.01


def seconds_of(process):
    """Processor seconds that PROCESS, which runs, has taken."""
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Machine(harness.Guest):
    """A QEMU with SOURCE as its memory, or one that waits for a save."""

    # pylint: disable=super-init-not-called
    POLL_SECONDS = 0.002

    def __init__(self, folder, size, source=None):
        self.directory = tempfile.mkdtemp(prefix="machine-", dir=folder)
        self.log_path = self.path("log")
        self.direct_io = False
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self.words(size, source), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=harness.end_with_parent)
        try:
            self.qmp = harness.Qmp(harness.connect(self.path("qmp"),
                                                   self.process))
        except (harness.Failure, OSError):
            self.show_log()
            self.kill()
            raise

    def words(self, size, source):
        memory = f"memory-backend-ram,id=ram,size={size}" if source is None \
            else (f"memory-backend-file,id=ram,size={size},mem-path={source},"
                  "share=off,prealloc=on")
        incoming = ["-incoming", "defer"] if source is None else []
        return [harness.QEMU, "-nodefaults", "-no-user-config", "-display",
                "none", "-accel", "tcg", "-S", "-object", memory, "-machine",
                "pc,memory-backend=ram", "-m", f"size={size}b", "-chardev",
                f"socket,id=qmp,path={self.path('qmp')},server=on,wait=off",
                "-mon", "chardev=qmp,mode=control", *incoming]

    def save(self, path, way):
        """As libvirt has it saved, and then flushed."""
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.pwrite(fd, header(b"Part") + b"<domain/>" + bytes(PREFIX - 101), 0)
        self.qmp.add_descriptor(FDSET, fd)
        os.close(fd)
        if way.get("direct_io"):
            fd = os.open(path, os.O_WRONLY | os.O_DIRECT)
            self.qmp.add_descriptor(FDSET, fd)
            os.close(fd)
        self.start_save(f"/dev/fdset/{FDSET}", offset=PREFIX, **way,
                        **{"max-bandwidth": BANDWIDTH})
        self.wait_migration()
        self.qmp.execute("remove-fd", **{"fdset-id": FDSET})
        fd = os.open(path, os.O_WRONLY)
        os.pwrite(fd, header(b"Save"), 0)
        os.fsync(fd)
        os.close(fd)

    def load(self, path, way):
        self.set_migration(**way)
        self.qmp.execute("migrate-incoming",
                         uri=f"file:{path},offset={PREFIX}")
        self.wait_migration()


def header(word):
    """libvirt's."""
    return b"LibvirtQemud" + word + \
        struct.pack("=5I", 2, PREFIX - 92, 1, 6, 0) + bytes(56)


class Mount:
    """iopress mount; use it in a with statement.  peak is the most memory it
    has had, when it has ended."""

    def __init__(self, iopress, store, folder, *options):
        self.store, self.folder = store, folder
        self.command = iopress.command("mount", "-f", "--store", store,
                                       *options, folder)
        self.process = None
        self.peak = 0

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            preexec_fn=harness.end_with_parent)
        while not os.path.ismount(self.folder):
            if self.process.poll() is not None:
                raise bench_run.Failure("iopress mount does not work here")
            time.sleep(LOOK_SECONDS)
        return self

    def __exit__(self, *_):
        with open(f"/proc/{self.process.pid}/status",
                  encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    self.peak = int(line.split()[1]) << 10
        bench_run.run_plain(["umount", self.folder])
        if self.process.wait() != 0:
            raise bench_run.Failure("iopress mount ended with an error")

    def status(self):
        return json.loads(os.getxattr(self.folder, STATUS))

    def is_idle(self):
        status = self.status()
        return status["packing"] is None and not status["to_pack"] and \
            status["store_looked_at"]

    def wait_until_packed(self):
        """A release comes later than close returns."""
        quiet = 0
        while quiet < 3:
            time.sleep(0.2)
            quiet = quiet + 1 if self.is_idle() else 0

    def blocks(self):
        """What all files of the store take on the disk, those without a name
        too."""
        device = os.stat(self.store).st_dev
        folder = f"/proc/{self.process.pid}/fd"
        paths = [os.path.join(folder, name) for name in os.listdir(folder)]
        paths += [entry.path for entry in os.scandir(self.store)]
        found = {}
        for path in paths:
            try:
                now = os.stat(path)
            except FileNotFoundError:
                continue
            if now.st_dev == device and os.path.isfile(path):
                found[now.st_ino] = now.st_blocks * 512
        return sum(found.values())


class Room(threading.Thread):
    """Looks at how much room a mount's files take; use it in a with statement.
    most is the most that was seen."""

    def __init__(self, mount):
        super().__init__(daemon=True)
        self.mount = mount
        self.most = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(LOOK_SECONDS):
            self.most = max(self.most, self.mount.blocks())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()
