#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures virsh save for contrib/bench, with a libvirtd of its own and a guest
# whose memory is SOURCE and that never runs:
#
#   bench_virsh.py SOURCE MIB REPORT

import json
import os
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "libvirt"))

import libvirtd
import harness
from mount import Mount

DOMAIN = """<domain type='qemu'>
  <name>bench</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""

# What libvirt starts: QEMU, its memory that of the source.
EMULATOR = """#!{python}
import json, os, sys

words = []
for word in sys.argv[1:]:
    if word.startswith('{{"qom-type":"memory-backend-ram"'):
        memory = json.loads(word)
        memory.update({{"qom-type": "memory-backend-file", "prealloc": True,
                       "mem-path": {source!r}, "share": False}})
        word = json.dumps(memory)
    words.append(word)
os.execv({qemu!r}, [{qemu!r}, *words])
"""


def write_emulator(directory, source):
    path = os.path.join(directory, "emulator")
    with open(path, "w", encoding="utf-8") as file:
        file.write(EMULATOR.format(python=sys.executable, source=source,
                                   qemu=harness.emulator()))
    os.chmod(path, 0o755)
    return path


def take_save(daemon, path, image_format):
    """Seconds of one virsh save; the guest is started afresh for it."""
    daemon.virsh("start", "bench", "--paused")
    os.sync()
    begin = time.monotonic()
    daemon.virsh("save", "bench", path, "--image-format", image_format)
    seconds = time.monotonic() - begin
    os.unlink(path)
    return seconds


def take_all(daemon, folder):
    path = os.path.join(folder, "guest")
    threads = ("-T", os.environ["IOPRESS_THREADS"])
    os.mkdir(folder)
    taken = {"zstd": take_save(daemon, path, "zstd"),
             "sparse, not flushed": take_save(daemon, path, "sparse")}
    for name, options in (("mount", ()), ("mount pack=now",
                                          ("-o", "pack=now"))):
        with Mount(folder, *threads, *options):
            taken[name] = take_save(daemon, path, "sparse")
    return taken


def check(directory):
    source, memory, report = sys.argv[1:]
    xml = os.path.join(directory, "bench.xml")
    with libvirtd.Libvirtd(directory) as daemon:
        with open(xml, "w", encoding="utf-8") as file:
            file.write(DOMAIN.format(
                uuid=uuid.uuid4(), memory=memory,
                emulator=write_emulator(directory, source)))
        daemon.virsh("define", xml)
        taken = take_all(daemon, os.path.join(directory, "saves"))
    with open(report, "w", encoding="ascii") as file:
        json.dump(taken, file)


libvirtd.main(check, libvirtd.require_programs)
