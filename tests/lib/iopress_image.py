# SPDX-License-Identifier: LGPL-2.1-or-later
# Takes an image apart into its parts, lets a test change them, and puts them
# together again.  Written from docs/format.md; shares nothing with src/.

import struct

from xxh3 import xxh3_64

PAGE = 4096
FILE_HEADER_BYTES = 256
RECORD_HEADER_BYTES = 80
INDEX_HEADER_BYTES = 48
INDEX_ENTRY_BYTES = 32
FOOTER_BYTES = 96
STORED = 1


class Malformed(Exception):
    """The image is not as docs/format.md says."""


class Part:
    """A part of fixed length: named fields, then the checksum of all bytes
    before it if SEALED_AT says where that stands."""

    FIELDS = {}                 # name: (offset, struct format)
    SIZE = 0
    MAGIC = b""
    SEALED_AT = None

    def __init__(self, data):
        if len(data) != self.SIZE or not data.startswith(self.MAGIC):
            raise Malformed(f"{type(self).__name__}: no {self.MAGIC}")
        self.data = bytearray(data)
        if self.SEALED_AT is not None and self.computed() != self.checksum:
            raise Malformed(f"{type(self).__name__}: wrong checksum")

    def __getitem__(self, name):
        offset, form = self.FIELDS[name]
        return struct.unpack_from("<" + form, self.data, offset)[0]

    def __setitem__(self, name, value):
        offset, form = self.FIELDS[name]
        struct.pack_into("<" + form, self.data, offset, value)

    @property
    def checksum(self):
        return struct.unpack_from("<Q", self.data, self.SEALED_AT)[0]

    def computed(self):
        return xxh3_64(bytes(self.data[:self.SEALED_AT]))

    def seal(self):
        """Make the checksum right."""
        struct.pack_into("<Q", self.data, self.SEALED_AT, self.computed())

    def change(self, **fields):
        """Change fields, and make the checksum right after."""
        for name, value in fields.items():
            self[name] = value
        self.seal()


class FileHeader(Part):
    FIELDS = {"magic": (0, "8s"), "major": (8, "H"), "minor": (10, "H"),
              "length": (12, "I"), "image_id": (16, "16s"),
              "prefix": (32, "Q"), "source": (40, "Q"), "chunk": (48, "I"),
              "kind": (52, "I"), "incompatible": (56, "Q"),
              "compatible": (64, "Q"), "codec": (72, "16s"),
              "level": (88, "i"), "reserved_short": (92, "I"),
              "parameters": (96, "64s"), "reserved_long": (160, "88s"),
              "checksum": (248, "Q")}
    SIZE = FILE_HEADER_BYTES
    MAGIC = b"IOPRESS1"
    SEALED_AT = 248


class RecordHeader(Part):
    FIELDS = {"magic": (0, "4s"), "flags": (4, "I"), "image_id": (8, "16s"),
              "window": (24, "Q"), "source": (32, "Q"), "prefix": (40, "I"),
              "chunk": (44, "I"), "raw": (48, "I"), "payload": (52, "I"),
              "raw_checksum": (56, "Q"), "stored_checksum": (64, "Q"),
              "checksum": (72, "Q")}
    SIZE = RECORD_HEADER_BYTES
    MAGIC = b"IPRC"
    SEALED_AT = 72


class IndexHeader(Part):
    FIELDS = {"magic": (0, "4s"), "entry_length": (4, "I"),
              "image_id": (8, "16s"), "count": (24, "Q"),
              "entries_checksum": (32, "Q"), "checksum": (40, "Q")}
    SIZE = INDEX_HEADER_BYTES
    MAGIC = b"IPIX"
    SEALED_AT = 40


class IndexEntry(Part):
    FIELDS = {"window": (0, "Q"), "offset": (8, "Q"), "length": (16, "I"),
              "pages": (20, "I"), "header_checksum": (24, "Q")}
    SIZE = INDEX_ENTRY_BYTES


class Footer(Part):
    FIELDS = {"magic": (0, "4s"), "length": (4, "I"),
              "image_id": (8, "16s"), "index_offset": (24, "Q"),
              "index_length": (32, "Q"), "records": (40, "Q"),
              "pages": (48, "Q"), "payload": (56, "Q"), "digest": (64, "Q"),
              "end": (72, "Q"), "checksum": (80, "Q"), "end_magic": (88, "8s")}
    SIZE = FOOTER_BYTES
    MAGIC = b"IPFT"
    SEALED_AT = 80


class Record:
    """A record header, its page map and its payload."""

    def __init__(self, data, chunk):
        self.header = RecordHeader(data[:RECORD_HEADER_BYTES])
        map_end = RECORD_HEADER_BYTES + chunk // PAGE // 8
        self.map = bytearray(data[RECORD_HEADER_BYTES:map_end])
        end = map_end + self.header["payload"]
        self.payload = bytearray(data[map_end:end])
        if len(self.payload) != self.header["payload"]:
            raise Malformed("Record: cut off")
        if self.body_checksum() != self.header["stored_checksum"]:
            raise Malformed("Record: wrong stored checksum")

    def body_checksum(self):
        return xxh3_64(bytes(self.map + self.payload))

    def pages(self):
        """The numbers of the present pages, within the window."""
        return [i for i in range(8 * len(self.map))
                if self.map[i // 8] >> i % 8 & 1]

    def seal(self):
        """Make payload length, stored and header checksum right."""
        self.header["payload"] = len(self.payload)
        self.seal_body()

    def seal_body(self):
        """Make stored and header checksum right."""
        self.header["stored_checksum"] = self.body_checksum()
        self.header.seal()

    @property
    def data(self):
        return self.header.data + self.map + self.payload


class Image:
    """All parts of an image, in the order of the file."""

    def __init__(self, data):
        start = self.find_header(data)
        self.prefix = bytearray(data[:start])
        end = start + FILE_HEADER_BYTES
        self.header = FileHeader(data[start:end])
        offset = -(-end // PAGE) * PAGE
        self.padding = bytearray(data[end:offset])
        self.records = []
        while data[offset:offset + 4] == RecordHeader.MAGIC:
            self.records.append(Record(data[offset:], self.header["chunk"]))
            offset += len(self.records[-1].data)
        self.take_end(data[offset:])

    @staticmethod
    def find_header(data):
        start = data.find(FileHeader.MAGIC)
        while start >= 0:
            place, = struct.unpack_from("<Q", data, start + 32)
            if place == start:
                return start
            start = data.find(FileHeader.MAGIC, start + 1)
        raise Malformed("no file header")

    def take_end(self, data):
        self.index = IndexHeader(data[:INDEX_HEADER_BYTES])
        self.entries = []
        offset = INDEX_HEADER_BYTES
        for _ in range(self.index["count"]):
            entry = data[offset:offset + INDEX_ENTRY_BYTES]
            self.entries.append(IndexEntry(entry))
            offset += INDEX_ENTRY_BYTES
        self.footer = Footer(data[offset:offset + FOOTER_BYTES])
        self.tail = bytearray(data[offset + FOOTER_BYTES:])

    @classmethod
    def read(cls, path):
        with open(path, "rb") as file:
            return cls(file.read())

    def parts(self):
        """(name, bytes) of every part, in the order of the file."""
        yield "prefix", self.prefix
        yield "file header", self.header.data
        yield "padding", self.padding
        for record in self.records:
            yield "record", record.data
        yield "index header", self.index.data
        for entry in self.entries:
            yield "index entry", entry.data
        yield "footer", self.footer.data
        yield "tail", self.tail

    def data(self):
        return b"".join(bytes(part) for _, part in self.parts())

    def records_start(self):
        return (len(self.prefix) + FILE_HEADER_BYTES + len(self.padding))

    # Making the later parts agree with the earlier ones.

    def reindex(self):
        """Make index and footer say what the records are."""
        offset = self.records_start()
        self.entries = []
        for record in self.records:
            entry = IndexEntry(bytes(INDEX_ENTRY_BYTES))
            entry["window"] = record.header["window"]
            entry["offset"] = offset
            entry["length"] = len(record.data)
            entry["pages"] = record.header["raw"] // PAGE
            entry["header_checksum"] = record.header["checksum"]
            self.entries.append(entry)
            offset += len(record.data)
        self.seal_index()
        self.total()

    def seal_index(self):
        """Make count and checksums of the index header right."""
        self.index["count"] = len(self.entries)
        entries = b"".join(bytes(entry.data) for entry in self.entries)
        self.index["entries_checksum"] = xxh3_64(entries)
        self.index.seal()

    def total(self):
        """Make the footer right, from index and records."""
        footer = self.footer
        index_offset = self.records_start() + sum(len(record.data)
                                                  for record in self.records)
        footer["index_offset"] = index_offset
        footer["index_length"] = (INDEX_HEADER_BYTES
                                  + INDEX_ENTRY_BYTES * len(self.entries))
        footer["records"] = len(self.entries)
        footer["pages"] = sum(entry["pages"] for entry in self.entries)
        footer["payload"] = sum(len(record.payload)
                                for record in self.records)
        footer["digest"] = self.digest()
        footer["end"] = index_offset + footer["index_length"] + FOOTER_BYTES
        footer.seal()

    def digest(self):
        """The chain over the header checksums that the index has."""
        digest = 0
        for entry in self.entries:
            digest = xxh3_64(struct.pack("<QQ", digest,
                                         entry["header_checksum"]))
        return digest

    def change_header(self, **fields):
        """Change fields of the file header, its checksum right after."""
        self.header.change(**fields)
