# SPDX-License-Identifier: LGPL-2.1-or-later
# Damage to index and footer, and to the file as a whole.

from mutations import (ENTRIES_SUM, NOT_NAMED, NOT_THE_RECORDS, SUM, cut_case,
                       entry_case, footer_case, index_case, mutation)
from sample import LAST


# The index.

index_case("index_magic", "index header: magic is missing",
           piped="record header: magic is missing", magic=b"IPIY")


@mutation(f"index header: checksum is {SUM}, expected {SUM}")
def index_unsealed(image, _work):
    image.index["count"] += 1


index_case("index_entry_length",
           "index header: entry length is 64, expected 32", entry_length=64)
index_case("index_image_id", "index header: belongs to another image",
           image_id=bytes(16))
index_case("index_count_past_source", "index header: 6 entries, but the "
           "source has only 5 windows", count=6)
index_case("index_count_huge", "index header: 18446744073709551615 entries, "
           "but the source has only 5 windows", count=(1 << 64) - 1)
index_case("index_count_less", "index: it has 3 entries, the footer says 4",
           piped=NOT_THE_RECORDS, count=3)


@mutation(ENTRIES_SUM, NOT_THE_RECORDS)
def entry_unsealed(image, _work):
    image.entries[2]["offset"] += 1


@mutation(ENTRIES_SUM, f"{ENTRIES_SUM}|{NOT_THE_RECORDS}")
def index_entries_checksum(image, _work):
    image.index["entries_checksum"] ^= 1
    image.index.seal()


entry_case("entry_window_past_end", "index: window 9 is past the end of the "
           "source, which has 5", which=3, window=9)
entry_case("entry_window_order", "index: window 0 follows window 0", window=0)
entry_case("entry_window_other", NOT_NAMED.format(2), window=2)
entry_case("entry_offset",
           "index: record of window 1 is at offset 1, expected [0-9]+",
           offset=1)
entry_case("entry_offset_huge", "index: record of window 1 is at offset "
           "18446744073709551615, expected [0-9]+", offset=(1 << 64) - 1)
entry_case("entry_length_zero", "index: record of window 1 has 0 bytes, "
           "expected 83 to 12370", length=0)
entry_case("entry_length_huge", "index: record of window 1 has 4294967295 "
           "bytes, expected 83 to 12370", length=(1 << 32) - 1)
entry_case("entry_length_shorter",
           "index: record of window 3 is at offset [0-9]+, expected [0-9]+",
           length=12000)
entry_case("entry_pages_too_many",
           "index: window 1 has 17 pages, expected 1 to 16", pages=17)
entry_case("entry_pages_other", NOT_NAMED.format(1), pages=4)
entry_case("entry_header_checksum", NOT_NAMED.format(1), header_checksum=1)


@mutation("index: record of window 4 reaches past the index at offset [0-9]+",
          NOT_THE_RECORDS)
def entry_last_reaches_past(image, _work):
    image.entries[LAST]["length"] += 1
    image.entries[LAST]["pages"] = 2
    image.seal_index()
    image.total()


# The footer.

@mutation("footer: end magic is missing, the image is incomplete")
def footer_end_magic(image, _work):
    image.footer["end_magic"] = bytes(8)


footer_case("footer_magic", "footer: magic is missing", magic=b"IPFU")


@mutation(f"footer: checksum is {SUM}, expected {SUM}")
def footer_unsealed(image, _work):
    image.footer["digest"] ^= 1


footer_case("footer_image_id", "footer: belongs to another image",
            image_id=bytes(16))
footer_case("footer_length", "footer: length is 97, expected 96", length=97)
footer_case("footer_end",
            "footer: image ends at offset [0-9]+, expected 1", end=1)
footer_case("footer_records_too_many",
            "footer: 6 records, but the source has only 5 windows", records=6)
footer_case("footer_records_huge", "footer: 18446744073709551615 records, but "
            "the source has only 5 windows", records=(1 << 64) - 1)
footer_case("footer_records_other",
            "footer: index has 176 bytes, expected 144", records=3)
footer_case("footer_pages_zero",
            "footer: 0 pages, expected 4 to 64", pages=0)
footer_case("footer_pages_too_many",
            "footer: 65 pages, expected 4 to 64", pages=65)
footer_case("footer_pages_other", "footer: totals do not agree with the "
            "(index|records)", pages=20)
footer_case("footer_payload",
            "footer: index is at offset [0-9]+, expected [0-9]+", payload=5000)
footer_case("footer_payload_huge", "footer: 18446744073709551615 payload "
            "bytes, expected 4 to [0-9]+", payload=(1 << 64) - 1)
footer_case("footer_index_offset",
            "footer: index is at offset 4096, expected [0-9]+",
            index_offset=4096)
footer_case("footer_index_offset_huge", "footer: index is at offset "
            "18446744073709551615, expected [0-9]+",
            index_offset=(1 << 64) - 1)
footer_case("footer_index_length",
            "footer: index has 17 bytes, expected 176", index_length=17)
footer_case("footer_index_length_huge", "footer: index has "
            "18446744073709551615 bytes, expected 176",
            index_length=(1 << 64) - 1)
footer_case("footer_digest",
            "footer: totals do not agree with the (index|records)", digest=0)


# The file as a whole.

cut_case("cut_to_nothing", 0, "not an iopress image")
cut_case("cut_in_magic", 4, "not an iopress image")
cut_case("cut_in_header", 255, "not an iopress image")
cut_case("cut_after_header", 256,
         "the image is incomplete: it ends before its footer",
         "the image is incomplete: it ends at byte 256")
cut_case("cut_before_records", 4096,
         "the image is incomplete: it ends before its footer",
         "the image is incomplete: it ends at byte 4096")
cut_case("cut_in_record_header", 4136,
         "the image is incomplete: it ends before its footer",
         "the image is incomplete: it ends at byte 4136")
cut_case("cut_in_payload", 10000,
         "footer: end magic is missing, the image is incomplete",
         "the image is incomplete: it ends at byte 10000")
cut_case("cut_before_footer", -96,
         "footer: end magic is missing, the image is incomplete",
         "the image is incomplete: it ends at byte [0-9]+")
cut_case("cut_in_footer", -1,
         "footer: end magic is missing, the image is incomplete",
         "the image is incomplete: it ends at byte [0-9]+")


@mutation("footer: end magic is missing, the image is incomplete",
          "the image is incomplete: it ends at byte [0-9]+")
def cut_before_index(image, _work):
    end = len(b"".join(bytes(record.data) for record in image.records))
    return image.data()[:image.records_start() + end]


@mutation("footer: end magic is missing, the image is incomplete",
          "bytes follow the footer")
def byte_appended(image, _work):
    return image.data() + b"\0"


@mutation("footer: image ends at offset [0-9]+, expected [0-9]+",
          "bytes follow the footer")
def image_appended(image, _work):
    return image.data() * 2


@mutation("footer: image ends at offset [0-9]+, expected [0-9]+",
          "bytes follow the footer")
def footer_appended(image, _work):
    return image.data() + bytes(image.footer.data)


@mutation("not an iopress image")
def zeros(_image, _work):
    return bytes(100000)


@mutation("file header: prefix length is 0, but the header is at offset 512")
def bytes_before(image, _work):
    return bytes(512) + image.data()
