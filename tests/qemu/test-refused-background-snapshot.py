#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# background-snapshot says "completed", but the bitmaps it leaves are all zero:
# nobody can load the file.

import os

from harness import Failure, Guest, Skip
from roundtrip import check_refused, main


def check(directory):
    source = os.path.join(directory, "source")
    with Guest(directory) as guest:
        guest.boot()
        guest.fill(64)
        try:
            guest.set_capabilities(**{"background-snapshot": True})
        except Failure as reason:
            raise Skip(f"no background snapshots here: {reason}") from reason
        guest.qmp.execute("migrate", uri=f"file:{source}")
        guest.wait_migration()
    check_refused(source, directory)


main(check)
