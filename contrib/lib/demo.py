# SPDX-License-Identifier: LGPL-2.1-or-later
# The part of contrib/demo that boots guests: IOPRESS names the installed
# program, IOPRESS_GUEST_DIR where kernel and initramfs are kept.

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "tests", "qemu"))

import harness
import iopress
import mappedram
import roundtrip
from harness import Failure, Guest, Skip

MEMORY_MIB = 512
FILL_MIB = 256
DIRTY_MIB = 48
BOLD, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty()
    else ("", "", "", ""))


def heading(text):
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def say(text):
    print(f"   {text}", flush=True)


def mib(size):
    return f"{size / (1 << 20):.1f} MiB"


class Clock:
    """How long each step took."""

    def __init__(self):
        self.seconds = {}

    def time(self, name, function, *arguments, **options):
        begin = time.monotonic()
        result = function(*arguments, **options)
        self.seconds[name] = time.monotonic() - begin
        return result


def run(verb, *arguments):
    """One iopress command, shown as it would be typed, bar and all."""
    shown = [os.path.basename(argument) if argument.startswith("/")
             else argument for argument in arguments]
    say(f"$ iopress {' '.join([verb] + shown)}")
    result = subprocess.run(
        [iopress.program(), verb, *iopress.plugin_options(), *arguments],
        text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    for line in result.stdout.splitlines():
        say(f"    {line}")
    if result.returncode != 0:
        raise Failure(f"iopress {verb} ended with status {result.returncode}")


def watch_ticks(guest, count):
    ticks = []
    for _ in range(count):
        ticks += guest.ticks(1)
        say(f"guest: tick {ticks[-1].number:<3} checksums intact over "
            f"{ticks[-1].pages} pages, sum {ticks[-1].sum}")
    return ticks


def save_guest(directory, path, clock):
    """A live save while the guest goes on writing: the hardest case."""
    with Guest(directory, memory=MEMORY_MIB, cpus=2) as guest:
        clock.time("guest boot", guest.boot)
        say("booted")
        clock.time("guest fills its memory", guest.fill, FILL_MIB)
        guest.dirty_start(DIRTY_MIB)
        say(f"filled {FILL_MIB} MiB with checksummed data; a thread rewrites, "
            f"zeroes and frees {DIRTY_MIB} MiB more")
        state = guest.check()
        last = watch_ticks(guest, 3)[-1]
        say(f"$ migrate file:{os.path.basename(path)}   "
            "(mapped-ram, the guest runs meanwhile)")
        clock.time("QEMU save (slowed down to stay live)",
                   guest.save_mapped_ram, path, live=True)
        say("saved; this QEMU ends here")
    return state, last


def run_on(directory, path, state, last, clock):
    with Guest(directory, memory=MEMORY_MIB, cpus=2, incoming=True) as guest:
        clock.time("QEMU restore", guest.restore, path)
        ticks = watch_ticks(guest, 4)
        after = guest.check()
        guest.dirty_stop()
    if after.sum != state.sum or after.pages != state.pages:
        raise Failure("the guest's memory is not what it was")
    if ticks[0].number <= last.number:
        raise Failure("the guest began anew instead of running on")
    say(f"before the save it was at tick {last.number}; the sum is the same")


def sizes_of(source, image, restored):
    return [(name, status.st_size, status.st_blocks * 512) for name, status in
            [("QEMU's mapped-ram file", os.stat(source)),
             ("iopress image", os.stat(image)),
             ("restored file", os.stat(restored))]]


def compare(source, restored):
    """An independent parser says what the restored file has to hold."""
    blocks = mappedram.parse(source)
    roundtrip.settle(source)
    roundtrip.check_restored(source, restored, blocks)
    say("every byte as it was, pages that QEMU marks absent as zeros "
        f"({mappedram.stale_pages(source, blocks)} of them held stale bytes)")


def table(sizes, seconds):
    rule = "   " + "-" * 62
    print(f"\n   {'':<26}{'apparent':>18}{'allocated':>18}\n{rule}")
    for name, apparent, allocated in sizes:
        print(f"   {name:<26}{mib(apparent):>18}{mib(allocated):>18}")
    print(f"{rule}\n   image / allocated source:"
          f"{100 * sizes[1][1] / sizes[0][2]:>36.1f} %\n{rule}")
    for name, value in seconds.items():
        print(f"   {name:<44}{value:>16.2f} s")
    print(rule)


def demonstrate(directory):
    source, image, restored = (os.path.join(directory, name) for name in
                               ("guest.save", "guest.iop", "guest.restored"))
    clock = Clock()
    heading(f"3. A guest of {MEMORY_MIB} MiB under QEMU (TCG)")
    state, last = save_guest(directory, source, clock)
    heading("4. Pack")
    clock.time("iopress save", run, "save", source, image)
    run("info", image)
    clock.time("iopress verify", run, "verify", image)
    heading("5. Unpack")
    clock.time("iopress restore", run, "restore", image, restored)
    compare(source, restored)
    sizes = sizes_of(source, image, restored)
    os.unlink(source)
    say("QEMU's own file is deleted now")
    heading("6. A second QEMU from the restored file")
    run_on(directory, restored, state, last, clock)
    heading("7. Figures")
    table(sizes, clock.seconds)


def main():
    harness.end_on_signals()
    try:
        demonstrate(harness.scratch_directory())
    except (Failure, Skip) as reason:
        print(f"\n{RED}demo: {reason}{PLAIN}", file=sys.stderr)
        sys.exit(1)
    print(f"\n{GREEN}It worked: the guest runs on from what iopress gave "
          f"back, its checksums intact.{PLAIN}")


main()
