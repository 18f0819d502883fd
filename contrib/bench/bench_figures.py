# SPDX-License-Identifier: LGPL-2.1-or-later
# The figures that contrib/bench holds against their targets.

import dataclasses
import statistics
import typing

GIB = 1 << 30
MIB = 1 << 20


@dataclasses.dataclass
class Figure:
    """One measured value, its bound, and whether it keeps it."""
    name: str
    bound: float
    value: typing.Optional[float]
    low: typing.Optional[float] = None
    high: typing.Optional[float] = None
    at_least: bool = False
    unit: str = ""

    def holds(self):
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least \
            else self.value <= self.bound

    def use(self):
        """The value as a share of what the bound permits: 1 is just held."""
        if self.at_least:
            return self.bound / self.value
        return self.value / self.bound if self.bound else 0.0


class Figures:
    def __init__(self, results, threads, data_bytes):
        self.results = results
        self.threads = threads
        self.data_bytes = data_bytes
        self.list = []
        self.ratios()
        self.sizes()
        self.processors()
        self.mounted()

    def ratio(self, name, bound, field, ours, theirs):
        """OURS and THEIRS are (group, tool); medians against each other."""
        figure = Figure(name, bound, None)
        self.list.append(figure)
        try:
            pairs = [getattr(one, field) / getattr(other, field)
                     for one, other in zip(self.samples(ours),
                                           self.samples(theirs))]
            figure.value = self.results.median(*ours, field) / \
                self.results.median(*theirs, field)
            figure.low, figure.high = min(pairs), max(pairs)
        except (KeyError, ValueError, ZeroDivisionError):
            pass

    def samples(self, key):
        group, tool = key
        return self.results.samples[group][tool]

    def ratios(self):
        count = self.threads
        hot, cold = "save-hot", "save-cold"
        zstd1, zstd3 = (hot, "iopress zstd:1"), (hot, "iopress zstd:3")
        lz4 = (hot, "iopress lz4:1")
        peer = f"zstd -1 -T{count}"
        for name, bound, field, ours, theirs in (
                (f"save zstd:1 hot, wall, against pzstd -1 -p{count}", 0.65,
                 "wall", zstd1, (hot, f"pzstd -1 -p{count}")),
                (f"save zstd:1 hot, wall, against {peer}", 0.52,
                 "wall", zstd1, (hot, peer)),
                (f"save zstd:1, CPU seconds, against {peer}", 0.72,
                 "cpu", zstd1, (hot, peer)),
                ("save zstd:3 hot, wall, against libvirt's chain", 0.58,
                 "wall", zstd3, (hot, "libvirt's chain (zstd -3)")),
                ("save lz4:1 hot, wall, against lz4 -1", 0.30,
                 "wall", lz4, (hot, "lz4 -1")),
                ("save lz4:1 hot, wall, against cp --sparse=always, fsync",
                 0.65, "wall", lz4, (hot, "cp --sparse=always")),
                (f"save zstd:1 cold, wall, against pzstd -1 -p{count} cold",
                 0.60, "wall", (cold, "iopress zstd:1"),
                 (cold, f"pzstd -1 -p{count}")),
                ("save zstd:1 --discard with verification, against without",
                 1.25, "wall", ("discard", "iopress --discard"),
                 ("discard", "iopress without --discard")),
                ("save zstd:1 --discard, verification against none", 1.25,
                 "wall", ("discard", "iopress --discard"),
                 ("discard", "iopress --discard --no-verify")),
                ("restore zstd to a sparse file, wall, against zstd -d", 0.40,
                 "wall", ("restore-hot", "iopress zstd:1"),
                 ("restore-hot", "zstd -d")),
                ("restore lz4, wall, against lz4 -d", 0.35,
                 "wall", ("restore-hot", "iopress lz4:1"),
                 ("restore-hot", "lz4 -d"))):
            self.ratio(name, bound, field, ours, theirs)

    def value(self, name, bound, function, **options):
        """A figure that FUNCTION gives, unless something was not measured."""
        figure = Figure(name, bound, None, **options)
        self.list.append(figure)
        try:
            figure.value = function()
        except (KeyError, ValueError, ZeroDivisionError):
            pass

    def codec_cpu(self):
        """Of the bare codec, for all windows, as many threads at once."""
        prefix = f"zstd:1 -T{self.threads} "
        limit = self.results.limit
        return limit(prefix + "compress_cpu") * \
            limit(prefix + "present") / limit(prefix + "kept")

    def sizes(self):
        hot, ours = "save-hot", "iopress zstd:1"
        median = self.results.median
        self.value("CPU seconds of save zstd:1 against the bare codec's",
                   1.15, lambda: median(hot, ours, "cpu") / self.codec_cpu())
        self.ratio("image size against zstd -1 on the whole file", 1.005,
                   "size", (hot, ours), (hot, "zstd -1 -T1"))
        self.value(f"peak memory, save zstd:1 -T{self.threads}", 64,
                   lambda: median(hot, ours, "peak") / MIB, unit="MiB")
        self.value("growth of it, 1 TiB apparent against this data", 16,
                   lambda: (median("extreme 1TiB", ours, "peak") -
                            median(hot, ours, "peak")) / MIB, unit="MiB")
        self.ratio("1 TiB apparent, wall, against its data alone", 2.0,
                   "wall", ("extreme 1TiB", ours), ("extreme dense", ours))

    def auto_share(self):
        """How busy the busier of the two was.  A disk that has a request at
        any time may not be at its best, nor one at its best have a request at
        any time: what it moved counts, too, against the most that it did.
        When that is less, the most of the disk is not known."""
        share = self.results.share("busier of the two")
        try:
            seconds, size = (self.results.median("auto", "iopress auto", field)
                             for field in ("wall", "size"))
            moved = (self.data_bytes + size) / MIB / seconds / \
                self.results.limit("disk mixed")
        except KeyError:
            return share
        return max(share, moved) if moved <= 1 else share

    def foretold(self, field):
        """In how many of the rounds a save kept to its estimate."""
        truth = {"seconds": "wall", "image_size": "size"}[field]
        samples = self.results.samples["estimate"]["iopress zstd:1"]
        inside = [found[field]["low"] <= getattr(sample, truth)
                  <= found[field]["high"]
                  for found, sample in zip(self.results.estimates, samples)]
        return sum(inside) / len(inside)

    def processors(self):
        one, two = (("scaling", f"iopress zstd:9 -T{count}")
                    for count in (1, 2))
        self.ratio("two threads against one, codec-bound (zstd:9)", 1.85,
                   "wall", one, two)
        self.list[-1].at_least = True
        self.value("the same by CPU seconds: 2 x one thread's / two's", 1.85,
                   lambda: 2 * self.results.median(*one, "cpu") /
                   self.results.median(*two, "cpu"), at_least=True)
        self.value("-c auto, the busier of disk and processors", 0.9,
                   self.auto_share, at_least=True)
        for field, what in (("seconds", "time"), ("image_size", "size")):
            self.value(f"--estimate: runs whose {what} was in the interval",
                       0.9, lambda field=field: self.foretold(field),
                       at_least=True)
        for role in ("reader", "main thread (order, writer)"):
            self.value(f"{role}, CPU per GiB", 60,
                       lambda role=role: self.results.thread(role) * 1000 *
                       GIB / self.data_bytes, unit="ms")

    def mounted(self):
        """A mount against what is done without it; see bench_mount.py."""
        for way, packed in (("1 channel", 0.62), ("2 direct", 0.75)):
            names = [f"{name}, {way}" for name in (
                "mount", "plain file", "mount pack=now",
                "plain file, iopress save", "iopress restore, plain file")]
            self.ratio(f"mount: save against the plain file, {way}", 1.10,
                       "wall", *(("mount-save", name) for name in names[:2]))
            self.ratio(f"mount pack=now: save against plain, iopress save, "
                       f"{way}", packed, "wall",
                       *(("mount-save", name) for name in names[2:4]))
            self.ratio(f"mount: cold load against the plain file, {way}", 1.0,
                       "wall", *(("mount-load", name) for name in names[:2]))
            self.ratio(f"mount: cold load against restore, then load, {way}",
                       0.5, "wall", ("mount-load", names[0]),
                       ("mount-load", names[4]))
        for name, bound in (("mount", 0.25), ("mount pack=now", 0.42)):
            self.ratio(f"{name}: virsh save against --image-format zstd",
                       bound, "wall", ("mount-virsh", name),
                       ("mount-virsh", "zstd"))
        mounted = self.results.mounted
        self.value("mount: size after background packing against iopress save",
                   1.005, lambda: max(mounted["size"]))
        self.value("mount: transport of large writes, CPU s a GB", 0.33,
                   lambda: statistics.median(mounted["transport"]))
        self.value(f"mount: peak memory, -T{self.threads}", 48,
                   lambda: max(mounted["memory"]) / MIB, unit="MiB")
        self.value("mount pack=now: room beyond the image, of what is allowed",
                   1.0, lambda: max(
                       most / allowed for most, allowed
                       in zip(mounted["room"], mounted["room allowed"])))
