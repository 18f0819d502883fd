#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save -c auto: whatever levels it picks, the image is one of zstd's; where the
# output is the slower part it goes up from where it began.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
requires python3
requires_codec zstd

python3 - "$work/source" <<'END'
import random, sys
generator = random.Random(3)
words = [b"%x" % generator.getrandbits(40) for _ in range(5000)]
with open(sys.argv[1], "wb") as source:
    for _ in range(24 << 20 >> 16):
        page = b" ".join(generator.choices(words, k=6500))
        source.write(page[:65536])
END

"$IOPRESS" save -c auto --chunk-size 64K "$work/source" "$work/image" \
  2>"$work/said"
grep -q "image: windows packed: [0-9].* at zstd:" "$work/said" ||
  fail "it does not say what it picked: $(cat "$work/said")"
"$IOPRESS" info --json "$work/image" | grep -q '"codec": *"zstd"'
"$IOPRESS" restore "$work/image" "$work/restored"
cmp "$work/source" "$work/restored"

# Without workers there is nothing to balance; quiet says nothing.
"$IOPRESS" save -c auto -T serial --force "$work/source" "$work/image"
"$IOPRESS" verify "$work/image"
"$IOPRESS" save -q -c auto --force "$work/source" "$work/image" 2>"$work/said"
test ! -s "$work/said" || fail "-q is not quiet"

# A reader that takes its time.  The writer waits for it once in 4 MiB, and each
# time is one reason to go up.
cat "$work/source" "$work/source" "$work/source" "$work/source" >"$work/long"
"$IOPRESS" save -c auto --chunk-size 64K "$work/long" - 2>"$work/said" |
  python3 -c '
import sys, time
with open(sys.argv[1], "wb") as image:
    while part := sys.stdin.buffer.read(1 << 20):
        image.write(part)
        time.sleep(0.1)' "$work/slow"
grep -qE 'at zstd:[2-9]' "$work/said" ||
  fail "it stayed low although the output was slow: $(cat "$work/said")"
"$IOPRESS" restore --force "$work/slow" "$work/restored"
cmp "$work/long" "$work/restored"

# auto takes no level, and is a level of any codec that can change it.
expect_exit 2 "$IOPRESS" save -c auto:3 "$work/source" "$work/other"
expect_message '"auto" has neither level nor parameters'
"$IOPRESS" save -c zstd:auto,long=27 --force "$work/source" "$work/image" \
  2>"$work/said"
grep -q 'at zstd:' "$work/said" || fail "zstd:auto does not choose levels"
"$IOPRESS" verify "$work/image"
if test -f "$plugindir/xz.so"; then
  expect_exit 2 "$IOPRESS" save -c xz:auto "$work/source" "$work/other"
  expect_message 'codec xz cannot change its level during a run: .* 0 to 9'
fi
expect_exit 2 "$IOPRESS" save -c stored:auto "$work/source" "$work/other"
expect_message '"stored" has neither level'
test ! -e "$work/other" || fail "something was written"
