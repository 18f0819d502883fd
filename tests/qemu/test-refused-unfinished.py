#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A save that is still running, and one that was cancelled: the size is right,
# but no bitmap has been written.

import os
import subprocess

from harness import Guest
from roundtrip import check_refused, main


def check(directory):
    source = os.path.join(directory, "source")
    copy = os.path.join(directory, "copy")
    with Guest(directory) as guest:
        guest.boot()
        guest.fill(64)
        guest.start_save(source, **{"max-bandwidth": 8 << 20})
        guest.wait_figure("normal", 1000)
        subprocess.run(["cp", "--sparse=always", source, copy], check=True)
        check_refused(copy, directory)
        guest.qmp.execute("migrate_cancel")
        guest.wait_migration("cancelled")
        check_refused(source, directory)


main(check)
