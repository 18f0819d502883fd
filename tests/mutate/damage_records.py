# SPDX-License-Identifier: LGPL-2.1-or-later
# Damage to records.

import struct

from iopress_image import PAGE, STORED, Image
from mutations import (FOREIGN, NOT_NAMED, NOT_THE_RECORDS, SUM, mutation,
                       named, record_case)
from sample import (CHUNK, COMPRESSED, COMPRESSED_LATER, LAST, OTHER_ID,
                    SOURCE_BYTES, STORED_ONE, make_image, sample_source)


@mutation("window 0: record header: magic is missing",
          "record header: magic is missing")
def record_magic(image, _work):
    image.records[COMPRESSED].header["magic"] = b"IPRD"


@mutation(f"window 0: record header: checksum is {SUM}, expected {SUM}",
          f"record header: checksum is {SUM}, expected {SUM}")
def record_unsealed(image, _work):
    image.records[COMPRESSED].header["raw"] ^= PAGE


record_case("record_flags", "record header: unknown flags 0x2", flags=2)
record_case("record_stored_flag_set", "record header: stored payload length "
            "[0-9]+ is not the raw length 12288", flags=STORED)
record_case("record_image_id", FOREIGN.format(0),
            piped="the record at byte 4096 belongs to another image",
            image_id=bytes.fromhex(OTHER_ID))
record_case("record_source_size", FOREIGN.format(0),
            piped="the record at byte 4096 belongs to another image",
            source=SOURCE_BYTES + 1)
record_case("record_prefix", FOREIGN.format(0),
            piped="the record at byte 4096 belongs to another image",
            prefix=1)
record_case("record_chunk_size", FOREIGN.format(0),
            piped="the record at byte 4096 belongs to another image",
            chunk=2 * CHUNK)
record_case("record_chunk_bad", "record header: chunk size 4096 is not a "
            "power of two from 65536 to 16777216", chunk=4096)
record_case("record_source_huge",
            "record header: source size 18446744073709551615 is too large",
            source=(1 << 64) - 1)
record_case("record_window_past_end",
            "index: window 5 is past the end of the source, which has 5",
            which=LAST, window=5, piped="record header: window 5 is past the "
            "end of the source, which has 5")
record_case("record_window_huge", "index: window 18446744073709551615 is "
            "past the end of the source, which has 5", which=LAST,
            window=(1 << 64) - 1,
            piped="record header: window 18446744073709551615 is past the "
            "end of the source, which has 5")
record_case("record_window_twice", "index: window 0 follows window 0",
            which=STORED_ONE, window=0, piped="window 0 is out of order")
record_case("record_raw_zero",
            "index: window 0 has 0 pages, expected 1 to 16", raw=0,
            piped="record header: raw length 0 is not a multiple of 4096 from "
            "4096 to 65536")
record_case("record_raw_odd", "record header: raw length 12289 is not a "
            "multiple of 4096 from 4096 to 65536", raw=12289)
record_case("record_raw_past_source", "index: window 4 has 3 pages, expected "
            "1 to 2", which=LAST, raw=3 * PAGE, piped="record header: raw "
            "length 12288 is not a multiple of 4096 from 4096 to 8192")
record_case("record_raw_more", "record of window 0: page map has 3 pages, "
            "expected 4", raw=4 * PAGE)
record_case("record_raw_checksum",
            "window 0: the checksum of its pages is wrong", raw_checksum=1)
record_case("record_stored_checksum", f"record of window 0: stored checksum "
            f"is {SUM}, expected 0x0000000000000001", stored_checksum=1)


def payload_length_case(name, message, length):
    """A length that is not from 1 to that of the pages."""
    def change(image, _work):
        header = image.records[COMPRESSED].header
        header.change(payload=length)
        image.entries[0]["header_checksum"] = header["checksum"]
        image.seal_index()
        image.total()
    mutation(message)(named(name, change))


payload_length_case("record_payload_zero", "record header: payload length 0 "
                    "is not from 1 to the raw length 12288", 0)
payload_length_case("record_payload_too_long", "record header: payload length "
                    "65536 is not from 1 to the raw length 12288", 65536)


@mutation("window 1: codec zstd cannot decompress it: not exactly one "
          "Zstandard frame")
def record_stored_flag_cleared(image, _work):
    image.records[STORED_ONE].header["flags"] = 0
    image.records[STORED_ONE].seal()
    image.reindex()


def change_map(image, which, byte, value):
    image.records[which].map[byte] = value
    image.records[which].seal()
    image.reindex()


@mutation(f"record of window 0: stored checksum is {SUM}, expected {SUM}")
def map_unsealed(image, _work):
    image.records[COMPRESSED].map[0] ^= 1


@mutation("record of window 0: page map has 2 pages, expected 3")
def map_bit_cleared(image, _work):
    change_map(image, COMPRESSED, 0, image.records[COMPRESSED].map[0] & ~1)


@mutation("record of window 0: page map has 4 pages, expected 3")
def map_bit_set(image, _work):
    change_map(image, COMPRESSED, 1, image.records[COMPRESSED].map[1] | 128)


@mutation("record of window 4: page 2 is past the end of the source")
def map_past_source(image, _work):
    image.records[LAST].header["raw"] = PAGE
    change_map(image, LAST, 0, 4)


@mutation(f"record of window 0: stored checksum is {SUM}, expected {SUM}")
def payload_unsealed(image, _work):
    image.records[COMPRESSED].payload[20] ^= 1


@mutation("window 0: (codec zstd cannot decompress it: .+|the checksum of "
          "its pages is wrong)")
def payload_changed(image, _work):
    record = image.records[COMPRESSED]
    record.payload[len(record.payload) // 2] ^= 255
    record.seal()
    image.reindex()


@mutation("window 1: the checksum of its pages is wrong")
def payload_stored_changed(image, _work):
    image.records[STORED_ONE].payload[5000] ^= 1
    image.records[STORED_ONE].seal()
    image.reindex()


def change_payload(image, payload):
    image.records[COMPRESSED].payload = bytearray(payload)
    image.records[COMPRESSED].seal()
    image.reindex()


NOT_ONE_FRAME = ("window 0: codec zstd cannot decompress it: not exactly one "
                 "Zstandard frame")


@mutation(NOT_ONE_FRAME)
def payload_garbage_after(image, _work):
    change_payload(image, image.records[COMPRESSED].payload + b"\0")


@mutation(NOT_ONE_FRAME)
def payload_two_frames(image, _work):
    change_payload(image, image.records[COMPRESSED].payload * 2)


@mutation(NOT_ONE_FRAME)
def payload_cut(image, _work):
    change_payload(image, image.records[COMPRESSED].payload[:-1])


@mutation(NOT_ONE_FRAME)
def payload_skippable_frame(image, _work):
    change_payload(image, struct.pack("<II", 0x184D2A50, 4) + bytes(4)
                   + image.records[COMPRESSED].payload)


@mutation("window 0: codec zstd cannot decompress it: .+")
def payload_of_longer_pages(image, _work):
    """The frame of window 3, which has four pages."""
    change_payload(image, image.records[COMPRESSED_LATER].payload)


@mutation("window 4: data after the end of the source")
def payload_past_source(image, work):
    source = bytearray(sample_source())
    source += b"!" * (-len(source) % PAGE)
    longer = Image(make_image(work, bytes(source))).records[LAST]
    longer.header["source"] = SOURCE_BYTES
    longer.header.seal()
    image.records[LAST] = longer
    image.reindex()


@mutation(FOREIGN.format(1),
          "the record at byte [0-9]+ belongs to another image")
def record_of_other_image(image, work):
    other = Image(make_image(work, sample_source(), image_id=OTHER_ID))
    image.records[STORED_ONE] = other.records[STORED_ONE]
    image.reindex()


@mutation(NOT_NAMED.format(1), NOT_THE_RECORDS)
def record_of_other_source(image, work):
    """Of an image with the same id, in the same place."""
    other = Image(make_image(work, sample_source(seed=1)))
    image.records[STORED_ONE] = other.records[STORED_ONE]


@mutation("index: window 0 follows window 1", "window 0 is out of order")
def records_swapped(image, _work):
    image.records[0:2] = image.records[1::-1]
    image.reindex()


@mutation(NOT_NAMED.format(0), "window 0 is out of order")
def records_swapped_index_kept(image, _work):
    """Only windows and header checksums of the entries stay behind."""
    image.records[0:2] = image.records[1::-1]
    for name in ("length", "pages"):
        first, second = image.entries[:2]
        first[name], second[name] = second[name], first[name]
    image.entries[1]["offset"] = (image.records_start()
                                  + image.entries[0]["length"])
    image.seal_index()
    image.total()


@mutation("index: window 1 follows window 1", "window 1 is out of order")
def record_twice(image, _work):
    image.records.insert(1, image.records[1])
    image.reindex()


@mutation("footer: image ends at offset [0-9]+, expected [0-9]+",
          "index: it does not agree with the records")
def record_missing(image, _work):
    del image.records[1]


@mutation("footer is at offset [0-9]+, but its index ends at [0-9]+",
          "index: it does not agree with the records")
def record_missing_footer_moved(image, _work):
    """Only the place of the footer is made right."""
    gone = len(image.records.pop(1).data)
    image.footer["end"] -= gone
    image.footer.seal()


@mutation("index: record of window 3 is at offset [0-9]+, expected [0-9]+",
          "index: it does not agree with the records")
def record_missing_entry_missing(image, _work):
    """As if window 1 had never been, but for the offsets in the index."""
    del image.records[1]
    del image.entries[1]
    image.seal_index()
    image.total()


@mutation("footer: image ends at offset [0-9]+, expected [0-9]+",
          "record header: magic is missing")
def gap_between_records(image, _work):
    image.records[0].payload += bytes(16)
