# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs what contrib/bench measures, round by round, every tool of every group
# in turn, and keeps what came out.

import json
import os
import statistics
import sys

import bench_run
import bench_tools
from bench_data import EXTREMES, MIB, PAGE, make
from bench_run import Failure

GROUPS = ("save-hot", "save-slow", "save-cold", "discard", "restore-hot",
          "restore-cold", "scaling", "serial", "auto", "estimate", "limits",
          "extremes", "mount")
LIMIT_CODECS = (("zstd", 1), ("zstd", 3), ("lz4", 1))
LIMIT_MIB = 512            # of windows held in memory
SLOW_BYTES_MAX = 512 * MIB
PAGE_RUNS = 5
ROLES = {"0": "main thread (order, writer)", "reader_main": "reader",
         "worker_main": "worker"}


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Results:
    """samples[group][tool]: one Sample a round.  Figures of other kinds are
    in limits[name], threads[role], shares[name] (of the time that -c auto
    took), estimates (what --estimate says) and mounted[name] (of a mount), a
    list of one value a round each, or more."""

    def __init__(self):
        self.samples = {}
        self.limits = {}
        self.threads = {}
        self.shares = {}
        self.estimates = []
        self.mounted = {}
        self.notes = []
        self.errors = []

    def note(self, text):
        if text not in self.notes:
            say(text)
            self.notes.append(text)

    def add(self, group, tool, sample):
        self.samples.setdefault(group, {}).setdefault(tool, []).append(sample)

    def median(self, group, tool, field):
        return statistics.median(
            getattr(sample, field) for sample in self.samples[group][tool])

    def limit(self, name):
        return statistics.median(self.limits[name])

    def share(self, name):
        return statistics.median(self.shares[name])

    def thread(self, role):
        return statistics.median(self.threads[role])

    def others(self):
        """Processors that other programs kept busy meanwhile, median."""
        values = [sample.others for tools in self.samples.values()
                  for samples in tools.values() for sample in samples]
        return statistics.median(values) if values else 0.0


class Suite:
    def __init__(self, options, helpers, iopress, source):
        self.options = options
        self.helpers = helpers
        self.iopress = iopress
        self.source = source
        self.work = helpers.folder
        self.output = os.path.join(self.work, "output")
        self.results = Results()
        self.broken = set()
        self.images = []
        self.mount = None

    def path(self, name):
        return os.path.join(self.work, name)

    def wanted(self, group):
        return not self.options.only or group in self.options.only

    def run(self):
        self.prepare()
        for number in range(self.options.rounds):
            say(f"round {number + 1} of {self.options.rounds}")
            for group in filter(self.wanted, GROUPS):
                method = "round_" + group.replace("-", "_")
                getattr(self, method)()
        return self.results

    # Preparations.

    def prepare(self):
        for name, why in self.helpers.missing.items():
            self.results.note(f"{name} cannot be compiled: {why}")
        if self.wanted("restore-hot") or self.wanted("restore-cold"):
            self.prepare_restore()
        if self.wanted("extremes"):
            for name, _, maker, full, quick in EXTREMES:
                size = quick if self.options.quick else full
                say(f"making the data set {name}")
                make(self.path(f"data-{name}"), maker, size * MIB)
        if self.wanted("serial"):
            with open(self.path("page"), "wb") as file:
                file.write(b"x" * PAGE)
        if self.wanted("mount"):
            self.prepare_mount()

    def prepare_mount(self):
        # It needs what tests/ has, and a machine of its own.
        import bench_mount
        group = bench_mount.MountGroup(self)
        try:
            group.prepare()
            self.mount = group
        except bench_mount.REASONS as why:
            self.results.note(f"left out: iopress mount: {why}")

    def prepare_restore(self):
        """The images to unpack, and whether iopress gives back the source."""
        for number, (packer, unpacker) in enumerate(
                bench_tools.restores(self.iopress)):
            image = self.path(f"image{number}")
            try:
                self.require(packer)
                bench_run.measure(self.helpers,
                                  packer.words(self.source, image), image)
            except Failure as failure:
                self.give_up(packer, failure)
                continue
            self.images.append((unpacker, image))
            if unpacker.ours:
                self.check_restored(unpacker, image)

    def check_restored(self, unpacker, image):
        bench_run.remove(self.output)
        bench_run.run_plain(unpacker.words(image, self.output))
        if bench_run.same_bytes(self.source, self.output):
            return
        if self.is_mapped_ram(image):
            self.results.note(f"{unpacker.name}: what is restored differs "
                              "from the source, a mapped-ram file: as it "
                              "must where a live save left stale pages")
        else:
            self.results.errors.append(f"{unpacker.name}: what is restored "
                                       "differs from the source")

    def is_mapped_ram(self, image):
        text = bench_run.run_plain([self.iopress.program, "info", "--json",
                                    image])
        return b"mapped-ram" in text

    # One tool, once.

    def require(self, tool):
        why = tool.missing()
        if why:
            raise Failure(why)

    def give_up(self, tool, failure):
        self.broken.add(tool.name)
        self.results.note(f"left out: {tool.name}: {failure}")
        if tool.ours:
            self.results.errors.append(f"{tool.name}: {failure}")

    def take(self, group, tool, source, prepare):
        """Measure one tool, unless it does not work here: then, False."""
        if tool.name in self.broken:
            return False
        try:
            self.require(tool)
            bench_run.remove(self.output)
            prepare(source)
            sample = bench_run.measure(
                self.helpers, tool.words(source, self.output), self.output)
        except Failure as failure:
            self.give_up(tool, failure)
            return False
        self.results.add(group, tool.name, sample)
        bench_run.remove(self.output)
        return True

    def take_all(self, group, tools, source, prepare=bench_run.make_hot):
        for tool in tools:
            self.take(group, tool, source, prepare)

    # One round of each group.

    def round_save_hot(self):
        self.take_all("save-hot", bench_tools.save_hot(self.iopress),
                      self.source)

    def round_save_slow(self):
        if bench_run.allocated(self.source) > SLOW_BYTES_MAX:
            self.results.note("xz and qemu-img convert -c are left out: "
                              "the data is too large for them")
            return
        self.take_all("save-slow", bench_tools.save_slow(self.iopress),
                      self.source)

    def round_save_cold(self):
        self.take_all("save-cold", bench_tools.save_cold(self.iopress),
                      self.source, bench_run.make_cold)

    def round_discard(self):
        for tool in bench_tools.discard(self.iopress):
            copy = self.path("copy")
            bench_run.run_plain(["cp", "--sparse=auto", "--reflink=never",
                                 self.source, copy])
            bench_run.make_cold(copy)
            self.take("discard", tool, copy, bench_run.make_hot)
            bench_run.remove(copy)

    def round_restore_hot(self):
        for tool, image in self.images:
            self.take("restore-hot", tool, image, bench_run.make_hot)

    def round_restore_cold(self):
        for tool, image in self.images:
            self.take("restore-cold", tool, image, bench_run.make_cold)

    def round_scaling(self):
        self.take_all("scaling", bench_tools.scaling(self.iopress),
                      self.source)

    def round_extremes(self):
        for name, _, _, _, _ in EXTREMES:
            tools = bench_tools.extremes_of_a_terabyte if name == "1TiB" \
                else bench_tools.extremes
            self.take_all(f"extreme {name}", tools(self.iopress),
                          self.path(f"data-{name}"))

    # How busy -c auto keeps the disk and the processors.

    def round_auto(self):
        before = bench_run.disk_seconds(self.work)
        self.take("auto", self.iopress.save("auto"), self.source,
                  bench_run.make_cold)
        samples = self.results.samples.get("auto", {}).get("iopress auto")
        if not samples or samples[-1].disk is None:
            return
        sample = samples[-1]
        shares = {
            "disk": sample.disk / sample.wall,
            "processors": min(1.0, (sample.cpu / sample.wall + sample.others) /
                              self.iopress.threads)}
        shares["busier of the two"] = max(shares.values())
        for name, share in shares.items():
            self.results.shares.setdefault(name, []).append(share)

    def round_estimate(self):
        """What is foretold, and what comes: both from a cold source, as a
        save's often is."""
        tool = self.iopress.save("zstd:1")
        bench_run.make_cold(self.source)
        found = self.helper_json(*self.iopress.command(
            "save", "--estimate", "--json", "-c", "zstd:1", self.source))
        if not found:
            return
        if self.take("estimate", tool, self.source, bench_run.make_cold):
            self.results.estimates.append(found)

    def round_mount(self):
        if self.mount is not None:
            self.mount.round()

    # The limits of the machine.

    def round_limits(self):
        results = self.results.limits
        for codec, level in LIMIT_CODECS:
            for threads in (1, self.iopress.threads):
                found = self.helper_json(
                    self.helpers.limits, self.source, codec, str(level),
                    str(threads), str(LIMIT_MIB))
                for key, value in found.items():
                    name = f"{codec}:{level} -T{threads} {key}"
                    results.setdefault(name, []).append(value)
        size = 128 if self.options.quick else 1024
        found = self.helper_json(self.helpers.disk, self.path("disk"),
                                 str(size))
        for key, value in found.items():
            results.setdefault(f"disk {key}", []).append(value)

    def helper_json(self, program, *arguments):
        if program is None:
            return {}
        try:
            return json.loads(bench_run.run_plain([program, *arguments]))
        except Failure as failure:
            self.results.note(f"not measured: {failure}")
            return {}

    # The CPU time of each thread.

    def round_serial(self):
        """Without what a file of one page costs: starting, buffers.  That is
        little but varies, so it is the least of some runs."""
        if self.helpers.threads is None:
            return
        try:
            pages = [self.thread_times(self.path("page"))
                     for _ in range(PAGE_RUNS)]
            times = self.thread_times(self.source)
        except Failure as failure:
            self.results.note(f"threads not measured: {failure}")
            return
        for role, seconds in times.items():
            self.results.threads.setdefault(role, []).append(
                seconds - min(page.get(role, 0.0) for page in pages))

    def thread_times(self, source):
        """CPU seconds by role, of all threads with that role."""
        report = self.path("threads")
        bench_run.remove(report)
        bench_run.remove(self.output)
        bench_run.make_hot(source)
        bench_run.run_plain(
            ["env", f"LD_PRELOAD={self.helpers.threads}",
             f"BENCH_THREADS={report}", *self.iopress.save("zstd:1").words(
                 source, self.output)])
        names = self.functions()
        times = {}
        with open(report, encoding="ascii") as file:
            for line in file:
                offset, seconds = line.split()
                name = names.get(int(offset, 16), "") if offset != "0" else "0"
                role = ROLES.get(name, name or f"function at {offset}")
                times[role] = times.get(role, 0.0) + float(seconds)
        return times

    def functions(self):
        text = bench_run.run_plain(["nm", self.iopress.program]).decode()
        lines = (line.split() for line in text.splitlines())
        return {int(words[0], 16): words[2] for words in lines
                if len(words) == 3}
