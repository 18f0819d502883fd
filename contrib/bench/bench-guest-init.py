# SPDX-License-Identifier: LGPL-2.1-or-later
# The only process of contrib/bench's guest: works as ordinary programs do
# until most of the memory is in use.  Says READY on the second serial port,
# is told "fill MIB", and answers FILLED.

import ast
import ctypes
import json
import os
import random
import sqlite3
import sys
import termios
import tty

KEEP_FREE_KIB = 48 << 10


def mount(kind, place, options=None):
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(kind.encode(), place.encode(), kind.encode(), 0,
                     options):
        raise OSError(ctypes.get_errno(), place)


def free_kib():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1])
    return 0


def sources():
    """The text of the standard library's modules, for ever."""
    folder = os.path.dirname(os.__file__)
    names = sorted(name for name in os.listdir(folder)
                   if name.endswith(".py"))
    while True:
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8",
                      errors="replace") as file:
                yield name, file.read()


def store(database, generator, name, text):
    """Rows as an application has them: text, numbers, random keys."""
    rows = [(name, number, line, generator.random(), generator.randbytes(16))
            for number, line in enumerate(text.splitlines())]
    database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", rows)
    database.commit()


def remember(kept, generator, name, text):
    """Objects on the heap: syntax trees, dictionaries, JSON, a picture."""
    tree = ast.parse(text)
    kept.append(tree)
    words = text.split()
    kept.append({word: words.count(word) for word in words[:200]})
    kept.append(json.dumps({"name": name, "words": words}))
    kept.append(generator.randbytes(len(text) // 2))


def fill():
    generator = random.Random(1)
    database = sqlite3.connect("/data/database")
    database.execute("CREATE TABLE lines (name TEXT, number INTEGER, "
                     "line TEXT, weight REAL, key BLOB)")
    database.execute("CREATE INDEX by_key ON lines (key)")
    kept = []
    for name, text in sources():
        if free_kib() < KEEP_FREE_KIB:
            return kept, database
        store(database, generator, name, text)
        remember(kept, generator, name, text)


def main():
    mount("devtmpfs", "/dev")
    mount("proc", "/proc")
    mount("tmpfs", "/data", b"size=100%")
    port = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port, termios.TCSANOW)
    os.write(port, b"READY\n")
    while not os.read(port, 256).endswith(b"\n"):
        pass
    kept = fill()
    os.write(port, b"FILLED\n")
    os.read(port, 1)
    sys.exit(len(kept))


main()
