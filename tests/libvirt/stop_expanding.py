#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# stop_expanding.py DELAY REPORT IOPRESS VERB ARGUMENT...: runs iopress, but
# stops it, and stays, in the middle of expanding a save: DELAY seconds after
# the save is no image any more, while it is not yet what it was.  Its process
# ID is in REPORT then.

import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hook import EXPANDING, state_of  # noqa: E402


def main(delay, report, command):
    process = subprocess.Popen(command)
    while state_of(command[-1]) != EXPANDING:
        if process.poll() is not None:
            return process.returncode
    time.sleep(float(delay))
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    with open(report + ".new", "w") as file:
        file.write(str(process.pid))
    os.rename(report + ".new", report)
    return process.wait()


if sys.argv[4] != "expand":
    os.execv(sys.argv[3], sys.argv[3:])
sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]) & 0xff)
