#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --progress-fd writes JSON lines to a descriptor the caller opened.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
make_raw "$work/source"
iopress save --progress-fd 7 "$work/source" "$work/image" 7>"$work/save"
iopress verify --progress-fd 7 "$work/image" 7>"$work/verify"
iopress restore --progress-fd 7 "$work/image" "$work/restored" \
  7>"$work/restore"
expect_same "$work/source" "$work/restored"
head -c 6000 "$work/image" >"$work/cut"
expect_exit 3 iopress verify --progress-fd 7 - 7>"$work/failed" \
  < <(cat "$work/cut")

python3 - "$work" <<'PYTHON'
import json, sys

def lines(name):
    with open(f"{sys.argv[1]}/{name}") as file:
        return [json.loads(line) for line in file]

for verb in ("save", "verify", "restore", "failed"):
    reports = lines(verb)
    assert reports, f"{verb}: nothing reported"
    for report in reports:
        assert set(report) == {"verb", "state", "position", "total", "data",
                               "seconds"}, report
        assert 0 <= report["position"] <= report["total"] == 5243219, report
        assert report["seconds"] >= 0, report
    assert all(report["state"] == "running" for report in reports[:-1])
    last = reports[-1]
    if verb == "failed":
        assert (last["verb"], last["state"]) == ("verify", "failed"), last
    else:
        assert (last["verb"], last["state"]) == (verb, "done"), last
        assert last["position"] == last["total"], last
PYTHON

# One that nobody reads, full or broken, does not stop the work.
python3 - "$IOPRESS" "$work/source" "$work/image" <<'PYTHON'
import os, socket, subprocess, sys

program, source, image = sys.argv[1:]
pipe = os.pipe()
pair = [end.detach() for end in socket.socketpair()]
for reader, writer in (pipe, pair):
    os.set_blocking(writer, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(writer, b"x" * size)
        except BlockingIOError:
            pass
    os.set_blocking(writer, True)
    subprocess.run([program, "save", "--force", "--progress-fd", str(writer),
                    source, image], check=True, timeout=60,
                   pass_fds=[writer])
PYTHON
iopress save --force --progress-fd 8 "$work/source" "$work/image" \
  8> >(exec true)
iopress verify "$work/image"

# Lines must not get into what is read or written.
refused ()
{
  expect_exit 2 iopress save --force "$@" 7<>"$work/copy" 8<>"$work/new"
  expect_one_line
  expect_message "lines of --progress-fd"
  expect_same "$work/source" "$work/copy"
  test ! -s "$work/new" || fail "something was written"
}
cp "$work/source" "$work/copy"
ln "$work/copy" "$work/link"
: >"$work/new"
refused --progress-fd 7 fd:7 "$work/image"
refused --progress-fd 7 "$work/link" fd:8
refused --progress-fd 8 "$work/source" fd:8
refused --progress-fd 8 "$work/source" "$work/new"
refused --progress-fd 1 "$work/source" - >"$work/new"
refused --progress-fd 1 "$work/source" - > >(cat >"$work/new")
refused --progress-fd 7 - fd:8 <"$work/copy"
# The null device is nobody's data.
iopress save --progress-fd 7 "$work/source" - >/dev/null 7>/dev/null
iopress verify --progress-fd 1 - <"$work/image" | grep -q '"state":"done"'
