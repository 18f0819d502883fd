#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Exec with passed descriptors, as libvirtd does it: one guest saved in every
# way that libvirt has, packed and restored by a helper that starts before or
# during the migration, as root and as an ordinary user.

import dataclasses
import os

import manager
from harness import Guest
from manager import NOBODY, Save
from roundtrip import main, require


@dataclasses.dataclass
class Way:
    """How a save is made; LIVE: the helper starts during the migration."""
    name: str
    live: bool = False
    migration: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)


MULTIFD = {"multifd_channels": 2}
DIRECT_IO = {"direct_io": True}

WAYS = [
    Way("plain"),
    Way("direct-io", live=True, migration=DIRECT_IO, files={"streams": True}),
    # Files of somebody else: only the descriptors themselves can be used.
    Way("multifd", migration=MULTIFD,
        files={"access": os.O_RDWR, "user": NOBODY}),
    Way("multifd-direct-io", migration=MULTIFD | DIRECT_IO,
        files={"owner": NOBODY, "user": NOBODY, "streams": True}),
]


def save_stopped(save, guest, way):
    helper = save.start_helper()
    save.migrate(guest, **way.migration)
    return helper


def save_live(save, guest, way):
    save.start_migration(guest, **way.migration, **{"max-bandwidth": 16 << 20})
    guest.wait_figure("normal", 1000)
    helper = save.start_helper()
    helper.expect_waiting()
    guest.qmp.execute("migrate-set-parameters", **{
        "max-bandwidth": 8 << 30, "downtime-limit": 60000})
    save.end_migration(guest)
    return helper


def check_way(way, guest, directory):
    state = guest.check()
    if os.geteuid() != 0:
        for name in ("owner", "user"):
            way.files.pop(name, None)
    save = Save(directory, way.name, **way.files)
    helper = (save_live if way.live else save_stopped)(save, guest, way)
    helper.expect_waiting()
    with open(save.image_path, "rb") as image:
        require(image.read() == manager.LEFT_OVER,
                "the output was touched before the byte came")
    save.tell_completed()
    helper.end(manager.DONE)
    manager.read_progress(save.progress, "save", "done")
    save.finish()
    manager.bring_back(save, directory, state, **way.migration)
    print(f"{way.name}: the guest runs on")


def check(directory):
    os.chmod(directory, 0o755)
    with Guest(directory) as guest:
        guest.boot()
        guest.fill(48)
        guest.dirty_start(16)
        for way in WAYS:
            check_way(way, guest, directory)
            guest.qmp.execute("cont")


main(check)
