#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# info --json of a raw image counts the pages that hold anything.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
make_raw "$work/source"
for options in '' '--chunk-size 64K' '-c stored' '-c lz4:9'; do
  # shellcheck disable=SC2086
  iopress save --force $options "$work/source" "$work/image"
  iopress info --json "$work/image" >"$work/json"
  python3 - "$work" <<'PYTHON'
import json, sys

work, = sys.argv[1:]
info = json.load(open(f"{work}/json"))
source = open(f"{work}/source", "rb").read()
full = {i // 4096 for i in range(0, len(source), 4096)
        if source[i:i + 4096].strip(b"\0")}
windows = {page * 4096 // info["chunk_size"] for page in full}
assert info["pages"] == len(full), (info["pages"], len(full))
assert info["records"] == len(windows), (info["records"], len(windows))
assert info["kind"] == "raw" and info["prefix_size"] == 0
assert 0 < info["payload_size"] <= info["data_size"] == 4096 * len(full)
assert "ram_blocks" not in info and "domain" not in info
PYTHON
done
