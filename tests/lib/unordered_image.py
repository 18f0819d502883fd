#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes an unordered image (docs/format.md, section 8) of two ordered ones with
# the same image id and chunk size: of an older state of the source, and of the
# one that counts.
#
#   unordered_image.py OLD NEW OUTPUT [CHANGE]
#
# The source has some of windows 0 to 4, and 6; old records of 1 and 3 stand
# before the new ones, with bytes between that belong to none.  CHANGE is one of the functions
# below.

import sys

from iopress_image import Image, IndexEntry

CHUNK = 65536
UNORDERED = 1


class Unordered:
    def __init__(self, old, new):
        self.image = new
        new.change_header(incompatible=UNORDERED)
        older = {record.header["window"]: record for record in old.records}
        newer = {record.header["window"]: record for record in new.records}
        self.data = bytearray(new.prefix + new.header.data + new.padding)
        self.old_places, self.places = {}, {}
        for records, window, places in (
                (older, 1, self.old_places), (newer, 4, self.places),
                (older, 3, self.old_places), (newer, 6, self.places),
                (newer, 1, self.places), (newer, 0, self.places),
                (newer, 2, self.places), (newer, 3, self.places)):
            if window not in records:
                continue
            self.data += b"dead IPRC" * (window + 1)
            places[window] = len(self.data)
            self.data += records[window].data
        self.entries = [self.entry(newer[window], self.places[window])
                        for window in sorted(newer)]
        self.index_offset = len(self.data)
        self.old_length = len(older[1].data)
        self.size = None
        self.damage = {}

    @staticmethod
    def entry(record, offset):
        entry = IndexEntry(bytes(IndexEntry.SIZE))
        for name, value in (("window", record.header["window"]),
                            ("offset", offset), ("length", len(record.data)),
                            ("pages", record.header["raw"] // 4096),
                            ("header_checksum", record.header["checksum"])):
            entry[name] = value
        return entry

    def finish(self):
        image = self.image
        start = len(image.prefix)
        self.data[start:start + image.header.SIZE] = image.header.data
        image.entries = self.entries
        image.seal_index()
        image.total()
        image.footer["payload"] = sum(entry["length"] - 82
                                      for entry in self.entries)
        image.footer["index_offset"] = self.index_offset
        image.footer["end"] = (self.index_offset + image.footer.SIZE +
                               image.footer["index_length"])
        image.footer.seal()
        data = self.data + image.index.data
        for entry in self.entries:
            data += entry.data
        data += image.footer.data
        for offset, what in self.damage.items():
            data[offset:offset + len(what)] = what
        return data[:self.size]


def whole(image):
    """Nothing."""


def overlapping(image):
    """Two entries name the same bytes."""
    image.entries[2]["offset"] = image.entries[0]["offset"] + 1


def before(image):
    """A record stands before the first can."""
    image.entries[1]["offset"] = 4095


def behind(image):
    """A record reaches into the index."""
    image.entries[1]["offset"] = image.index_offset - 80


def past_end(image):
    """A page of the last window lies past the end of the source."""
    image.image.change_header(source=4 * CHUNK + 8192)


def old_named(image):
    """The index names the old record of window 1, which has no say."""
    image.entries[1]["offset"] = image.old_places[1]
    image.entries[1]["length"] = image.old_length


def damaged_record(image):
    """The new record of window 1 is damaged, the old one is not."""
    image.damage[image.places[1] + 4000] = b"damaged"


def no_index(image):
    """The index is lost, the footer is there."""
    image.damage[image.index_offset] = b"lost"


def no_footer(image):
    """The footer is lost, the index is there."""
    image.size = -96


def cut(image):
    """Footer and index are lost."""
    image.size = image.index_offset


def cut_record(image):
    """Footer, index and the end of the newest record, window 3's, are lost."""
    image.size = image.index_offset - 100


def no_header(image):
    """The file header is lost."""
    image.damage[len(image.image.prefix)] = bytes(256)


def only_records(image):
    """File header, index and footer are lost."""
    no_header(image)
    cut(image)


def unfinished(image):
    """It has the header of when it was begun, and nothing at its end."""
    image.image.change_header(source=CHUNK)
    cut(image)


def main(old, new, output, change="whole"):
    image = Unordered(Image.read(old), Image.read(new))
    globals()[change](image)
    with open(output, "wb") as file:
        file.write(image.finish())


main(*sys.argv[1:])
