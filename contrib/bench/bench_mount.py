# SPDX-License-Identifier: LGPL-2.1-or-later
# What contrib/bench measures of iopress mount: a real QEMU saves to it and
# loads from it, and so does libvirt.

import json
import os
import subprocess
import sys
import time

import bench_run
from bench_machine import HERE, MIB, Machine, Mount, Room, seconds_of
from bench_run import Failure, Sample

sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "libvirt"))

import harness
import namespaces

REASONS = (Failure, harness.Failure, harness.Skip, OSError)
SAVE, LOAD, VIRSH = "mount-save", "mount-load", "mount-virsh"
ONE, TWO = "1 channel", "2 direct"
WAYS = {ONE: {"multifd_channels": 1},
        TWO: {"multifd_channels": 2, "direct_io": True}}
PLAIN, SAVED_LATER = "plain file", "plain file, iopress save"
LATER, NOW = "mount", "mount pack=now"
RESTORED = "iopress restore, plain file"
COPIED = "large writes, no codec"


class MountGroup:
    """The rounds of the group "mount".  mounted[name] of the results has a
    value a round."""

    def __init__(self, suite):
        self.suite = suite
        self.iopress = suite.iopress
        self.results = suite.results
        self.source = suite.source
        self.size = os.stat(self.source).st_size // MIB * MIB
        self.folder, self.store = (bench_run.make_folder(suite.path(name))
                                   for name in ("mnt", "store"))
        self.plain = suite.path("plain")
        self.image = suite.path("mounted-image")
        self.virsh_fails = False

    def path(self):
        return os.path.join(self.folder, "guest")

    def note(self, name, value):
        self.results.mounted.setdefault(name, []).append(value)

    def mount(self, *options):
        return Mount(self.iopress, self.store, self.folder, *options)

    def machine(self, *source):
        return Machine(self.suite.work, self.size, *source)

    def prepare(self):
        """A save, plain and as the mount leaves it in the end."""
        if harness.qemu_version() < 10:
            raise Failure("QEMU 10 is not installed")
        namespaces.unshare(namespaces.CLONE_NEWNS)
        namespaces.make_mounts_private(self.suite.work, os.getppid())
        with self.mount() as mount:
            self.save(SAVE, None, ONE, self.path(), mount)
            mount.wait_until_packed()
        self.note_memory(mount)
        with self.machine(self.source) as machine:
            machine.save(self.plain, WAYS[ONE])
        os.rename(os.path.join(self.store, "guest"), self.image)

    def note_memory(self, mount):
        self.note("memory", mount.peak)

    def take(self, group, name, function, *processes):
        """Measure FUNCTION, which lets PROCESSES work, unless NAME is None."""
        os.sync()
        busy = bench_run.busy_seconds()
        before = [seconds_of(process) for process in processes]
        begin = time.monotonic()
        function()
        wall = time.monotonic() - begin
        cpu = sum(map(seconds_of, processes)) - sum(before)
        others = bench_run.busy_seconds() - busy - cpu
        if name is not None:
            self.results.add(group, name, Sample(
                wall, cpu, 0, 0, max(0.0, others / wall), None))
        return wall

    def save(self, group, name, way, path, *mounts):
        with self.machine(self.source) as machine:
            return self.take(
                group, name, lambda: machine.save(path, WAYS[way]),
                machine.process.pid, *(mount.process.pid for mount in mounts))

    def round(self):
        for way in WAYS:
            self.round_save(way)
            self.round_load(way)
        self.round_transport()
        self.round_virsh()

    def round_save(self, way):
        plain = self.suite.output
        wall = self.save(SAVE, f"{PLAIN}, {way}", way, plain)
        self.save_packed(way, plain, wall)
        bench_run.remove(plain)
        for name, options in ((LATER, ()), (NOW, ("-o", "pack=now"))):
            with self.mount(*options) as mount, Room(mount) as room:
                self.save(SAVE, f"{name}, {way}", way, self.path(), mount)
                if name == NOW:
                    mount.wait_until_packed()
            sample = self.results.samples[SAVE][f"{name}, {way}"][-1]
            sample.size = self.size_of_image(name, room)
            sample.peak = mount.peak
            self.note_memory(mount)

    def size_of_image(self, name, room):
        """Of that which has just been written, which then goes."""
        image = os.path.join(self.store, "guest")
        size = os.stat(image).st_size
        if name == NOW:
            self.note("room", room.most - size)
            self.note("room allowed", 0.02 * size + 64 * MIB)
        bench_run.remove(image)
        return size

    def save_packed(self, way, plain, wall):
        """iopress save after the save, as a user would have it."""
        image = self.suite.path("packed")
        sample = bench_run.measure(
            self.suite.helpers,
            self.iopress.save("zstd:1").words(plain, image), image)
        self.note("size", os.stat(self.image).st_size / sample.size)
        sample.wall += wall
        self.results.add(SAVE, f"{SAVED_LATER}, {way}", sample)
        bench_run.remove(image)

    def load(self, name, way, path, *mounts, begin=lambda: None):
        """BEGIN is part of what is measured."""
        with self.machine() as machine:
            def load():
                begin()
                machine.load(path, WAYS[way])
            self.take(LOAD, f"{name}, {way}", load, machine.process.pid,
                      *(mount.process.pid for mount in mounts))

    def round_load(self, way):
        bench_run.make_cold(self.plain)
        self.load(PLAIN, way, self.plain)
        shown = os.path.join(self.store, "guest")
        os.rename(self.image, shown)
        try:
            bench_run.make_cold(shown)
            with self.mount() as mount:
                self.load(LATER, way, self.path(), mount)
            self.note_memory(mount)
        finally:
            os.rename(shown, self.image)
        self.load_restored(way)

    def load_restored(self, way):
        output = self.suite.output
        words = self.iopress.restore("").words(self.image, output)
        bench_run.make_cold(self.image)
        self.load(RESTORED, way, output,
                  begin=lambda: bench_run.run_plain(words))
        bench_run.remove(output)

    def round_transport(self):
        """What the way through the kernel and the mount costs by itself."""
        bench_run.make_hot(self.source)
        with self.mount("-c", "stored") as mount:
            before = seconds_of(mount.process.pid)
            bench_run.run_plain(["dd", f"if={self.source}",
                                 f"of={self.path()}", "bs=1M",
                                 "conv=sparse,fsync"])
            seconds = seconds_of(mount.process.pid) - before
        self.note_memory(mount)
        image = os.path.join(self.store, "guest")
        self.note("transport", seconds / bench_run.allocated(image) * 1e9)
        bench_run.remove(image)

    def round_virsh(self):
        """libvirt, in namespaces of its own."""
        if self.virsh_fails:
            return
        report = self.suite.path("virsh.json")
        bench_run.remove(report)
        result = subprocess.run(
            [sys.executable, os.path.join(HERE, "bench_virsh.py"),
             self.source, str(self.size // MIB), report],
            env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
            timeout=bench_run.RUN_SECONDS_MAX)
        if result.returncode != 0:
            self.virsh_fails = True
            self.results.note("libvirt is left out: " +
                              bench_run.last_line(result.stderr))
            return
        with open(report, encoding="ascii") as file:
            for name, wall in json.load(file).items():
                self.results.add(VIRSH, name,
                                 Sample(wall, 0.0, 0, 0, 0.0, None))

    def environment(self):
        environment = dict(os.environ, IOPRESS=self.iopress.program,
                           IOPRESS_THREADS=str(self.iopress.threads),
                           TMPDIR=self.suite.work)
        if self.iopress.plugins:
            environment["IOPRESS_PLUGIN_DIR"] = self.iopress.plugins
        return environment
