# SPDX-License-Identifier: LGPL-2.1-or-later
# Every I/O call of a run fails once in turn.  After each the exit status must
# be the documented one, and what is left must still give every byte back.

import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

from discard import iopress, jobs, module, put_files, read, scratch, take_files

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
    "fdatasync-aside": ["EINTR"],
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
    "ftruncate": ["EFBIG"],
    "renameat2": ["EINVAL"],
}
# The program must not end well.
FATAL = {
    "aio-read": ["EIO"],
    "aio-write": ["EIO", "ENOSPC", "lost"],
    "write-behind": ["EIO"],
    "pwrite": ["EIO", "ENOSPC", "lost"],
    "write": ["EIO", "ENOSPC"],
    "fdatasync": ["EIO", "ENOSPC"],
    "fdatasync-aside": ["EIO", "ENOSPC"],
    "fsync": ["EIO", "ENOSPC"],
    "fallocate": ["EIO", "ENOSPC"],
    "ftruncate": ["EIO", "ENOSPC"],
    "rename": ["EIO", "ENOSPC"],
    "renameat2": ["EIO", "ENOSPC"],
    "fchmod": ["EIO"],
}

# Memory that is refused once, or from then on.
STARVED = ["ENOMEM", "rest"]

DONE = "done"
KILLED = -9


def faults(counts, situation):
    """All that can be injected into a run with so many calls."""
    if situation.starve:
        for number in range(situation.starve_from, counts["allocation"] + 1,
                            situation.starve):
            for how in situation.starved:
                yield f"allocation:{number}:{how}"
        return
    groups = [SERIOUS, FATAL]
    if situation.absorbs:
        groups.insert(0, ABSORBED)
    if situation.kill:
        groups.append({call: ["kill"] for call in counts})
    for group in groups:
        for call, hows in group.items():
            if situation.only not in (None, call):
                continue
            for number in range(1, counts.get(call, 0) + 1):
                for how in hows:
                    yield f"{call}:{number}:{how}"


class Situation:
    """Files as they are before a run, the run, and the checks after it."""

    kill = False                # whether the process is to be killed, too
    absorbs = True              # whether to try what must be got over
    only = None                 # the call to try; it must be made
    tolerated = ()              # calls, or CALL:N, that may fail though FATAL
    starve = 0                  # let each so manieth allocation fail, no call
    starve_from = 1             # the first
    starved = STARVED           # how
    told_by_errno = False       # of the call: nothing need be said

    def __init__(self, name, source, arguments=(), before=None):
        self.name = name
        self.source = source
        self.arguments = list(arguments)
        # What breaks the run before: a fault, DONE (nothing does), or None
        # when there is none.
        self.before = before
        self.files = None       # names and bytes before the run

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

    def injector(self, folder, fault=None):
        return Injector(folder, fault,
                        "allocate" if self.starve else "inject")

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


class Injector:
    """One fault, and what was counted while it was tried."""

    def __init__(self, folder, fault=None, preload="inject"):
        self.folder = folder
        self.fault = fault
        self.preload = preload
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
    return {"preload": module("faults", injector.preload),
            "variables": injector.variables()}


def judge_status(fault, status, happened, tolerated):
    """Why the exit status is wrong for that fault, or None."""
    call, number, how = fault.split(":")
    if how == "kill":
        return None
    if not happened:
        return None if status == 0 else "failed without a fault"
    if how in ABSORBED.get(call, []) and status != 0:
        return "was not absorbed"
    if how in FATAL.get(call, []) and status == 0 and \
            not {call, f"{call}:{number}"} & set(tolerated):
        return "was not noticed"
    return None


def judge_text(situation, status, text):
    """Why what is said is wrong, or None."""
    if status == KILLED:
        return None
    lines = text.splitlines()
    if not all(line.startswith("iopress: ") for line in lines):
        return "says what is no message"
    return None if status == 0 or lines or situation.told_by_errno \
        else "says nothing"


def attempt(situation, fault, top):
    """Try one fault.  Returns a text when something is wrong, and whether
    the fault happened."""
    folder = os.path.join(top, f"{situation.name}-{fault}")
    put_files(folder, situation.files)
    injector = situation.injector(folder, fault)
    status, text = situation.run(folder, injector)
    if status not in range(6) and not (fault.endswith(":kill") and
                                       status == KILLED):
        return f"crashed or hangs: {status}\n{text}", True
    if status == 5 and fault.startswith("open:") and fault.endswith(":EINTR"):
        status = 1              # only a signal that ends the run does that
    happened = status == KILLED or injector.happened()
    wrongs = [judge_status(fault, status, happened, situation.tolerated),
              judge_text(situation, status, text),
              situation.check(folder, status)]
    shutil.rmtree(folder)
    wrong = "; ".join(filter(None, wrongs))
    return wrong and f"status {status}: {wrong}\n  {text}", happened


def count_calls(situation, top):
    """The calls of a run without a fault, and what is wrong with it.  Whether
    there is the only one wanted may depend on timing."""
    folder = os.path.join(top, f"{situation.name}-count")
    for _ in range(10):
        situation.prepare(folder)
        injector = situation.injector(folder)
        status, text = situation.run(folder, injector)
        counts = injector.counts()
        if not situation.only or counts[situation.only]:
            break
    wrong = situation.check(folder, status)
    if situation.only and not counts[situation.only]:
        wrong = f"there was no {situation.only}"
    return counts, f"status {status}: {text}" if status else wrong


def try_all(situation, wanted, top):
    """Try faults, all that there are unless some are WANTED.  Returns how
    many were tried, how many happened, and what is wrong."""
    counts, wrong = count_calls(situation, top)
    wanted = wanted or list(faults(counts, situation))
    with ProcessPoolExecutor(jobs(), get_context("fork")) as pool:
        results = list(pool.map(attempt, repeat(situation), wanted,
                                repeat(top)))
    failures = [f"{situation.name} {fault}: {text}"
                for fault, (text, _) in zip(wanted, results) if text]
    if situation.only and not any(hit for _, hit in results):
        failures.append(f"{situation.name}: nothing has happened")
    if wrong:
        failures.insert(0, f"{situation.name} without a fault: {wrong}")
    return len(wanted), sum(hit for _, hit in results), failures


def main(situations, arguments):
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
