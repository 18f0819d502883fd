#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --wait-qmp asks a real QEMU, by path and by descriptor, how its
# migration stands: completed, cancelled, and QEMU killed.

import os
import socket

import manager
from harness import Guest
from manager import Helper, Save
from roundtrip import main, require

SLOW = {"max-bandwidth": 8 << 20}


def start_by_path(save, guest):
    """Neither the files nor QEMU are passed: iopress opens what it needs."""
    save.close()
    os.unlink(save.image_path)
    return Helper("save", ["--discard", "--wait-qmp", guest.path("asked"),
                           save.path, save.image_path], [], save.streams)


def start_by_descriptor(save, guest):
    """With a connection that has been used."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(guest.path("asked"))
    connection.sendall(b'{"execute": "qmp_capabilities"}\n')
    helper = Helper("save", ["--discard", "--wait-qmp", "fd:5", "fd:3",
                             "fd:4"],
                    [save.source, save.image, connection.fileno()],
                    save.streams)
    connection.close()
    return helper


def check_completed(directory, guest, start):
    """The helper is there before there is a migration to ask for."""
    state = guest.check()
    save = Save(directory, start.__name__, streams=True)
    helper = start(save, guest)
    helper.expect_waiting()
    guest.qmp.execute("stop")
    guest.start_save(save.path, offset=manager.PREFIX_BYTES)
    helper.end(manager.DONE)
    save.finish()
    manager.bring_back(save, directory, state)


def check_given_up(directory, guest, name, stop, message):
    save = Save(directory, name, streams=True)
    save.start_migration(guest, **SLOW)
    guest.wait_figure("normal", 1000)
    helper = start_by_descriptor(save, guest)
    helper.expect_waiting()
    stop(save)
    helper.end(manager.CANCELLED)
    save.expect_message(message)
    require(os.path.getsize(save.image_path) == 0, "the output is not empty")
    require(save.blocks() > 0, "the source is gone")


def check(directory):
    with Guest(directory) as guest:
        def cancel(save):
            guest.qmp.execute("migrate_cancel")
            save.end_migration(guest, "cancelled")

        guest.boot()
        guest.fill(48)
        check_completed(directory, guest, start_by_path)
        guest.qmp.execute("cont")
        check_given_up(directory, guest, "cancelled", cancel,
                       "migration was cancelled")
        guest.ticks(1)
        check_given_up(directory, guest, "killed", lambda _: guest.kill(),
                       "closed the QMP connection")


main(check)
