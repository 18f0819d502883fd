#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""recover against every byte flipped, every record lost, every cut at 4 KiB:
exit 0 only with every byte right, and never a wrong byte outside of what it
reports as missing."""

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

IOPRESS = os.environ["IOPRESS"]
CHUNK = 65536
RECORD_MAGIC = b"IPRC"
PADDING_STEP = 97
ID = "000102030405060708090a0b0c0d0e0f"
UNORDERED = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                         "../lib/unordered_image.py")


def make_source(path):
    """Seven windows: text, noise, a hole in between, an end within a page."""
    generator = random.Random(11)
    data = bytearray(7 * CHUNK - 1234)
    for window in (0, 1, 3, 4, 6):
        text = b"window %d of the source\n" % window * 300
        data[window * CHUNK:window * CHUNK + len(text)] = text
    data[4 * CHUNK + 8192:4 * CHUNK + 8192 + 200] = generator.randbytes(200)
    data[-10:] = b"the end..."
    with open(path, "wb") as file:
        file.write(data)
    return bytes(data)


class Recover:
    def __init__(self, folder, expected):
        self.folder, self.expected = folder, expected

    def check(self, name, damaged, complete):
        """Recover DAMAGED; COMPLETE says whether all must come back,
        None that it may."""
        image = os.path.join(self.folder, f"{name}.image")
        output = os.path.join(self.folder, f"{name}.output")
        with open(image, "wb") as file:
            file.write(damaged)
        result = subprocess.run(
            [IOPRESS, "recover", "-T", "serial", "--json", image, output],
            capture_output=True, text=True, timeout=60)
        try:
            return self.judge(name, result, output, complete)
        finally:
            for path in (image, output):
                if os.path.exists(path):
                    os.unlink(path)

    def judge(self, name, result, output, complete):
        if result.returncode not in (0, 3):
            return f"{name}: exit status {result.returncode}: {result.stderr}"
        if complete not in (None, result.returncode == 0):
            return (f"{name}: exit status {result.returncode}: "
                    f"{result.stdout} {result.stderr}")
        if not os.path.exists(output):
            return None if "not one whole record" in result.stderr else (
                f"{name}: no output: {result.stderr}")
        with open(output, "rb") as file:
            found = bytearray(file.read())
        report = json.loads(result.stdout)
        if report["complete"] != (result.returncode == 0):
            return f"{name}: report and exit status differ"
        if report["versions_uncertain"]:
            return None
        if len(found) != len(self.expected):
            return f"{name}: {len(found)} bytes"
        for gap in report["missing"]:
            end = gap["offset"] + gap["size"]
            if any(found[gap["offset"]:end]):
                return f"{name}: what is missing is not zero"
            found[gap["offset"]:end] = self.expected[gap["offset"]:end]
        if found != self.expected:
            return f"{name}: a wrong byte is reported as right"
        return None


def cases(image, records_end):
    """Every damage: its name, the damaged image, whether all must come back."""
    starts = [at for at in range(4096, records_end)
              if image.startswith(RECORD_MAGIC, at)]
    for at in range(len(image)):
        if 256 <= at < 4096 and at % PADDING_STEP:
            continue
        flipped = bytearray(image)
        flipped[at] ^= 1 << at % 8
        inside = 4096 <= at < records_end
        yield f"flip-{at}", bytes(flipped), not inside
    for start, end in zip(starts, starts[1:] + [records_end]):
        yield (f"lost-{start}",
               image[:start] + bytes(end - start) + image[end:], False)
        yield f"cut-out-{start}", image[:start] + image[end:], False
    for size in range(0, len(image), 4096):
        yield f"cut-{size}", image[:size], False
    yield "whole", image, True
    yield "headless", bytes(4096) + image[4096:], True
    # The last record is that of the last window: nothing can come after it.
    yield "no-index", image[:records_end], True
    yield "no-index-but-footer", (image[:records_end] + bytes(
        len(image) - records_end - 96) + image[-96:]), True


def unordered_cases(folder, source, new):
    """The same of an image that holds older records, too."""
    older = os.path.join(folder, "older")
    with open(source, "rb") as file:
        data = bytearray(file.read())
    for window in (1, 3):
        data[window * CHUNK:window * CHUNK + 5] = b"older"
    with open(older, "wb") as file:
        file.write(data)
    image = os.path.join(folder, "unordered")
    subprocess.run([IOPRESS, "save", "--chunk-size", "64K", "--image-id", ID,
                    older, older + ".iop"], check=True)
    subprocess.run([sys.executable, UNORDERED, older + ".iop", new, image],
                   check=True)
    with open(image, "rb") as file:
        data = file.read()
    for at in range(4096, len(data), 23):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        yield f"unordered-flip-{at}", bytes(flipped), None
    for size in range(4096, len(data), 199):
        yield f"unordered-cut-{size}", data[:size], False
        yield (f"unordered-headless-cut-{size}",
               bytes(4096) + data[4096:size], False)
    yield "unordered", data, True


def main():
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "source")
        path = os.path.join(folder, "whole")
        expected = make_source(source)
        subprocess.run([IOPRESS, "save", "--chunk-size", "64K", "--image-id",
                        ID, source, path], check=True)
        with open(path, "rb") as file:
            image = file.read()
        records_end = image.rindex(b"IPIX")
        recover = Recover(folder, expected)
        with ThreadPoolExecutor(2) as pool:
            wrong = [text for text in pool.map(
                lambda case: recover.check(*case),
                itertools.chain(cases(image, records_end),
                                unordered_cases(folder, source, path)))
                     if text]
    print("\n".join(wrong[:20]))
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
