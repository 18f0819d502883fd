#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An image that came through the mount says what kind of source it is, as one of
# save does, and gives back all that was written.  A file that is written again
# and again is stored until it is closed, and packed then.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

requires_codec zstd

make_save ()
{
  python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --preset "$1" \
    "$work/$1"
}

# field NAME FILE
field ()
{
  iopress info --json "$2" | python3 -c '
import json, sys
print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# expect_kind KIND NAME
expect_kind ()
{
  test "$(field kind "$store/$2")" = "$1" ||
    fail "$2: $(field kind "$store/$2") instead of $1"
  iopress restore --force "$store/$2" "$work/restored"
  expect_same "$work/$2" "$work/restored"
}

saves=(libvirt-save plain stale big-pages)
for name in "${saves[@]}" cut-tail; do
  make_save "$name"
done
seq 100000 >"$work/numbers"
mounted -o pack=now
for name in "${saves[@]}" cut-tail numbers; do
  cp "$work/$name" "$mnt/$name"
done
unmounted
for name in "${saves[@]}"; do
  expect_kind mapped-ram "$name"
  iopress info "$store/$name" | grep -q ' block0 ' || fail "$name: no RAM block"
done
expect_kind raw cut-tail
expect_kind raw numbers

# What it is may change.
mounted -o pack=now
for file in "$mnt/plain" "$work/plain"; do
  printf 'nothing' | dd of="$file" bs=1 conv=notrunc status=none
done
unmounted
expect_kind raw plain

rewrite ()
{
  python3 - "$mnt/rewritten" "$work/rewritten" <<'END'
import os, random, sys

numbers = random.Random(3)
files = [os.open(name, os.O_RDWR | os.O_CREAT, 0o600) for name in sys.argv[1:]]
for turn in range(6):
    text = (b"%d %d " % (turn, numbers.random() * 1e9)) * 60000
    for window in range(16):
        for file in files:
            os.pwrite(file, text[:1 << 20], window << 20)
    for file in files:
        os.fsync(file)
END
}

is_rewritten ()
{
  unmounted
  expect_kind raw rewritten
  test "$(stat -c %s "$store/rewritten")" -le \
       $(($(stat -c %b "$store/rewritten") * 512)) || fail "it has holes"
  test "$(stat -c %s "$store/rewritten")" -lt 1000000 || fail "it stays large"
  rm "$store/rewritten" "$work/rewritten"
}

mounted -T 2
rewrite
eventually grep -q 'rewritten: .*, packed in the background' "$work/log"
"$IOPRESS" mount --status --json "$mnt" | python3 -c '
import json, sys
assert json.load(sys.stdin)["records_stored"] > 30, "it was packed in vain"'
expect_same "$work/rewritten" "$mnt/rewritten"
is_rewritten

# Where nothing is to be stored gaps go all the same, if there are many.
: >"$work/log"
mounted -o pack=now
rewrite
eventually grep -q 'rewritten: .*, packed in the background' "$work/log"
is_rewritten
