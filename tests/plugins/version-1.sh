#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A plugin that was built with the first iopress-plugin.h works.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/plugins/common.sh"

# Nobody changes what stands for binaries that are out there.
(cd "$abs_top_srcdir/tests/plugins/v1" && sha256sum -c --quiet) <<'END' ||
bcd39b86877805d5d5d1d1ce0994745ab8c43e756635748ee222784ecad74ee2  iopress-plugin.h
09a81d785914039f74aec9381dcb7f269f806ba6dcad481e489754249db43809  version-1.c
END
  fail "what the first plugins were built from was changed"

make_plugins version-1
python3 - "$work/source" <<'END'
import sys
with open(sys.argv[1], "wb") as source:
    for i in range(512):
        text = (b"page %d " % i * 2000)[:16 + i * 40 % 3000]
        source.write(text.ljust(4096, b"\0"))
    source.write(bytes(1 << 20))
END

with_plugins save -c version-1:3,key=k --chunk-size 64K "$work/source" \
  "$work/image"
with_plugins info --json "$work/image" >"$work/info"
grep -q '"codec": *"version-1"' "$work/info"
grep -q '"key=k"' "$work/info"
with_plugins verify "$work/image"
with_plugins restore "$work/image" "$work/restored"
expect_same "$work/source" "$work/restored"

# It prefers its chunk size, and describes itself as far as it can.
with_plugins save -c version-1 --force "$work/source" "$work/image"
with_plugins info --json "$work/image" | grep -q '"chunk_size": *131072'
with_plugins plugins version-1 >"$work/about"
grep -qx 'levels: 0..3, default 1' "$work/about"
grep -qx 'frames known: no' "$work/about"
grep -qx 'parameters: not described' "$work/about"

# What it cannot do is said, and it is named.
expect_exit 2 with_plugins save -c version-1,k "$work/source" "$work/new"
expect_message 'codec version-1: the only parameter is key=X'
expect_exit 2 with_plugins save -c version-1:auto "$work/source" "$work/new"
expect_message 'codec version-1 cannot change its level'
dd if=/dev/zero of="$work/image" bs=256 count=1 conv=notrunc status=none
expect_exit 3 with_plugins recover "$work/image" "$work/recovered"
expect_message 'name it with -c'
with_plugins recover -c version-1 "$work/image" "$work/recovered"
expect_same "$work/source" "$work/recovered"
