#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --discard where single calls take long (strace delays them): the end of
# a run that comes while a batch is on its way to the disk, and how much is
# held twice when the disk is slower than the rest.

import os
import random
import resource
import shutil
import signal
import sys
import time

from discard_case import (Case, Lost, Template, WorkFolder, exit_status, read,
                          skip)

MIB = 1 << 20
# The blocks of the writer.
IN_FLIGHT = 16 * MIB
CANCELLED, CONSUMED = 5, 4


def strace(log, call, injection, *options):
    """A command that runs another with its calls changed.  -D: the process
    that is started is iopress itself."""
    return " ".join(["strace -D -f -o", log, *options, "-e", f"trace={call}",
                     "-e", f"inject={call}:{injection}"])


def wait_for(log, text, process):
    while process.poll() is None:
        if os.path.exists(log) and text in read(log):
            return
        time.sleep(0.01)


def ended(process, seconds=60):
    message = process.communicate(timeout=seconds)[1].decode()
    return process.returncode, message


def check_end(case, status, message):
    """An error or a signal has ended a run; nothing may be lost."""
    if status in (1, CANCELLED):
        if not case.is_whole():
            raise Lost(f"exit status {status}, and the source is not whole")
        if case.begun() is not None:
            raise Lost(f"exit status {status}, and an image is left")
    elif status != CONSUMED:
        raise Lost(f"exit status {status}: {message}")
    case.finish()


def end_within_first_sync(folder, template, naming, how):
    """The run ends, or virsh edits the source, while the thread that consumes
    waits for its first fdatasync, and would go on to the first punch."""
    log = folder.file("strace")
    case = Case(folder, template, naming,
                ["--chunk-size", "64K", "--discard-batch", "4M", "-T", "1",
                 "-c", "xz:6" if how == "signal" else "stored"])
    wrapper = strace(log, "fdatasync", "delay_exit=1000000:when=1")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (5 * MIB, before[1]))
    process = case.start(wrapper=wrapper)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    wait_for(log, b"fdatasync", process)
    if how == "signal":
        process.send_signal(signal.SIGTERM)
    if how == "edit":
        os.utime(case.source)
    status, message = ended(process)
    if how == "edit" and (status != 1 or "was changed" not in message):
        raise Lost(f"exit status {status} after an edit: {message}")
    check_end(case, status, message)
    os.unlink(log)
    case.clear()
    return status


def end_while_resuming(folder, template):
    """A run that reads all that is there heeds a signal; to the end it would
    read 14 to 31 times more."""
    log = folder.file("strace")
    case = Case(folder, template, "paths", ["--discard-batch", "4M"])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * MIB, before[1]))
    process = case.start("-c", "stored")
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    status, message = ended(process)
    if status != CONSUMED:
        raise Lost(f"exit status {status} at the limit: {message}")
    process = case.start("--resume", wrapper=strace(
        log, "pread64", "delay_enter=300000", "-P", case.part))
    wait_for(log, b"pread64", process)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    before = read(log).count(b"pread64(")
    status, message = ended(process)
    after = read(log).count(b"pread64(") - before
    print(f"ended while resuming, after {before} reads: {after} more")
    if after > 6:
        raise Lost(f"a --resume read {after} times after SIGTERM")
    if status not in (CANCELLED, CONSUMED):
        raise Lost(f"exit status {status}: {message}")
    if status == CANCELLED and not case.is_whole():
        raise Lost("exit status 5, and the source is not whole")
    case.finish()
    case.clear()


def allocated(case):
    blocks = {}                 # by inode: a file may be renamed in between
    for path in (case.source, case.part, case.output):
        try:
            status = os.stat(path)
            blocks[status.st_ino] = 512 * status.st_blocks
        except FileNotFoundError:
            pass
    return sum(blocks.values())


def held_twice(folder, template, batch, call, delay, direct):
    """The most that source and image have together, over the start."""
    case = Case(folder, template, "paths",
                ["-c", "stored", "-T", "2", "--direct-io", direct,
                 "--discard-batch", str(batch)])
    os.sync()
    start, peak = allocated(case), 0
    process = case.start(wrapper=strace("/dev/null", call,
                                        f"delay_enter={delay}"))
    while process.poll() is None:
        peak = max(peak, allocated(case) - start)
        time.sleep(0.0005)
    status, message = ended(process)
    if status != 0:
        raise Lost(f"exit status {status}: {message}")
    case.check_restored()
    case.clear()
    print(f"batch of {batch / MIB:.0f} MiB, slow {call}, direct I/O {direct}: "
          f"at most {peak / MIB:.1f} MiB held twice")
    if peak > batch + IN_FLIGHT:
        raise Lost(f"{peak / MIB:.1f} MiB are held twice, with a batch of "
                   f"{batch / MIB:.0f} MiB")


def random_template(folder, rng, size):
    path = folder.file(f"random-{size}", rng.randbytes(size))
    return Template(path, read(path))


def disturb_first_sync(folder, case, disturb):
    """DISTURB the run while its first fdatasync takes long."""
    log = folder.file("strace")
    process = case.start(wrapper=strace(log, "fdatasync",
                                        "delay_exit=1000000:when=1"))
    wait_for(log, b"fdatasync", process)
    disturb()
    result = ended(process)
    os.unlink(log)
    return result


def edit_small(folder, rng, size):
    """What fits in the page of the marker goes in the last step alone."""
    case = Case(folder, random_template(folder, rng, size), "paths")
    status, message = disturb_first_sync(folder, case,
                                         lambda: os.utime(case.source))
    if status != 1 or "was changed" not in message or not case.is_whole() or \
       case.begun() is not None:
        raise Lost(f"exit status {status} after an edit: {message}")
    case.clear()


def remove_image(folder, template):
    """Somebody removes it while the thread is about to begin."""
    case = Case(folder, template, "paths", ["-c", "stored"])
    status, message = disturb_first_sync(folder, case,
                                         lambda: os.unlink(case.part))
    if status != 1 or "was removed" not in message or not case.is_whole():
        raise Lost(f"exit status {status} without an image: {message}")
    case.clear()


def try_all(folder, rng):
    for size in (700, 4096):
        edit_small(folder, rng, size)
    template = random_template(folder, rng, 12 * MIB + 100)
    for naming in ("paths", "fds"):
        for how in ("signal", "limit", "edit")[:3 if naming == "paths" else 2]:
            status = end_within_first_sync(folder, template, naming, how)
            print(f"ended within the first fdatasync by a {how}, {naming}: "
                  f"exit status {status}")
    remove_image(folder, template)
    end_while_resuming(folder, template)
    template = random_template(folder, rng, 40 * MIB)
    for call, delay in (("fdatasync", 100000), ("fallocate", 200000)):
        for direct in ("auto", "off"):
            held_twice(folder, template, 8 * MIB, call, delay, direct)


def main():
    if shutil.which("strace") is None:
        skip("strace is not installed")
    if os.environ.get("VALGRIND"):
        skip("not together with Valgrind")
    # The leak check cannot work under strace.
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    with WorkFolder() as folder:
        return exit_status("slow-disk", try_all, folder, random.Random(11))


if __name__ == "__main__":
    sys.exit(main())
