# SPDX-License-Identifier: LGPL-2.1-or-later
# The course of every test with a real guest: save it with QEMU, take the file
# through iopress, hold the result against mappedram.py, and let a second QEMU
# run on from it.

import dataclasses
import os
import struct
import sys

import harness
import iopress
import mappedram
from harness import Failure, Guest

FILL_MIB = 96
DIRTY_MIB = 32
LIVE_ATTEMPTS = 4
IMAGE_MAGIC = b"IOPRESS1"
DOMAIN_NAME = "witness"
DOMAIN_UUID = "5dbb1e9e-2b7b-4c5f-9d3c-2f1a6c3f7a10"
LIBVIRT_VERSION = 2
LIBVIRT_FORMAT_SPARSE = 6


@dataclasses.dataclass
class Case:
    """How the guest is saved and loaded."""
    live: bool = False
    cpus: int = 1
    prefix: bytes = b""         # what stands before the stream
    recognised: bool = True     # False: a raw file to iopress
    save: dict = dataclasses.field(default_factory=dict)
    load: dict = dataclasses.field(default_factory=dict)


def libvirt_prefix(size, magic=b"LibvirtQemudSave", cookie=b""):
    """Header, XML and cookie as libvirt writes them, SIZE bytes in all."""
    xml = (f"<domain type='qemu'>\n  <name>{DOMAIN_NAME}</name>\n"
           f"  <uuid>{DOMAIN_UUID}</uuid>\n</domain>\n").encode() + b"\0"
    data_length = size - mappedram.LIBVIRT_HEADER
    header = struct.pack("=16sIIIII56x", magic, LIBVIRT_VERSION, data_length,
                         0, LIBVIRT_FORMAT_SPARSE, len(xml) if cookie else 0)
    return header + (xml + cookie).ljust(data_length, b"\0")


def write_prefix(path, prefix):
    with open(path, "wb") as file:
        file.write(prefix)


def require(condition, message):
    if not condition:
        raise Failure(message)


def settle(path):
    """Write PATH out, as only then its allocated blocks are final."""
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def save_guest(case, directory, path):
    """Boot, fill and save a guest; returns what it last said."""
    with Guest(directory, cpus=case.cpus) as guest:
        guest.boot()
        guest.fill(FILL_MIB)
        if case.live:
            guest.dirty_start(DIRTY_MIB)
        state = guest.check()
        guest.ticks(1)
        for _ in range(LIVE_ATTEMPTS):
            write_prefix(path, case.prefix)
            guest.save_mapped_ram(path, live=case.live,
                                  offset=len(case.prefix), **case.save)
            if not case.live or has_stale_pages(path, len(case.prefix)):
                break
            guest.qmp.execute("cont")
        else:
            raise Failure(f"{LIVE_ATTEMPTS} live saves, and none of them "
                          "held a stale page")
    settle(path)
    return state


def has_stale_pages(path, offset):
    count = mappedram.stale_pages(path, mappedram.parse(path, offset))
    print(f"{path}: {count} stale pages")
    return count > 0


def check_image(image, prefix):
    """Prefix verbatim, behind it our magic instead of QEMU's stream."""
    with open(image, "rb") as file:
        require(file.read(len(prefix)) == prefix,
                "the image does not begin with the source's prefix")
        require(file.read(len(IMAGE_MAGIC)) == IMAGE_MAGIC,
                f"no {IMAGE_MAGIC} behind the prefix")


def check_info(image, blocks, prefix):
    """What info --json says against the other parser and the prefix."""
    told = iopress.info(image)
    found = {block["name"]: (block["size"], block["present_pages"])
             for block in told.get("ram_blocks", [])}
    wanted = {block.name: (block.size, block.present()) for block in blocks}
    require(found == wanted, f"info says {found}, the stream {wanted}")
    domain = {"name": DOMAIN_NAME, "uuid": DOMAIN_UUID} if prefix else None
    require(told.get("domain") == domain,
            f"info says domain {told.get('domain')} instead of {domain}")


def check_bytes(source, restored, blocks):
    """Every byte, the pages that BLOCKS mark absent as zeros."""
    where = mappedram.first_difference(mappedram.pieces(source, blocks),
                                       mappedram.pieces(restored))
    require(where is None, f"{restored} differs from byte {where} on")


def check_restored(source, restored, blocks):
    """The right bytes in no more blocks than the source has."""
    check_bytes(source, restored, blocks)
    settle(restored)
    have, limit = (os.stat(path).st_blocks for path in (restored, source))
    require(have <= limit, f"restored file has {have} blocks, source {limit}")


def check_exact(source, directory):
    """With --exact stale bytes are kept as well."""
    image, restored = (os.path.join(directory, name) for name in
                       ("exact-image", "exact-restored"))
    iopress.save(source, image, "--exact")
    iopress.restore(image, restored)
    check_bytes(source, restored, [])


def run_on(case, directory, path, state):
    """A second QEMU takes the guest over; its checksums must be the old."""
    with Guest(directory, cpus=case.cpus, incoming=True) as guest:
        guest.restore(path, offset=len(case.prefix), **case.load)
        ticks = guest.ticks(3)
        after = guest.check()
        if case.live:
            guest.dirty_stop()
        require(all(tick.sum == state.sum for tick in ticks + [after]),
                "the guest's checksum is another one than before the save")
        require(after.pages == state.pages, "the guest has lost pages")
        require(after.sequence >= state.sequence, "the guest went back in time")
        print(f"guest runs on: tick {ticks[-1].number}, sum {after.sum}")


def check_case(case, directory):
    source, image, restored = (os.path.join(directory, name) for name in
                               ("source", "image", "restored"))
    state = save_guest(case, directory, source)
    blocks = mappedram.parse(source, len(case.prefix))
    iopress.save(source, image)
    iopress.verify(image)
    if case.recognised:
        check_image(image, case.prefix)
        check_info(image, blocks, case.prefix)
    iopress.restore(image, restored)
    check_restored(source, restored, blocks)
    if case.live:
        check_exact(source, directory)
    run_on(case, directory, restored, state)


def check_refused(source, directory):
    """iopress save must say no with status 3 and leave everything alone."""
    settle(source)
    before = os.stat(source)
    image = os.path.join(directory, "image")
    result = iopress.run("save", source, image)
    print(result.stderr.strip())
    require(result.returncode == iopress.INCOMPLETE,
            f"status {result.returncode} instead of {iopress.INCOMPLETE}")
    require(result.stderr.startswith("iopress: "), "no message")
    for path in (image, image + ".part"):
        require(not os.path.exists(path), f"{path} was left behind")
    after = os.stat(source)
    require((before.st_size, before.st_blocks, before.st_mtime_ns) ==
            (after.st_size, after.st_blocks, after.st_mtime_ns),
            "the source was changed")


def main(check):
    """Run CHECK (directory) and end with the status automake expects."""
    def begin():
        iopress.program()
        check(harness.scratch_directory())

    harness.end_on_signals()
    sys.exit(harness.outcome(begin))


def run_case(case):
    """The whole of a test script that is one Case."""
    main(lambda directory: check_case(case, directory))
