#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --chunk-size: every power of two from 64K to 16M, and nothing else.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
make_raw "$work/source"
for size in 64K 128k 256KiB 512KB 1M 2097152 4M 8m 16M; do
  iopress save --force --chunk-size "$size" "$work/source" "$work/image"
  iopress info --json "$work/image" >"$work/json"
  python3 - "$work/json" "$size" <<'PYTHON'
import json, re, sys
number, suffix = re.match("([0-9]+)([KkMm]?)", sys.argv[2]).groups()
wanted = int(number) << {"": 0, "K": 10, "M": 20}[suffix.upper()]
found = json.load(open(sys.argv[1]))["chunk_size"]
assert found == wanted, f"chunk size {found} for {sys.argv[2]}"
PYTHON
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/source" "$work/restored"
done
for size in 0 1 4096 32K 65535 96K 3M 32M 4G 4294967296 16777215 \
            18446744073709551616; do
  expect_exit 2 iopress save --chunk-size "$size" "$work/source" "$work/new"
  expect_one_line
  expect_message '--chunk-size takes '
done
expect_absent "$work/new" "$work/new.part"
