# SPDX-License-Identifier: LGPL-2.1-or-later
# The source and the image that the mutations start from.

import random

from iopress_image import PAGE, STORED, Image
from test_program import read, succeed

CHUNK = 65536
IMAGE_ID = "00112233445566778899aabbccddeeff"
OTHER_ID = "ffeeddccbbaa99887766554433221100"

# Windows of the sample: 0 and 3 are compressed, 1 is stored, 2 is absent, 4
# ends within its second page.
COMPRESSED, STORED_ONE, COMPRESSED_LATER, LAST = range(4)       # records
SOURCE_BYTES = 4 * CHUNK + PAGE + 1000


def text_page(number):
    return (b"page %06d of the sample, " % number * 200)[:PAGE]


def sample_source(seed=0):
    rng = random.Random(seed)
    source = bytearray(SOURCE_BYTES)
    for page in (0, 1, 5, 48, 49, 50, 63):
        source[page * PAGE:(page + 1) * PAGE] = text_page(page + 1000 * seed)
    for page in (17, 18, 30):
        source[page * PAGE:(page + 1) * PAGE] = rng.randbytes(PAGE)
    source[-1500:] = b"tail " * 300
    return bytes(source)


def make_image(work, source, codec="zstd", image_id=IMAGE_ID):
    """The bytes of an image of SOURCE."""
    path = work.file("sample.source", source)
    output = work.file("sample.image")
    succeed("save", "--force", "--chunk-size", str(CHUNK), "-c", codec,
            "--image-id", image_id, path, output)
    return read(output)


def sample_image(work, **options):
    data = make_image(work, sample_source(), **options)
    image = Image(data)
    assert image.data() == data
    assert [r.header["window"] for r in image.records] == [0, 1, 3, 4]
    assert image.records[STORED_ONE].header["flags"] == STORED
    assert image.records[COMPRESSED].header["flags"] == 0
    return image
