# SPDX-License-Identifier: LGPL-2.1-or-later
# The files that contrib/bench measures with, the same bytes in every run.

import array
import os
import random
import string

PAGE = 4096
MIB = 1 << 20
CORPUS = 4 * MIB
SEED = "iopress benchmark 1"

# Of a guest's memory: kind, share of the pages, mean length of a run in
# pages.  The shares are such that zstd -1 shrinks what is not zero by 2.7.
KINDS = (("hole", 0.36, 96), ("zero", 0.02, 4), ("text", 0.27, 48),
         ("pointers", 0.30, 64), ("random", 0.05, 16))


def make_text(generator, size):
    """Words with the frequencies of a language, in lines."""
    letters = string.ascii_lowercase + "eeaoinrtsh"
    words = ["".join(generator.choices(letters,
                                       k=generator.randint(2, 11)))
             for _ in range(20000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    text = []
    length = 0
    while length < size:
        line = " ".join(generator.choices(words, weights, k=400))
        text.append(line.replace(" the", ".\n").encode() + b"\n")
        length += len(text[-1])
    return b"".join(text)[:size]


def make_pointers(generator, size):
    """Records of eight words: pointers, small numbers, flags, zeros."""
    bases = [0x7f0000000000 + generator.randrange(1 << 32) * PAGE
             for _ in range(24)]
    words = array.array("Q")
    for _ in range(size // 64):
        base = bases[min(generator.getrandbits(5), 23)]
        bits = generator.getrandbits(64)
        words.extend((base + (bits & 0x3fff) * 16, 0,
                      base + (bits >> 14 & 0x3ffff) * 16,
                      bits >> 32 & 0xffff, 1 << (bits >> 48 & 3),
                      bits >> 50 & 0xff, 0, 0xffffffff00000000))
    return words.tobytes()


class Image:
    """Writes a synthetic image run by run."""

    def __init__(self, path, seed):
        self.generator = random.Random(f"{SEED} {seed}")
        self.corpora = {"text": make_text(self.generator, CORPUS),
                        "pointers": make_pointers(self.generator, CORPUS)}
        self.path = path

    def shuffled(self):
        """A substitution of byte values: the same kind of data, yet no
        run repeats another.  Zero stays zero."""
        values = list(range(1, 256))
        self.generator.shuffle(values)
        return bytes([0, *values])

    def run(self, kind, length):
        if kind == "zero":
            return bytes(length)
        if kind == "random":
            return self.generator.randbytes(length)
        corpus = self.corpora[kind]
        start = self.generator.randrange(0, CORPUS - length, 8)
        return corpus[start:start + length].translate(self.shuffled())

    def write(self, size):
        names = [name for name, _, _ in KINDS]
        means = {name: mean for name, _, mean in KINDS}
        weights = [share / mean for _, share, mean in KINDS]
        with open(self.path, "wb") as file:
            at = 0
            while at < size:
                kind = self.generator.choices(names, weights)[0]
                pages = 1 + int(self.generator.expovariate(1 / means[kind]))
                length = min(pages * PAGE, size - at, CORPUS // 2)
                if kind != "hole":
                    file.seek(at)
                    file.write(self.run(kind, length))
                at += length
            file.truncate(size)


def synthetic(path, size):
    Image(path, "guest").write(size)


def all_random(path, size):
    generator = random.Random(f"{SEED} random")
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            file.write(generator.randbytes(MIB))


def all_zero(path, size):
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            file.write(bytes(MIB))


def dense(path, size):
    """What huge() strews, in one piece."""
    Image(path, "huge").write(size)


def huge(path, size):
    """The same data in 64 places of a file of 1 TiB."""
    dense(path, size)
    with open(path, "r+b") as file:
        pieces = [os.pread(file.fileno(), size // 64, index * (size // 64))
                  for index in range(64)]
        file.truncate(0)
        for index, piece in enumerate(pieces):
            strew(file, index << 34, piece)
        file.truncate(1 << 40)


def strew(file, at, piece):
    """Write PIECE at AT, its zero pages left out."""
    for start in range(0, len(piece), PAGE):
        page = piece[start:start + PAGE]
        if page.strip(b"\0"):
            file.seek(at + start)
            file.write(page)


def extents(path, size):
    """Extents of 4 to 68 KiB, 35 KiB in the mean, and holes like them."""
    image = Image(path, "extents")
    with open(path, "wb") as file:
        at = 0
        while at < size:
            length = min(image.generator.randint(1, 17) * PAGE, size - at)
            kind = image.generator.choice(("text", "pointers"))
            file.seek(at)
            file.write(image.run(kind, length))
            at += length + image.generator.randint(1, 17) * PAGE
        file.truncate(size)


# Name, what it is, how it is made, its size in MiB: full and with --quick.
EXTREMES = (
    ("random", "all pages random", all_random, 256, 32),
    ("zero", "all pages zero, allocated", all_zero, 1024, 64),
    ("dense", "the data of 1TiB in one piece", dense, 64, 16),
    ("1TiB", "1 TiB apparent with little data", huge, 64, 16),
    ("extents", "35 KiB extents", extents, 256, 32),
)


def make(path, maker, size):
    """Make a data file, flushed, so that later runs find the disk idle."""
    if not os.path.exists(path):
        maker(path + ".part", size)
        fd = os.open(path + ".part", os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        os.rename(path + ".part", path)
    return path
