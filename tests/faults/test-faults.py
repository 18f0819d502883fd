#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every I/O call of a save, a resumed save, a restore, an expand and a save
# --replace fails once in turn.  After each the exit status must be the
# documented one, and source plus image must still give every byte back.  At
# each call of the last two the process is killed as well.
#
#   test-faults.py [SITUATION [CALL:N:HOW]]

import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import repeat
from multiprocessing import get_context

from discard import (Source, iopress, is_whole_but_marked, jobs, mapped_ram,
                     mixed_pages, module, put_files, read, scratch,
                     take_files)

# What is tried on each call, and whether the program must get over it.
ABSORBED = {
    "setup": ["EAGAIN"],
    "submit": ["EAGAIN", "EINTR", "EIO", "short"],
    "aio-read": ["EAGAIN", "EINTR", "short"],
    "aio-write": ["EAGAIN", "EINTR", "short"],
    "getevents": ["EINTR"],
    "pread": ["EINTR", "short"],
    "pwrite": ["EINTR", "short"],
    "read": ["EINTR", "short"],
    "write": ["EAGAIN", "EINTR", "short"],
    "fdatasync": ["EINTR"],
    "fsync": ["EINTR"],
    "fallocate": ["EINTR"],
    "ftruncate": ["EINTR"],
    "lseek": ["EIO"],
    "clone": ["EOPNOTSUPP", "EINVAL", "EIO"],
}
# These may matter or not: some calls are only asked for an opinion.
SERIOUS = {
    "pread": ["EIO"],
    "read": ["EIO"],
    "open": ["EIO", "ENOSPC", "EMFILE", "EINTR"],
    "close": ["EIO"],
    "unlink": ["EIO"],
    "fallocate": ["EOPNOTSUPP"],
    "renameat2": ["EINVAL"],
}
# The program must not end well.
FATAL = {
    "aio-read": ["EIO"],
    "aio-write": ["EIO", "ENOSPC"],
    "pwrite": ["EIO", "ENOSPC"],
    "write": ["EIO", "ENOSPC"],
    "fdatasync": ["EIO", "ENOSPC"],
    "fsync": ["EIO", "ENOSPC"],
    "fallocate": ["EIO", "ENOSPC"],
    "ftruncate": ["EIO", "ENOSPC"],
    "rename": ["EIO", "ENOSPC"],
    "renameat2": ["EIO", "ENOSPC"],
    "fchmod": ["EIO"],
}

DONE = "done"


KILLED = -9


def faults(counts, kill):
    """All that can be injected into a run with so many calls."""
    groups = [ABSORBED, SERIOUS, FATAL]
    if kill:
        groups.append({call: ["kill"] for call in counts})
    for group in groups:
        for call, hows in group.items():
            for number in range(1, counts.get(call, 0) + 1):
                for how in hows:
                    yield f"{call}:{number}:{how}"


class Situation:
    """Files as they are before a run, the run, and the checks after it."""

    def __init__(self, name, source, arguments=(), before=None):
        self.name = name
        self.source = source
        self.arguments = list(arguments)
        # What breaks the run before: a fault, DONE (nothing does), or None
        # when there is none.
        self.before = before
        self.files = None       # names and bytes before the run
    kill = False                # whether the process is to be killed, too
    tolerated = ()              # calls that may fail where they are FATAL

    def prepare(self, folder):
        """Make the files.  The run before depends on timing a little."""
        for _ in range(10):
            put_files(folder, {"source": self.source.data})
            if self.before is None:
                break
            injector = Injector(folder, self.before)
            status, _ = self.save(folder, [], injector)
            if status == (0 if self.before == DONE else 4):
                break
        else:
            raise SystemExit(f"FAIL: {self.name}: {self.before} in the first "
                             f"run: status {status}")
        self.files = take_files(folder)

    def save(self, folder, arguments, injector=None):
        names = [os.path.join(folder, name) for name in ("source", "image")]
        return iopress("save", *self.source.options, *self.arguments,
                       *arguments, *names, **options_of(injector))

    def run(self, folder, injector):
        return self.save(folder, ["--resume"] if self.before else [],
                         injector)

    def recover(self, folder):
        return self.save(folder, ["--resume"])

    def consumed(self, folder):
        return read(f"{folder}/source") != self.source.data

    def check(self, folder, status):
        """Why what a run with that exit status left is wrong, or None."""
        if status not in (0, 1, 4):
            return "undocumented status"
        if status == 1 and self.consumed(folder):
            return "status 1, but the source is not whole"
        if status == 0 and os.path.exists(f"{folder}/image.part"):
            return "status 0, and image.part is left"
        if status == 0 and not self.source.restores(f"{folder}/image",
                                                    folder):
            return "status 0, and the image does not restore"
        status, text = self.recover(folder)
        if status != 0:
            return f"resume: status {status}: {text}"
        if os.path.exists(f"{folder}/image.part"):
            return "resume: image.part is left"
        if not self.source.restores(f"{folder}/image", folder):
            return "the resumed image does not restore"
        return None


class Descriptors(Situation):
    """The same with inherited descriptors."""

    def save(self, folder, arguments, injector=None):
        flags = os.O_RDWR | os.O_CREAT
        fds = [os.open(os.path.join(folder, name), flags, 0o600)
               for name in ("source", "image")]
        try:
            return iopress("save", *self.source.options, *self.arguments,
                           *arguments, *(f"fd:{fd}" for fd in fds),
                           pass_fds=fds, **options_of(injector))
        finally:
            for fd in fds:
                os.close(fd)


class Plain(Situation):
    """A save that must leave the source alone."""

    def recover(self, folder):
        if os.path.exists(f"{folder}/image.part"):
            os.unlink(f"{folder}/image.part")
        return self.save(folder, ["--force"])

    def check(self, folder, status):
        if status not in (0, 1) or self.consumed(folder):
            return f"the source is whole: {not self.consumed(folder)}"
        return super().check(folder, status)


class Restore(Situation):
    """An image becomes a file again."""

    def prepare(self, folder):
        put_files(folder, {"source": self.source.data})
        status, text = iopress("save", *self.source.options,
                               f"{folder}/source", f"{folder}/image")
        if status != 0:
            raise SystemExit(f"FAIL: {self.name}: {text}")
        self.files = take_files(folder)

    def run(self, folder, injector):
        return iopress("restore", *self.arguments, f"{folder}/image",
                       f"{folder}/output", **options_of(injector))

    def check(self, folder, status):
        output = read(f"{folder}/output")
        if status not in (0, 1):
            return "undocumented status"
        if status == 0 and output != self.source.expected:
            return "status 0 and a wrong file"
        if status == 0 and os.path.exists(f"{folder}/output.part"):
            return "status 0, and output.part is left"
        if status == 1 and output is not None:
            return "status 1 and a file under the final name"
        return None


class RestorePipes(Restore):
    """From standard input to standard output, both pipes."""

    def run(self, folder, injector):
        options = options_of(injector)
        reader, feed = os.pipe()
        drain, writer = os.pipe()
        with ThreadPoolExecutor(2) as pool:
            pool.submit(feed_pipe, feed, read(f"{folder}/image"))
            output = pool.submit(drain_pipe, drain)
            result = iopress("restore", *self.arguments, "-", "-",
                             stdin=reader, stdout=writer, **options)
            os.close(reader)
            os.close(writer)
            self.outputs[folder] = output.result()
        return result

    outputs = {}

    def check(self, folder, status):
        wrong = self.outputs.pop(folder) != self.source.expected
        if status not in (0, 1) or (status == 0 and wrong):
            return f"the output is wrong: {wrong}"
        return None


class RestoreTemporary(Restore):
    """Into a file without a name, of which a command makes the output."""

    def run(self, folder, injector):
        return iopress("restore", *self.arguments, "--tmpfile", folder,
                       f"{folder}/image", "--", "env", "-u", "LD_PRELOAD",
                       "cp", "{}", f"{folder}/output", **options_of(injector))

    def check(self, folder, status):
        left = set(os.listdir(folder)) - {"source", "image", "output",
                                          "counts"}
        if left:
            return f"left: {left}"
        return super().check(folder, status)


def feed_pipe(fd, data):
    try:
        while data:
            data = data[os.write(fd, data):]
    except BrokenPipeError:
        pass
    os.close(fd)


def drain_pipe(fd):
    with os.fdopen(fd, "rb") as file:
        return file.read()


class InPlace(Situation):
    """A file becomes another under its name."""

    kill = True

    def prepare(self, folder):
        self.make_first(folder)
        if self.before:
            status, text = self.run(folder, Injector(folder, self.before))
            if status != KILLED:
                raise SystemExit(f"FAIL: {self.name}: {self.before} in the "
                                 f"first run: status {status}: {text}")
        self.files = {name: read(f"{folder}/{name}")
                      for name in os.listdir(folder)}

    def check(self, folder, status):
        counts = f"{folder}/counts"
        if os.path.exists(counts):
            os.unlink(counts)
        if status not in (0, 1, 4, KILLED):
            return "undocumented status"
        wrong = self.check_states(folder, status)
        if wrong:
            return wrong
        # A raw file that is expanded cannot be told from any other file.
        done = {0} if self.source.mapped or not self.is_after(folder) \
            else {0, 3}
        status, text = self.run(folder, None)
        if status not in done:
            return f"again: status {status}: {text}"
        if os.listdir(folder) != ["source"]:
            return f"again: {os.listdir(folder)} is left"
        if not self.is_after(folder):
            return "again: it is not what it has to be"
        return None

    def check_states(self, folder, status):
        """What one run may leave: the file as it was, or as it will be, or
        something that nobody takes for either."""
        before, after = self.is_before(folder), self.is_after(folder)
        if status == 0 and not after:
            return "status 0, and it is not what it has to be"
        if status == 1 and not before and \
           read(f"{folder}/source") != self.files["source"]:
            return "status 1, and the file is neither whole nor as it was"
        if not before and not after and status != 1:
            return self.check_between(folder, status)
        return None


class Expand(InPlace):
    """An image becomes its source again in its own place."""

    # The folder is flushed last when the aside is gone, and blocks of zeros
    # may be given back.
    tolerated = ("fsync", "fallocate")

    def make_first(self, folder):
        put_files(folder, {"source": self.source.data})
        status, text = iopress("save", *self.source.options,
                               f"{folder}/source", f"{folder}/image")
        if status != 0:
            raise SystemExit(f"FAIL: {self.name}: {text}")
        os.replace(f"{folder}/image", f"{folder}/source")
        self.packed = read(f"{folder}/source")

    def run(self, folder, injector):
        return iopress("expand", *self.arguments, f"{folder}/source",
                       **options_of(injector))

    def is_before(self, folder):
        return read(f"{folder}/source") == self.packed

    def is_after(self, folder):
        return read(f"{folder}/source") == self.source.expected

    def check_between(self, folder, status):
        if status not in (4, KILLED):
            return "neither packed nor expanded"
        return between_is_refused(self.source, self.packed, folder)


def between_is_refused(source, packed, folder):
    """Why a half expanded file is not refused by all, or None."""
    data = read(f"{folder}/source")
    start = packed.index(b"IOPRESS1")
    if source.mapped and data[start:start + 8] == b"QEVM\0\0\0\3" and \
       not is_whole_but_marked(data, source.expected):
        return "QEMU would load what is not whole"
    for verb, *names in (["info", f"{folder}/source"],
                         ["save", f"{folder}/source", f"{folder}/x"],
                         ["restore", f"{folder}/source", f"{folder}/x"]):
        status, text = iopress(verb, *names)
        if status != 3:
            return f"{verb} takes what is not whole: status {status}: {text}"
    return None


class Replace(InPlace):
    """A source becomes its image under its name."""

    def make_first(self, folder):
        put_files(folder, {"source": self.source.data})
        os.chmod(f"{folder}/source", 0o640)

    def run(self, folder, injector):
        return iopress("save", "--replace", *self.source.options,
                       *self.arguments, f"{folder}/source",
                       **options_of(injector))

    def is_before(self, folder):
        return read(f"{folder}/source") == self.source.data

    def is_after(self, folder):
        result = self.source.restores(f"{folder}/source", folder)
        if os.path.exists(f"{folder}/restored"):
            os.unlink(f"{folder}/restored")
        return result

    def check_between(self, folder, status):
        return "the name does not lead to a whole file"


class Injector:
    """One fault, and what was counted while it was tried."""

    def __init__(self, folder, fault=None):
        self.folder = folder
        self.fault = fault
        self.path = os.path.join(folder, "counts")

    def variables(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        values = {"IOPRESS_FAULT_FOLDER": self.folder,
                  "IOPRESS_FAULT_COUNTS": self.path}
        if self.fault and self.fault != DONE:
            values["IOPRESS_FAULT"] = self.fault
        return values

    def counts(self):
        with open(self.path, encoding="ascii") as file:
            return {call: int(count) for call, count in map(str.split, file)}

    def happened(self):
        call, number, _ = self.fault.split(":")
        return self.counts()[call] >= int(number)


def options_of(injector):
    if injector is None:
        return {}
    return {"preload": module("faults", "inject"),
            "variables": injector.variables()}


def judge_status(fault, status, happened, tolerated):
    """Why the exit status is wrong for that fault, or None."""
    call, _, how = fault.split(":")
    if how == "kill":
        return None
    if not happened:
        return None if status == 0 else "failed without a fault"
    if how in ABSORBED.get(call, []) and status != 0:
        return "was not absorbed"
    if how in FATAL.get(call, []) and status == 0 and call not in tolerated:
        return "was not noticed"
    return None


def attempt(situation, fault, top):
    """Try one fault.  Returns a text when something is wrong, and whether
    the fault happened."""
    folder = os.path.join(top, f"{situation.name}-{fault}")
    put_files(folder, situation.files)
    injector = Injector(folder, fault)
    status, text = situation.run(folder, injector)
    if status not in range(6) and not (fault.endswith(":kill") and
                                       status == KILLED):
        return f"crashed or hangs: {status}\n{text}", True
    if status == 5 and fault.startswith("open:") and fault.endswith(":EINTR"):
        status = 1              # only a signal that ends the run does that
    happened = status == KILLED or injector.happened()
    wrongs = [judge_status(fault, status, happened, situation.tolerated),
              situation.check(folder, status)]
    shutil.rmtree(folder)
    wrong = "; ".join(filter(None, wrongs))
    return wrong and f"status {status}: {wrong}\n  {text}", happened


def count_calls(situation, top):
    """The calls of a run without a fault, and what is wrong with it."""
    folder = os.path.join(top, f"{situation.name}-count")
    situation.prepare(folder)
    injector = Injector(folder)
    status, text = situation.run(folder, injector)
    counts = injector.counts()
    wrong = situation.check(folder, status)
    return counts, f"status {status}: {text}" if status else wrong


def try_all(situation, wanted, top):
    """Try faults, all that there are unless some are WANTED.  Returns how
    many were tried, how many happened, and what is wrong."""
    counts, wrong = count_calls(situation, top)
    wanted = wanted or list(faults(counts, situation.kill))
    with ProcessPoolExecutor(jobs(), get_context("fork")) as pool:
        results = list(pool.map(attempt, repeat(situation), wanted,
                                repeat(top)))
    failures = [f"{situation.name} {fault}: {text}"
                for fault, (text, _) in zip(wanted, results) if text]
    if wrong:
        failures.insert(0, f"{situation.name} without a fault: {wrong}")
    return len(wanted), sum(hit for _, hit in results), failures


def situations(top):
    cut = mixed_pages(1, 22, 0.9, 1000)
    whole = mixed_pages(2, 22, 0.9, 0)
    image = mapped_ram(top, "--libvirt", "save", "--xml-padding", "8K",
                       "--align", "64K", "--stale", "0.2",
                       "--device-bytes", "3000",
                       "--block", "pc.ram=1M,random",
                       "--block", "vga.vram=192K,ends")
    ragged = Source("ragged", cut, cut)
    even = Source("even", whole, whole, "--direct-io", "off")
    direct = Source("direct", whole, whole)
    mapped = Source("mapped", *image, "-T", "serial")
    # The prefix ends within the last bytes of a page: no room for the marker.
    edge = Source("edge", *mapped_ram(top, "--offset", str(3 * 4096 - 10),
                                      "--device-bytes", "3000", "--align",
                                      "64K", "--block", "pc.ram=1M,random"))
    for source in (mapped, edge):
        source.mapped = True
    tiny = Source("tiny", b"no more than this", b"no more than this")
    batch = ["--discard", "--discard-batch", "128K"]
    middle, late = "fallocate:4:EIO", "aio-write:7:ENOSPC"
    return [
        Situation("save", ragged, batch),
        Situation("save-cached", even, batch),
        Situation("save-mapped", mapped, batch),
        Situation("resume", ragged, batch, middle),
        Situation("resume-cached", even, batch, late),
        Situation("resume-mapped", mapped, batch, middle),
        Situation("resume-mapped-late", mapped, batch, late),
        Situation("resume-unnamed", mapped, batch, "rename:1:EIO"),
        Situation("resume-named", ragged, batch, "fsync:2:EIO"),
        Situation("resume-done", mapped, batch, DONE),
        Descriptors("save-fds", mapped, batch),
        Descriptors("resume-fds-done", direct, batch, DONE),
        Descriptors("resume-fds", ragged, batch, middle),
        Plain("save-plain", ragged),
        Restore("restore", ragged),
        Restore("restore-cached", mapped, ["--direct-io", "off"]),
        RestorePipes("restore-pipes", mapped),
        RestoreTemporary("restore-tmpfile", mapped),
        Expand("expand", ragged),
        Expand("expand-mapped", mapped),
        Expand("expand-edge", edge, ["--direct-io", "off"]),
        Expand("expand-tiny", tiny),
        Expand("expand-put-aside", mapped, before="pwrite:1:kill"),
        Expand("expand-again", mapped, before="aio-write:9:kill"),
        Expand("expand-edge-again", edge, before="aio-write:9:kill"),
        Expand("expand-almost", edge, before="pwrite:5:kill"),
        Expand("expand-done", mapped, before="unlink:1:kill"),
        Expand("expand-edge-done", edge, before="unlink:1:kill"),
        Replace("replace", ragged),
        Replace("replace-mapped", mapped),
        Replace("replace-cached", edge, ["--direct-io", "off"]),
        Replace("replace-begun", ragged, ["-c", "stored"], "aio-write:2:kill"),
        Replace("replace-packed", mapped, before="renameat2:1:kill"),
        Replace("replace-done", mapped, before="unlink:1:kill"),
    ]


def main(arguments):
    top = scratch("faults.")
    tried = happened = 0
    failures = []
    for situation in situations(top):
        if arguments and situation.name != arguments[0]:
            continue
        count, hits, wrong = try_all(situation, arguments[1:], top)
        print("\n".join(wrong + [f"{situation.name}: {count} faults, "
                                 f"{len(wrong)} wrong"]), flush=True)
        tried += count
        happened += hits
        failures += wrong
    shutil.rmtree(top)
    print(f"{tried} faults tried, {happened} happened, "
          f"{len(failures)} ended wrong")
    return 1 if failures or not tried else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
