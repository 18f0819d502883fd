#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A pipe that the caller made non-blocking works like any other.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
make_raw "$work/source"
iopress save "$work/source" "$work/image"
python3 - "$work" "$IOPRESS" <<'PYTHON'
import os, subprocess, sys, time

work, program = sys.argv[1:]
image = open(work + "/image", "rb").read()

def pipe(blocking_end):
    ends = os.pipe()
    os.set_blocking(ends[blocking_end], False)
    return ends

for threads in ("serial", "2"):
    # Input that comes late and in pieces.
    reading, writing = pipe(0)
    with subprocess.Popen([program, "restore", "--force", "-T", threads, "-",
                           work + "/restored"], stdin=reading) as process:
        os.close(reading)
        for start in range(0, len(image), 300000):
            time.sleep(0.1)
            with open(os.dup(writing), "wb") as file:
                file.write(image[start:start + 300000])
        os.close(writing)
    assert process.returncode == 0, process.returncode
    assert (open(work + "/restored", "rb").read()
            == open(work + "/source", "rb").read())
    # Output that is taken slowly.
    reading, writing = pipe(1)
    with subprocess.Popen([program, "restore", "-T", threads,
                           work + "/image", "-"], stdout=writing) as process:
        os.close(writing)
        time.sleep(0.3)
        with open(reading, "rb") as file:
            restored = file.read()
    assert process.returncode == 0, process.returncode
    assert restored == open(work + "/source", "rb").read()
PYTHON
