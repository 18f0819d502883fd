#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can come between while a daemon has a guest saved: the migration is
# cancelled, QEMU dies, iopress is killed or told to stop, the image's disk is
# full, the byte comes too early.  Nothing is lost, and what began is finished.

import os
import signal
import time

import manager
from harness import Guest
from manager import Save
from roundtrip import main, require

SLOW = {"max-bandwidth": 8 << 20}
FAST = {"max-bandwidth": 8 << 30}
# Steps small enough to stop between them.
SMALL_STEPS = ["-T", "1", "--discard-batch", "2M"]
MIB = 1 << 20


def start_slow_migration(save, guest):
    save.start_migration(guest, **SLOW)
    guest.wait_figure("normal", 1000)


def expect_empty(save):
    require(os.path.getsize(save.image_path) == 0, "the output is not empty")


def expect_untouched(save, before):
    after = manager.digest(save.path)
    require(after == before, f"the source was {before} and is {after}")


def expect_given_up(save, helper, before):
    helper.end(manager.CANCELLED)
    expect_empty(save)
    expect_untouched(save, before)


def check_too_early(directory, guest):
    """The byte comes while QEMU is still writing."""
    save = Save(directory, "too-early", streams=True)
    start_slow_migration(save, guest)
    helper = save.start_helper()
    save.tell_completed()
    helper.end(manager.INCOMPLETE)
    save.expect_message("has not finished writing")
    guest.qmp.execute("migrate-set-parameters", **FAST)
    save.end_migration(guest)
    # It has done no harm.
    helper = save.start_helper()
    save.tell_completed()
    helper.end(manager.DONE)
    return save


def check_cancelled(directory, guest):
    """The guest runs on, and the file is as QEMU left it."""
    save = Save(directory, "cancelled")
    start_slow_migration(save, guest)
    helper = save.start_helper()
    helper.expect_waiting()
    guest.qmp.execute("migrate_cancel")
    save.end_migration(guest, "cancelled")
    before = manager.digest(save.path)
    save.give_up()
    expect_given_up(save, helper, before)
    # It has never been a save, whatever somebody says.
    helper = save.start_helper()
    save.tell_completed()
    helper.end(manager.INCOMPLETE)
    expect_untouched(save, before)
    guest.ticks(1)


def check_stopped_waiting(directory, guest):
    """SIGTERM before the byte."""
    save = Save(directory, "stopped-waiting", streams=True)
    save.migrate(guest)
    helper = save.start_helper()
    helper.expect_waiting()
    before = manager.digest(save.path)
    helper.kill(signal.SIGTERM)
    expect_given_up(save, helper, before)
    save.expect_message("cancelled")
    return save


def interrupt(save, helper, number):
    """Send a signal when a part of the source has gone."""
    blocks = save.blocks()
    save.tell_completed()
    while helper.poll() is None and save.blocks() > blocks - 4 * MIB:
        pass
    helper.kill(number)


def check_killed(directory, guest):
    save = Save(directory, "killed")
    save.migrate(guest)
    helper = save.start_helper(*SMALL_STEPS)
    interrupt(save, helper, signal.SIGKILL)
    helper.end(-signal.SIGKILL)
    print(f"killed with {save.blocks() // MIB} MiB of the source left")
    save.resume(manager.DONE)
    return save


def check_stopped(directory, guest):
    save = Save(directory, "stopped", streams=True)
    save.migrate(guest)
    helper = save.start_helper(*SMALL_STEPS)
    interrupt(save, helper, signal.SIGTERM)
    helper.end(manager.CONSUMED)
    manager.read_progress(save.progress, "save", "failed")
    save.expect_message("go on with: iopress save --resume fd:3 fd:4")
    print(f"stopped with {save.blocks() // MIB} MiB of the source left")
    save.resume(manager.DONE)
    return save


def check_full(directory, guest):
    """First there is no room for anything, then for a part, then enough."""
    small = os.path.join(directory, "small")
    os.mkdir(small)
    if not manager.private_mount(small, "2M"):
        print("not tried: nothing can be mounted here")
        return None
    save = Save(directory, "full", streams=True, image_directory=small)
    save.migrate(guest)
    before = manager.digest(save.path)
    helper = save.start_helper()
    save.tell_completed()
    helper.end(manager.FAILED)
    save.expect_message("No space left")
    expect_empty(save)
    require(manager.digest(save.path)[:-1] == before[:-1],
            "the source is not whole")

    manager.resize(small, "16M")
    helper = save.start_helper(*SMALL_STEPS)
    save.tell_completed()
    helper.end(manager.CONSUMED)
    save.expect_message("go on with: iopress save --resume fd:3 fd:4")
    save.resume(manager.CONSUMED)
    print(f"full with {save.blocks() // MIB} MiB of the source left")
    manager.resize(small, "256M")
    save.resume(manager.DONE)
    return save


def check_qemu_killed(directory, guest):
    save = Save(directory, "qemu-killed")
    start_slow_migration(save, guest)
    helper = save.start_helper()
    helper.expect_waiting()
    guest.kill()
    before = manager.digest(save.path)
    save.give_up()
    expect_given_up(save, helper, before)


def check(directory):
    with Guest(directory) as guest:
        guest.boot()
        guest.fill(48)
        check_cancelled(directory, guest)
        for scenario in (check_too_early, check_killed, check_stopped,
                         check_full, check_stopped_waiting):
            start = time.monotonic()
            state = guest.check()
            save = scenario(directory, guest)
            if save is not None and scenario != check_stopped_waiting:
                save.finish()
                manager.bring_back(save, directory, state)
            guest.qmp.execute("cont")
            guest.ticks(1)
            print(f"{scenario.__name__}: {time.monotonic() - start:.1f} s")
        check_qemu_killed(directory, guest)


main(check)
