# SPDX-License-Identifier: LGPL-2.1-or-later
# Damage to the file header, and what is none.

from mutations import FOREIGN, SUM, accepted, header_case, mutation
from sample import CHUNK, SOURCE_BYTES


header_case("header_magic", "not an iopress image", magic=b"IOPRESS2")


@mutation(f"file header: checksum is {SUM}, expected {SUM}")
def header_unsealed(image, _work):
    image.header["level"] = 7


header_case("header_major_next",
            "file header: format version 2.0 is not supported, only 1.x",
            major=2)
header_case("header_major_zero",
            "file header: format version 0.0 is not supported, only 1.x",
            major=0)
header_case("header_incompatible",
            "file header: unknown incompatible features 0x8000000000000002",
            incompatible=1 << 63 | 2)
header_case("header_length", "file header: length is 512, expected 256",
            length=512)
header_case("header_reserved_short",
            "file header: reserved bytes are not zero", reserved_short=1)
header_case("header_reserved_long",
            "file header: reserved bytes are not zero",
            reserved_long=bytes(87) + b"\1")
header_case("header_prefix_elsewhere", "file header: prefix length is 4096, "
            "but the header is at offset 0", prefix=4096)
header_case("header_source_too_large",
            "file header: source size 9223372036854775808 is too large",
            source=1 << 63)
header_case("header_chunk_too_small", "file header: chunk size 32768 is not "
            "a power of two from 65536 to 16777216", chunk=32768)
header_case("header_chunk_too_large", "file header: chunk size 33554432 is "
            "not a power of two from 65536 to 16777216", chunk=1 << 25)
header_case("header_chunk_odd", "file header: chunk size 98304 is not a "
            "power of two from 65536 to 16777216", chunk=98304)
header_case("header_chunk_zero", "file header: chunk size 0 is not a "
            "power of two from 65536 to 16777216", chunk=0)
header_case("header_kind", "file header: unknown kind of source 2", kind=2)
CODEC_NAME = ("file header: codec name is not 1 to 15 characters of a-z, 0-9 "
              "and '-'")
header_case("header_codec_upper_case", CODEC_NAME, codec=b"ZSTD")
header_case("header_codec_path", CODEC_NAME, codec=b"../zstd")
header_case("header_codec_empty", CODEC_NAME, codec=b"")
header_case("header_codec_unterminated", CODEC_NAME, codec=b"a" * 16)
header_case("header_codec_after_nul", CODEC_NAME, codec=b"zstd\0x")
PARAMETERS = ("file header: codec parameters are not up to 63 printable "
              "characters")
header_case("header_parameters_control", PARAMETERS, parameters=b"\x1b[2J")
header_case("header_parameters_unterminated", PARAMETERS,
            parameters=b"x" * 64)


@mutation("footer: belongs to another image",
          "the record at byte 4096 belongs to another image")
def header_image_id(image, _work):
    image.change_header(image_id=bytes(16))


@mutation(FOREIGN.format(0),
          "the record at byte 4096 belongs to another image")
def header_source_size(image, _work):
    image.change_header(source=SOURCE_BYTES + 1)


@mutation("footer: 4 records, but the source has only 3 windows",
          "the record at byte 4096 belongs to another image")
def header_chunk_other(image, _work):
    image.change_header(chunk=2 * CHUNK)


@mutation("window 0: a compressed record in an image without codec")
def header_codec_stored(image, _work):
    image.change_header(codec=b"stored")


# What is none.

@accepted
def unchanged(_image, _work):
    pass


@accepted
def later_minor_version(image, _work):
    image.change_header(minor=7, reserved_short=1,
                        reserved_long=b"\xff" * 88)


@accepted
def unknown_compatible_features(image, _work):
    image.change_header(compatible=(1 << 64) - 2)


@accepted
def other_level_and_parameters(image, _work):
    image.change_header(level=-2000000000, parameters=b"no such parameter")


@accepted
def padding_not_zero(image, _work):
    image.padding[:] = b"\xff" * len(image.padding)
