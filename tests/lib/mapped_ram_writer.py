# SPDX-License-Identifier: LGPL-2.1-or-later
# Write one synthetic mapped-ram file, from libvirt's header to QEMU's tail.

import dataclasses
import json
import os
import random
import struct
import uuid

from mapped_ram_pages import choose_runs, gaps_between, make_page, set_bits

SUFFIXES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
WRITE = 1 << 20         # at most this much in one write


@dataclasses.dataclass
class Block:
    """One RAM block; the fields after pattern are set when it is placed."""
    name: str
    size: int
    pattern: str = "extents"
    ignored: bool = False
    pages: int = 0
    bitmap_offset: int = 0
    pages_offset: int = 0
    runs: list = dataclasses.field(default_factory=list)
    bitmap: bytearray = dataclasses.field(default_factory=bytearray)


def parse_size(text):
    """'64K' -> 65536; a minus sign is kept."""
    factor = SUFFIXES.get(text[-1:].upper())
    return int(text[:-1]) * factor if factor else int(text, 0)


class Output:
    """The file and its expected restored twin, both sparse."""

    def __init__(self, path, expected):
        self.files = [open(path, "wb")]
        if expected:
            self.files.append(open(expected, "wb"))
        self.position = 0

    def put(self, data):
        """Write at the position and move on."""
        for file in self.files:
            os.pwrite(file.fileno(), data, self.position)
        self.position += len(data)

    def put_at(self, offset, data):
        """Write into both files, zero pieces left out."""
        for start in range(0, len(data), WRITE):
            part = data[start:start + WRITE]
            if part.count(0) != len(part):
                for file in self.files:
                    os.pwrite(file.fileno(), part, offset + start)

    def put_stale(self, offset, data):
        """Bytes that a restored file need not have."""
        os.pwrite(self.files[0].fileno(), data, offset)

    def put_zero(self, offset, length):
        """Zeros that take up blocks in the file."""
        os.pwrite(self.files[0].fileno(), bytes(length), offset)

    def close(self, damage):
        size = self.position
        for file in self.files:
            file.truncate(size)
        if damage.startswith("cut:"):
            cut = parse_size(damage[4:])
            self.files[0].truncate(cut if cut >= 0 else size + cut)
        if damage.startswith("append:"):
            os.pwrite(self.files[0].fileno(),
                      b"\x5a" * parse_size(damage[7:]), size)
        for file in self.files:
            file.close()
        return size


class Maker:
    """Writes one file from parsed options."""

    def __init__(self, options):
        self.o = options
        self.rng = random.Random(options.seed)
        self.section_id = self.rng.choice([0, 1, 2, 0x7e000000])
        self.bits = options.damage not in ("unfinished", "background")
        self.layout = {}
        self.out = None

    def make(self):
        self.out = Output(self.o.output, self.o.expected)
        self.put_prefix()
        self.put_head()
        self.put_before_ram()
        if self.o.plain:
            self.put_plain()
        else:
            self.put_ram()
        if self.o.damage != "unfinished":
            self.put_tail()
        self.layout["size"] = self.out.close(self.o.damage)
        return self.layout

    # Before the stream.

    def put_prefix(self):
        if self.o.libvirt:
            self.put_libvirt_header()
        else:
            self.out.put(self.rng.randbytes(self.o.offset))
        self.layout["stream_offset"] = self.out.position

    def put_libvirt_header(self):
        name = f"guest <{self.o.seed}> & co"
        ident = str(uuid.UUID(int=self.rng.getrandbits(128)))
        escaped = name.replace("&", "&amp;").replace("<", "&lt;")
        xml = (f"<domain type='qemu' id='1'>\n  <metadata>\n    <name>no</name>"
               f"\n  </metadata>\n  <name>{escaped}</name>\n"
               f"  <uuid>{ident}</uuid>\n  <memory unit='KiB'>1</memory>\n"
               f"</domain>\n").encode() + b"\0"
        cookie = b"<cookie/>\n\0"
        data = xml + cookie + bytes(self.o.xml_padding)
        magic = {"save": b"LibvirtQemudSave", "part": b"LibvirtQemudPart"}
        self.out.put(magic[self.o.libvirt]
                     + struct.pack("=5I", 2, len(data), 1, 6, len(xml))
                     + bytes(56) + data)
        self.layout["domain"] = {"name": name, "uuid": ident}

    # From the magic to the RAM section.

    @staticmethod
    def counted(text):
        return bytes([len(text)]) + text.encode()

    def subsection(self, name, payload):
        return b"\5" + self.counted(name) + struct.pack(">I", 1) + payload

    def put_head(self):
        machine = self.o.machine.encode()
        capabilities = ["events"] if self.o.plain else ["mapped-ram"]
        if self.o.ignore_shared:
            capabilities.insert(0, "x-ignore-shared")
        parts = [self.subsection(
            "configuration/capabilities",
            struct.pack(">I", len(capabilities))
            + b"".join(map(self.counted, capabilities)))]
        if self.o.page_bits:
            bits = self.o.page_size.bit_length() - 1
            parts.append(self.subsection("configuration/target-page-bits",
                                         struct.pack(">I", bits)))
        if self.o.uuid:
            parts.append(self.subsection("configuration/uuid",
                                         self.rng.randbytes(16)))
        self.rng.shuffle(parts)
        self.out.put(b"QEVM" + struct.pack(">I", 3) + b"\7"
                     + struct.pack(">I", len(machine)) + machine
                     + b"".join(parts))
        self.layout["machine"] = self.o.machine

    def put_before_ram(self):
        for number in range(self.o.commands):
            data = self.rng.randbytes(self.rng.randrange(9))
            self.out.put(b"\x08" + struct.pack(">HH", number, len(data)) + data)
        if self.o.early_section:
            self.out.put(b"\4" + struct.pack(">I", 9)
                         + self.rng.randbytes(self.o.early_section))

    # The RAM section.

    def put_ram(self):
        total = sum(block.size for block in self.o.block)
        self.out.put(b"\1" + struct.pack(">I", self.section_id)
                     + self.counted("ram") + struct.pack(">II", 0, 4)
                     + struct.pack(">Q", total | 4))
        for block in self.o.block:
            self.put_block(block)
        self.put_end_of_part()
        self.layout["ram_end"] = self.out.position
        self.layout["blocks"] = [self.describe(b) for b in self.o.block]

    def put_block(self, block):
        block.pages = block.size // self.o.page_size
        self.out.put(self.counted(block.name) + struct.pack(">Q", block.size))
        if self.o.ignore_shared:
            self.out.put(struct.pack(">Q", self.rng.getrandbits(40)))
        if not block.ignored:
            self.place(block)
        self.out.put(struct.pack(">IQQQ", 1, self.o.page_size,
                                 block.bitmap_offset, block.pages_offset))
        if not block.ignored:
            self.put_pages(block)
            self.out.position = block.pages_offset + block.size

    def place(self, block):
        block.bitmap = bytearray((block.pages + 63) // 64 * 8)
        block.bitmap_offset = self.out.position + 28
        end = block.bitmap_offset + len(block.bitmap)
        block.pages_offset = -(-end // self.o.align) * self.o.align

    def put_pages(self, block):
        size = self.o.page_size
        block.runs = choose_runs(block.pattern, block.pages, size, self.rng)
        for first, count in block.runs:
            self.put_run(block, first, count)
        self.put_stale_pages(block)
        if self.o.all_set:
            block.runs = [(0, block.pages)] if block.pages else []
        if self.bits:
            for first, count in block.runs:
                set_bits(block.bitmap, first, count)
        self.out.put_at(block.bitmap_offset, block.bitmap)

    def put_run(self, block, first, count):
        size = self.o.page_size
        for page in range(first, first + count):
            at = block.pages_offset + page * size
            if self.rng.random() < self.o.zero_set:
                self.out.put_zero(at, size)
            else:
                self.out.put_at(at, make_page(size, self.o.content, self.rng))

    def put_stale_pages(self, block):
        if self.o.stale == 0:
            return
        size = self.o.page_size
        for first, count in gaps_between(block.runs, block.pages):
            for page in range(first, first + min(count, 1000)):
                if self.rng.random() < self.o.stale:
                    self.out.put_stale(block.pages_offset + page * size,
                                       make_page(size, self.o.content,
                                                 self.rng))

    def describe(self, block):
        present = sum(count for _, count in block.runs) if self.bits else 0
        return {"name": block.name, "used_bytes": block.size,
                "page_bytes": self.o.page_size, "ignored": block.ignored,
                "bitmap_offset": block.bitmap_offset,
                "pages_offset": block.pages_offset,
                "page_count": block.pages, "present_count": present}

    def put_plain(self):
        """What no mapped-ram parser knows: pages in the stream."""
        total = sum(block.size for block in self.o.block)
        self.out.put(b"\1" + struct.pack(">I", self.section_id)
                     + self.counted("ram") + struct.pack(">II", 0, 4)
                     + struct.pack(">Q", total | 4))
        self.out.put(self.rng.randbytes(total // 2))
        self.put_end_of_part()

    # After it.

    def put_end_of_part(self):
        self.out.put(struct.pack(">Q", 0x10))
        self.put_footer(self.section_id)

    def put_footer(self, section_id):
        if not self.o.no_footers:
            self.out.put(b"\x7e" + struct.pack(">I", section_id))

    def put_tail(self):
        for section_type in (b"\2", b"\3"):
            self.out.put(section_type + struct.pack(">I", self.section_id))
            self.put_end_of_part()
        left = self.o.device_bytes
        while left > 0:
            length = min(left, self.rng.randint(1, 1 << 20))
            self.out.put(b"\4" + struct.pack(">I", left) + self.counted("dev")
                         + struct.pack(">II", 0, 1)
                         + self.rng.randbytes(length))
            self.put_footer(left)
            left -= length
        self.out.put(b"\0")
        if not self.o.no_json:
            text = json.dumps({"page_size": self.o.page_size, "devices": [
                {"name": f"dev{i}", "size": i} for i in range(200)]}).encode()
            self.out.put(b"\6" + struct.pack(">I", len(text)) + text)
