# SPDX-License-Identifier: LGPL-2.1-or-later
# Pages of synthetic mapped-ram files: which are present, and what they hold.

import struct

PIECE = 4096            # what content is made of, whatever the page size


# Which pages are present: lists of (first page, count), ascending.

def runs_of_length(pages, rng, length, gap):
    runs, page = [], rng.randrange(gap)
    while page < pages:
        count = min(rng.randint(1, 2 * length - 1), pages - page)
        runs.append((page, count))
        page += count + rng.randint(1, 2 * gap - 1)
    return runs


def runs_far_apart(pages, rng):
    starts = sorted({rng.randrange(pages) for _ in range(12)})
    return [(start, min(rng.randint(1, 200), following - start))
            for start, following in zip(starts, starts[1:] + [pages])]


def runs_at_ends(pages):
    return [(0, 1), (pages - 1, 1)] if pages > 1 else [(0, 1)]


def choose_runs(pattern, pages, page_size, rng):
    if pages == 0 or pattern == "empty":
        return []
    if pattern == "dense":
        return [(0, pages)]
    if pattern == "random":
        return runs_of_length(pages, rng, 2, 2)
    if pattern == "sparse":
        return runs_of_length(pages, rng, 1, 100)
    if pattern == "extents":            # of about 35 KiB, as guests have
        length = max(1, 35840 // page_size)
        return runs_of_length(pages, rng, length, 2 * length)
    if pattern == "holes":
        return runs_far_apart(pages, rng)
    if pattern == "ends":
        return runs_at_ends(pages)
    raise ValueError(f"unknown pattern: {pattern}")


def gaps_between(runs, pages):
    """The runs of absent pages."""
    gaps, page = [], 0
    for first, count in runs:
        if first > page:
            gaps.append((page, first - page))
        page = first + count
    if page < pages:
        gaps.append((page, pages - page))
    return gaps


# What pages hold.

def text_piece(rng):
    words = [b"guest", b"kernel", b"page", b"/usr/lib/", b"0x%x", b"\n"]
    line = b" ".join(rng.choice(words) for _ in range(24))
    return (line + b"%d " % rng.randrange(1000000)) * 64


def pointer_piece(rng):
    base = 0xffff888000000000 + rng.randrange(1 << 36) * 64
    return b"".join(struct.pack("<Q", base + 64 * i * rng.randint(1, 3))
                    for i in range(PIECE // 8))


def thin_piece(rng):
    piece = bytearray(PIECE)
    for _ in range(rng.randint(1, 8)):
        piece[rng.randrange(PIECE)] = rng.randint(1, 255)
    return bytes(piece)


def make_piece(content, rng):
    """4096 bytes, not all of them zero."""
    kind = content
    if kind == "mixed":
        kind = rng.choices(["text", "pointers", "thin", "random"],
                           [3, 3, 2, 2])[0]
    if kind == "random":
        return b"\1" + rng.randbytes(PIECE - 1)
    maker = {"text": text_piece, "pointers": pointer_piece,
             "thin": thin_piece}[kind]
    return maker(rng)[:PIECE].ljust(PIECE, b"\1")


def make_page(page_size, content, rng):
    """A page, not all zero; large ones have zero pieces as real ones do."""
    if page_size < PIECE:
        return b"\1" + make_piece(content, rng)[1:page_size]
    pieces = [make_piece(content, rng)]
    for _ in range(page_size // PIECE - 1):
        zero = content == "mixed" and rng.random() < 0.3
        pieces.append(bytes(PIECE) if zero else make_piece(content, rng))
    rng.shuffle(pieces)
    return b"".join(pieces)


def set_bits(bitmap, first, count):
    """Bits FIRST .. FIRST + COUNT - 1 of a little-endian bitmap."""
    while count and first % 8:
        bitmap[first >> 3] |= 1 << (first & 7)
        first, count = first + 1, count - 1
    whole = count >> 3
    bitmap[first >> 3:(first >> 3) + whole] = b"\xff" * whole
    first, count = first + 8 * whole, count & 7
    if count:
        bitmap[first >> 3] |= (1 << count) - 1
