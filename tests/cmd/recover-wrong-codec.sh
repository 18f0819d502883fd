#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# recover of an image without a file header, with the wrong codec: every record
# is lost, which takes no longer than reading them, and told in one line.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
requires_codec zstd lz4

python3 - "$work/source" <<'PYTHON'
import sys

COUNT = 30000
with open(sys.argv[1], "wb") as file:
    for i in range(COUNT):
        file.seek(i * 65536)
        file.write((b"line %d\n" % i * 600)[:4096])
    file.truncate(COUNT * 65536)
PYTHON
iopress save --chunk-size 64K -c zstd:1 "$work/source" "$work/image"
dd if=/dev/zero of="$work/image" bs=256 count=1 conv=notrunc status=none

status=0
iopress_in_time 60 recover -c lz4 "$work/image" "$work/output" \
  >"$work/report" 2>"$work/stderr" || status=$?
test $status -eq 3 || fail "exit status $status"
expect_message 'image: up to .* are missing'
grep -q '^recovered: 0 records' "$work/report"
grep -q 'missing: .*bytes 0 to 1966080000 .* 30000 pages' "$work/report"

iopress recover --force "$work/image" "$work/output"
expect_same "$work/source" "$work/output"
