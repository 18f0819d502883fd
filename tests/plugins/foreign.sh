#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For a codec that the program has never heard of nothing in it has to change:
# save, with levels that follow the run, too, restore, and recover of an image
# whose header is lost.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/plugins/common.sh"
requires python3

make_plugins foreign

# Pages that are half empty, and noise.
python3 - "$work/source" <<'END'
import random, sys
generator = random.Random(8)
with open(sys.argv[1], "wb") as source:
    for i in range(4000):
        noise = generator.randbytes(200 + i % 1800)
        source.write(noise + bytes(4096 - len(noise)))
    source.write(generator.randbytes(1 << 20))
END

# comes_back IMAGE LEVEL: the image is one of the codec's, and comes back, with
# its header and without.
comes_back ()
{
  with_plugins info --json "$1" >"$work/info"
  grep -q '"codec": *"foreign"' "$work/info" || fail "it is another codec's"
  grep -q "\"level\": *$2" "$work/info" || fail "not level $2"
  test "$(stat -c %s "$1")" -lt "$(($(stat -c %s "$work/source") * 3 / 4))" ||
    fail "nothing was compressed"
  with_plugins restore --force "$1" "$work/restored"
  expect_same "$work/source" "$work/restored"
  dd if=/dev/zero of="$1" bs=256 count=1 conv=notrunc status=none
  with_plugins recover --force "$1" "$work/recovered"
  expect_same "$work/source" "$work/recovered"
}

with_plugins save -c foreign "$work/source" "$work/image"
comes_back "$work/image" 2
with_plugins save -c foreign:6 --force "$work/source" "$work/image"
comes_back "$work/image" 6

# The output is slow: up it goes from its default.
cat "$work/source" "$work/source" "$work/source" "$work/source" >"$work/long"
mv "$work/long" "$work/source"
with_plugins save -c foreign:auto --chunk-size 64K "$work/source" - \
  2>"$work/said" |
  python3 -c '
import sys, time
with open(sys.argv[1], "wb") as image:
    while part := sys.stdin.buffer.read(1 << 20):
        image.write(part)
        time.sleep(0.1)' "$work/slow"
grep -qE 'at foreign:[3-6]' "$work/said" ||
  fail "it stayed low although the output was slow: $(cat "$work/said")"
comes_back "$work/slow" 2
