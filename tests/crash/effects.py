# SPDX-License-Identifier: LGPL-2.1-or-later
# The effects of a run as record.c wrote them down, and the states that a power
# cut between any two of them can leave.
#
# The model: what a file's sync that has ended covers (every effect on it that
# had ended when the sync began) is there, in order.  Of all else, begun or
# ended, any part may be there: whole, not at all, or torn, a write at 512
# bytes and a punch at 4096, with or without the size it gives the file.
# Changes of names happen in order, and are certain once the folder was synced.

import random
import struct

ENTRY = struct.Struct("<ccxxxxxxQQQQ")
SECTOR = 512
PAGE = 4096


class Effect:
    """One change of a file or of the folder."""

    def __init__(self, what, begun, offset, length, data):
        self.what = what
        self.begun = begun      # number of the log's entry
        self.ended = None
        self.synced = None
        self.offset = offset
        self.length = length
        self.data = data

    def pieces(self):
        size = SECTOR if self.what == "W" else PAGE
        return -(-self.length // size)

    def apply(self, content, kept=None, grow=True):
        """Change CONTENT; only the KEPT pieces unless that is None."""
        if self.what == "T":
            resize(content, self.length)
            return
        end = self.offset + self.length
        if self.what == "W" and kept is None:
            resize(content, max(len(content), end))
            content[self.offset:end] = self.data
        elif self.what == "W":
            self.tear_write(content, kept, end if grow else 0)
        elif kept is None:
            clear(content, self.offset, end)
        else:
            for piece in kept:
                start = self.offset + piece * PAGE
                clear(content, start, min(start + PAGE, end))

    def tear_write(self, content, kept, size):
        resize(content, max(len(content), size))
        for piece in kept:
            start = piece * SECTOR
            part = self.data[start:start + SECTOR]
            place = self.offset + start
            resize(content, max(len(content), place + len(part)))
            content[place:place + len(part)] = part

    def __str__(self):
        return f"{self.what}({self.offset}, {self.length})"


def resize(content, size):
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def clear(content, start, end):
    end = min(end, len(content))
    if start < end:
        content[start:end] = bytes(end - start)


class Log:
    """All effects of a run, from the files there were before it."""

    def __init__(self, path, before, other_names=("image.part", "image")):
        self.before = before    # {"source": bytes, "image.part": bytes, ...}
        # What the file beside the source is called at first, and later.
        self.other_names = other_names
        self.effects = {"s": [], "i": [], "/": []}
        self.length = 0         # entries: so many points to cut at, and one
        self.notable = set()    # entries that are more than one of many writes
        with open(path, "rb") as file:
            self.parse(file.read())

    def parse(self, log):
        open_effects = {}
        offset = 0
        while offset < len(log):
            what, file, number, where, length, count = \
                ENTRY.unpack_from(log, offset)
            offset += ENTRY.size + count
            data = log[offset - count:offset]
            self.length += 1
            if what == b"d":
                if open_effects[number][1].what != "W":
                    self.notable.add(self.length)
                self.end(open_effects.pop(number))
                continue
            if what != b"W":
                self.notable.add(self.length)
            file = file.decode()
            effect = Effect(what.decode(), self.length, where, length, data)
            open_effects[number] = (file, effect)
            if effect.what != "S":
                self.effects[file].append(effect)

    def end(self, entry):
        file, effect = entry
        effect.ended = self.length
        if effect.what != "S":
            return
        for other in self.effects[file]:
            if other.synced is None and other.ended is not None \
               and other.ended < effect.begun:
                other.synced = self.length

    def at(self, cut):
        """For each file its effects before the CUT: (effect, certain)."""
        return {file: [(effect, effect.synced is not None
                        and effect.synced <= cut)
                       for effect in effects if effect.begun <= cut]
                for file, effects in self.effects.items()}

    def states(self, cut, chooser, singles, count):
        """States after a power cut: those with all or nothing of what is
        not certain, with one effect alone or missing, for SINGLES of them,
        and COUNT random ones.  Yields (files, how it came to be)."""
        effects = self.at(cut)
        open_count = sum(not certain for file in "si"
                         for _, certain in effects[file])
        names = effects["/"]
        loose = sum(not certain for _, certain in names)
        plans = [["-"] * open_count, ["+"] * open_count]
        alone = open_count if open_count > 1 else 0
        for i in chooser.sample(range(alone), min(alone, singles)):
            plans.append(["+" if i == j else "-" for j in range(open_count)])
            plans.append(["-" if i == j else "+" for j in range(open_count)])
        if open_count > 0:
            plans += [chooser.choices("-+~", [3, 2, 3], k=open_count)
                      for _ in range(count)]
        for plan in plans:
            renamed = chooser.randrange(loose + 1)
            for kept in {renamed, loose} if loose else {0}:
                how = f"cut {cut} {''.join(plan)} names {kept}/{loose}"
                yield self.build(effects, plan, len(names) - loose + kept,
                                 chooser.getrandbits(32)), how

    def build(self, effects, plan, name_count, seed):
        chooser = random.Random(seed)
        # What a run creates is another file than what had the name before.
        old = [name for name in self.before if name != "source"]
        fresh = any(effect.what == "C" for effect in self.effects["/"])
        names = {"source": "s", **{name: "o" if fresh else "i"
                                   for name in old}}
        for effect, _ in effects["/"][:name_count]:
            self.change_names(effect.what, names)
        plan = iter(plan)
        contents = {"s": self.content("source", effects["s"], plan, chooser),
                    "i": self.content(old[0] if old and not fresh else None,
                                      effects["i"], plan, chooser),
                    "o": self.before[old[0]] if old else b""}
        return {name: contents[file] for name, file in names.items()}

    def change_names(self, what, names):
        """Carry out a change of the folder: which of the two files has which
        name."""
        begun, done = self.other_names
        if what == "X":
            names["source"], names[begun] = names[begun], names["source"]
            return
        for name in (begun, done):
            names.pop(name, None)
        if what in "CR":
            names[begun if what == "C" else done] = "i"

    def content(self, name, effects, plan, chooser):
        content = bytearray(self.before[name] if name else b"")
        for effect, certain in effects:
            choice = "+" if certain else next(plan)
            if choice == "+" or (choice == "~" and effect.what == "T"):
                effect.apply(content)
            elif choice == "~":
                pieces = range(effect.pieces())
                kept = chooser.sample(pieces, chooser.randint(0, len(pieces)))
                effect.apply(content, kept, chooser.random() < 0.5)
        return bytes(content)
