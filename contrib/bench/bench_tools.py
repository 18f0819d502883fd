# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands that contrib/bench compares: iopress and its peers.

import dataclasses
import os
import shutil

IOHELPERS = ("/usr/lib/libvirt/libvirt_iohelper",
             "/usr/libexec/libvirt_iohelper",
             "/usr/lib64/libvirt/libvirt_iohelper")
IOPRESS_NAME = "iopress"


@dataclasses.dataclass
class Tool:
    """One column of a comparison.

    A word "SOURCE" or "OUTPUT" in the command is replaced by the path.
    """
    name: str
    command: list
    needs: str = ""            # a program, or why it cannot be had
    ours: bool = False

    def words(self, source, output):
        paths = {"SOURCE": source, "OUTPUT": output}
        return [paths.get(word, word) for word in self.command]

    def missing(self):
        """Why this tool cannot run here, or None."""
        if self.needs and not shutil.which(self.needs):
            return f"{self.needs} is not installed"
        return None


class Iopress:
    """The program that is measured."""

    def __init__(self, program, plugins, threads):
        self.program = program
        self.plugins = plugins
        self.threads = threads

    def command(self, verb, *options, threads=None):
        command = [self.program, verb, "-q"]
        if self.plugins:
            command += ["--plugin-dir", self.plugins]
        return command + ["-T", str(threads or self.threads), *options]

    def save(self, codec, *options, name=None, threads=None):
        command = self.command("save", "-c", codec, *options,
                               "SOURCE", "OUTPUT", threads=threads)
        return Tool(name or f"iopress {codec}", command, ours=True)

    def restore(self, codec):
        return Tool(f"iopress {codec}",
                    self.command("restore", "SOURCE", "OUTPUT"), ours=True)


def shell(script):
    return ["sh", "-c", script, "sh", "SOURCE", "OUTPUT"]


def libvirt_chain():
    """What libvirt does with save_image_format = "zstd"."""
    for path in IOHELPERS:
        if os.access(path, os.X_OK):
            script = f'zstd -q -c <"$1" | {path} "$2" 1 >"$2"'
            return Tool("libvirt's chain (zstd -3)", shell(script), "zstd")
    return Tool("libvirt's chain (zstd -3)", [], "libvirt_iohelper")


def zstd(level, threads):
    return Tool(f"zstd -{level} -T{threads}",
                ["zstd", "-q", "-f", f"-{level}", f"-T{threads}", "SOURCE",
                 "-o", "OUTPUT"], "zstd")


def pzstd(level, threads):
    return Tool(f"pzstd -{level} -p{threads}",
                ["pzstd", "-q", "-f", f"-{level}", "-p", str(threads),
                 "SOURCE", "-o", "OUTPUT"], "pzstd")


def lz4():
    return Tool("lz4 -1", ["lz4", "-q", "-f", "-1", "SOURCE", "OUTPUT"],
                "lz4")


def copy():
    return Tool("cp --sparse=always",
                ["cp", "--sparse=always", "SOURCE", "OUTPUT"])


def qemu_img(name, *options):
    return Tool(name, ["qemu-img", "convert", "-q", "-f", "raw", "-O",
                       "qcow2", "-c", *options, "SOURCE", "OUTPUT"],
                "qemu-img")


def xz(threads):
    return Tool(f"xz -1 -T{threads}",
                shell(f'xz -1 -T{threads} -c <"$1" >"$2"'), "xz")


def save_hot(iopress):
    threads = iopress.threads
    return [
        iopress.save("zstd:1"), iopress.save("zstd:3"), iopress.save("lz4:1"),
        zstd(1, threads), zstd(1, 1), zstd(3, threads), pzstd(1, threads),
        lz4(),
        Tool("lzop -1", ["lzop", "-q", "-f", "-1", "-o", "OUTPUT", "SOURCE"],
             "lzop"),
        libvirt_chain(), copy()]


def save_slow(iopress):
    """For small data: these take minutes a GiB."""
    return [
        iopress.save("xz:1"), xz(iopress.threads),
        qemu_img("qemu-img convert -c"),
        qemu_img("qemu-img convert -c, zstd", "-o", "compression_type=zstd",
                 "-m", str(iopress.threads), "-W")]


def save_cold(iopress):
    threads = iopress.threads
    return [iopress.save("zstd:1"), iopress.save("lz4:1"),
            pzstd(1, threads), zstd(1, threads), lz4(), copy()]


def scaling(iopress):
    """The codec is the only limit at this level, whatever the disk."""
    return [iopress.save("zstd:9", name=f"iopress zstd:9 -T{count}",
                         threads=count) for count in (1, 2)] + \
           [iopress.save("zstd:1", name=f"iopress zstd:1 -T{count}",
                         threads=count) for count in (1, 2)]


def discard(iopress):
    return [iopress.save("zstd:1", "--discard", name="iopress --discard"),
            iopress.save("zstd:1", "--discard", "--no-verify",
                         name="iopress --discard --no-verify"),
            iopress.save("zstd:1", name="iopress without --discard")]


def extremes(iopress):
    return [iopress.save("zstd:1"), iopress.save("lz4:1"),
            zstd(1, iopress.threads), copy()]


def extremes_of_a_terabyte(iopress):
    """The others would read a terabyte of zeros for hours."""
    return [iopress.save("zstd:1"), iopress.save("lz4:1"), copy()]


def restores(iopress):
    """(what packs, what unpacks) pairs."""
    threads = iopress.threads
    return [
        (iopress.save("zstd:1"), iopress.restore("zstd:1")),
        (iopress.save("lz4:1"), iopress.restore("lz4:1")),
        (zstd(1, threads),
         Tool("zstd -d", ["zstd", "-q", "-d", "-f", "SOURCE", "-o", "OUTPUT"],
              "zstd")),
        (pzstd(1, threads),
         Tool(f"pzstd -d -p{threads}",
              ["pzstd", "-q", "-d", "-f", "-p", str(threads), "SOURCE", "-o",
               "OUTPUT"], "pzstd")),
        (lz4(), Tool("lz4 -d", ["lz4", "-q", "-d", "-f", "SOURCE", "OUTPUT"],
                     "lz4"))]
