#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Write synthetic mapped-ram files of many shapes, with what a restored one
# must hold.  Shares no code with src/guest, so that each checks the other.

import argparse
import json
import sys

sys.dont_write_bytecode = True

from mapped_ram_writer import Block, Maker, parse_size  # noqa: E402

PRESETS = {
    "plain": [],
    "offset": ["--offset", "67981"],
    "aligned-offset": ["--offset", "1M"],
    "libvirt-save": ["--libvirt", "save"],
    "libvirt-part": ["--libvirt", "part", "--xml-padding", "1"],
    "one-page": ["--block", "pc.ram=4K,dense"],
    "no-ram": ["--blocks", "0"],
    "many-blocks": ["--blocks", "40", "--size", "128K", "--pattern", "random"],
    "long-names": ["--block", "n" * 255 + "=1M,random",
                   "--block", "0000:00:02.0/vga.vram=1M,ends"],
    "big-pages": ["--page-size", "64K", "--pattern", "random"],
    "small-pages": ["--page-size", "1K", "--pattern", "random",
                    "--page-bits"],
    "small-pages-stale": ["--page-size", "1K", "--stale", "0.3",
                          "--pattern", "random", "--zero-set", "0.1"],
    "tiny-pages": ["--page-size", "256", "--stale", "0.2", "--no-json",
                   "--block", "flash=128K,random", "--block", "sram=8704,random",
                   "--block", "eeprom=256,dense"],
    "dense": ["--pattern", "dense", "--size", "4M"],
    "sparse": ["--pattern", "sparse", "--size", "64M"],
    "extents": ["--pattern", "extents", "--size", "16M"],
    "huge-holes": ["--pattern", "holes", "--size", "1G"],
    "ends": ["--pattern", "ends", "--size", "256M"],
    "empty": ["--pattern", "empty"],
    "stale": ["--stale", "0.3", "--pattern", "random"],
    "big-pages-stale": ["--page-size", "64K", "--stale", "0.3"],
    "zero-set": ["--zero-set", "0.4"],
    "all-set": ["--all-set"],
    "all-set-dense": ["--all-set", "--zero-set", "0.2", "--pattern", "dense"],
    "commands": ["--commands", "7"],
    "early-section": ["--early-section", "70000", "--commands", "2"],
    "no-footers": ["--no-footers"],
    "no-json": ["--no-json"],
    "bare-end": ["--no-footers", "--no-json"],
    "ignore-shared": ["--ignore-shared", "--block", "shared=64M,dense,ignored",
                      "--block", "pc.ram=4M,random",
                      "--block", "shared2=1M,dense,ignored"],
    "subsections": ["--uuid", "--page-bits"],
    "big-devices": ["--device-bytes", "5M"],
    "tight": ["--align", "4K", "--blocks", "9", "--pattern", "random"],
    "text": ["--content", "text", "--pattern", "dense", "--size", "4M"],
    "random": ["--content", "random", "--pattern", "dense", "--size", "4M"],
    "everything": ["--libvirt", "save", "--commands", "3", "--ignore-shared",
                   "--stale", "0.2", "--zero-set", "0.1", "--uuid",
                   "--block", "shared=16M,dense,ignored",
                   "--block", "pc.ram=32M,extents",
                   "--block", "pc.bios=256K,dense",
                   "--block", "vga.vram=16M,ends"],
    "plain-sparse": ["--plain", "--libvirt", "save"],
    "plain-sparse-no-json": ["--plain", "--libvirt", "part", "--no-json"],
    "plain-sparse-cut": ["--plain", "--libvirt", "save", "--damage", "cut:-1"],
    "unfinished": ["--damage", "unfinished"],
    "background": ["--damage", "background"],
    "cut-tail": ["--damage", "cut:-1"],
    "cut-devices": ["--damage", "cut:-5000"],
    "cut-pages": ["--damage", "cut:3M"],
    "cut-head": ["--damage", "cut:50"],
    "appended": ["--damage", "append:100"],
}



def parse_block(text):
    """NAME=SIZE[,PATTERN[,ignored]]"""
    name, _, rest = text.rpartition("=")
    size, *options = rest.split(",")
    return Block(name, parse_size(size), options[0] if options else "extents",
                 "ignored" in options[1:])


def build_parser():
    parser = argparse.ArgumentParser(
        description="Write a synthetic mapped-ram file.")
    add = parser.add_argument
    add("output", nargs="?", help="file to write")
    add("--list-presets", action="store_true")
    add("--preset", choices=PRESETS, help="options of a named shape first")
    add("--seed", type=int, default=1)
    add("--block", type=parse_block, action="append",
        metavar="NAME=SIZE[,PATTERN[,ignored]]")
    add("--blocks", type=int, default=3, help="so many blocks without --block")
    add("--size", type=parse_size, default=2 << 20, help="of the first one")
    add("--pattern", default="extents", help="dense, empty, random, sparse, "
        "extents, holes, ends")
    add("--page-size", type=parse_size, default=4096)
    add("--align", type=parse_size, default=1 << 20, help="of page regions")
    add("--offset", type=parse_size, default=0, help="of the stream")
    add("--libvirt", choices=["save", "part"], help="header with this magic")
    add("--xml-padding", type=parse_size, default=65536)
    add("--plain", action="store_true",
        help="a stream without mapped-ram, whatever libvirt's header says")
    add("--machine", default="pc-i440fx-10.0")
    add("--commands", type=int, default=0)
    add("--early-section", type=parse_size, default=0, metavar="BYTES")
    add("--uuid", action="store_true")
    add("--page-bits", action="store_true")
    add("--ignore-shared", action="store_true")
    add("--no-footers", action="store_true")
    add("--no-json", action="store_true")
    add("--stale", type=float, default=0, help="share of absent pages")
    add("--zero-set", type=float, default=0, help="share of present pages")
    add("--all-set", action="store_true", help="every bit is set")
    add("--content", default="mixed",
        choices=["mixed", "text", "pointers", "thin", "random"])
    add("--device-bytes", type=parse_size, default=20000)
    add("--damage", default="",
        help="unfinished, background, cut:N (negative: from the end), "
        "append:N")
    add("--expected", help="also write what a restored file must hold")
    add("--layout", help="also write offsets and counts as JSON")
    return parser


def default_blocks(options):
    """One block of --size, the others smaller, as guests have them."""
    least = max(options.page_size, 4096)
    sizes = [options.size] + [max(least, options.size >> i & -65536)
                              for i in range(1, options.blocks)]
    return [Block(f"block{i}", size, options.pattern)
            for i, size in enumerate(sizes[:options.blocks])]


def parse_arguments(arguments):
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.preset:
        options = parser.parse_args(PRESETS[options.preset] + arguments)
    if options.block is None:
        options.block = default_blocks(options)
    return options


def main(arguments):
    options = parse_arguments(arguments)
    if options.list_presets:
        print("\n".join(PRESETS))
        return 0
    if options.output is None:
        print("make_mapped_ram.py: no file to write named", file=sys.stderr)
        return 2
    layout = Maker(options).make()
    if options.layout:
        with open(options.layout, "w", encoding="ascii") as file:
            json.dump(layout, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
