# SPDX-License-Identifier: LGPL-2.1-or-later
# Flips every byte of a small image in turn.  Each time restore must say that
# the image is damaged, or make the right file; the bytes that no checksum
# covers are known, and only they may pass unseen.

import concurrent.futures
import os

from iopress_image import PAGE, Image
from sample import make_image, text_page
from test_program import (BAD_INPUT, Crash, WorkFolder, read, requires_codec,
                          run)

# A stream is read by other code, and the same parts by fewer bytes.
PIPE_STEP = 11
PADDING_STEP = 16

# Most of a short run is waiting for the kernel to tear down its queues.
RUNS_AT_A_TIME = 8


def small_source(codec):
    """A page of text, and in the next window one that the end cuts; only
    that one where nothing gets smaller."""
    cut = text_page(2)[:1500]
    return cut if codec == "stored" else text_page(1) + bytes(15 * PAGE) + cut


def flipped(data, offset):
    damaged = bytearray(data)
    damaged[offset] ^= 1 << offset % 8
    return bytes(damaged)


def judge(process, output, expected):
    """Why this is not right, or None."""
    if process.returncode == BAD_INPUT:
        return None
    if process.returncode != 0:
        return f"exit status {process.returncode}: {process.stderr.decode()}"
    return None if output == expected else "WRONG FILE with exit status 0"


def flip_in_file(work, data, offset, expected):
    """Returns (why it is wrong or None, whether it was seen)."""
    image = work.file(f"image.{offset}", flipped(data, offset))
    output = work.file(f"output.{offset}")
    try:
        process = run("restore", "-T", "1", image, output)
        restored = process.returncode == 0
        why = judge(process, read(output) if restored else b"", expected)
        if not restored and os.path.exists(output):
            why = "output left over"
    except Crash as crash:
        return f"CRASH: {crash}", True
    finally:
        for path in (image, output):
            if os.path.exists(path):
                os.unlink(path)
    return why, not restored


def flip_in_pipe(_work, data, offset, expected):
    try:
        process = run("restore", "-T", "serial", "-", "-",
                      data=flipped(data, offset))
    except Crash as crash:
        return f"CRASH: {crash}", True
    return (judge(process, process.stdout, expected),
            process.returncode != 0)


def padding_of(data):
    image = Image(data)
    start = image.records_start() - len(image.padding)
    return range(start, image.records_start())


def offsets_of(data):
    """Every byte, but only some of the padding, which is all alike."""
    padding = padding_of(data)
    return [offset for offset in range(len(data))
            if offset not in padding or offset % PADDING_STEP == 0]


def flip_all(work, data, expected, flip, offsets):
    padding = padding_of(data)
    with concurrent.futures.ThreadPoolExecutor(RUNS_AT_A_TIME) as pool:
        results = pool.map(lambda offset: flip(work, data, offset, expected),
                           offsets)
        for offset, (why, seen) in zip(offsets, results):
            if why is None and seen == (offset in padding):
                why = "seen in the padding" if seen else "not seen"
            if why is not None:
                yield f"byte {offset}, {flip.__name__}: {why}"


def main(codec):
    requires_codec(codec)
    expected = small_source(codec)
    with WorkFolder() as work:
        data = make_image(work, expected, codec=codec)
        offsets = offsets_of(data)
        failures = list(flip_all(work, data, expected, flip_in_file, offsets))
        failures += flip_all(work, data, expected, flip_in_pipe,
                             offsets[::PIPE_STEP])
    print(f"{len(offsets)} bytes flipped, {len(failures)} failures")
    for failure in failures:
        print(f"FAIL: {failure}")
    return 1 if failures else 0
