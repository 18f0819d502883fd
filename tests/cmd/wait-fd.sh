#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --wait-fd: a byte means go, the end of the channel means give up.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
requires_codec zstd

head -c 300000 /dev/urandom >"$work/before"
head -c 500000 /dev/urandom >"$work/after"

# Nothing of the source is looked at before the byte: not even its size.
cp "$work/before" "$work/source"
mkfifo "$work/channel"
"$IOPRESS" save --wait-fd 5 "$work/source" "$work/image" 5<>"$work/channel" &
exec 6<>"$work/channel"
sleep 0.3
test ! -e "$work/image" || fail "it did not wait"
cp "$work/after" "$work/source"
printf x >&6
wait $! || fail "save failed after the byte"
"$IOPRESS" restore "$work/image" "$work/restored"
cmp "$work/restored" "$work/after"
rm "$work/image"

# Who has just said so may take a moment to close the source.
cp "$work/after" "$work/held"
sleep 1 8>>"$work/held" &
"$IOPRESS" save --discard --wait-fd 5 "$work/held" "$work/image" \
  5< <(printf x) || fail "it did not wait until the source was closed"
rm "$work/image"
cp "$work/after" "$work/held"
sleep 30 8>>"$work/held" &
holder=$!
expect_exit 1 "$IOPRESS" save --discard --wait-fd 5 "$work/held" \
  "$work/image" 5< <(printf x)
expect_message 'held: another process has it open for writing'
kill "$holder"

# The channel ends: 5, the source as it was, the output empty or not there.
expect_exit 5 "$IOPRESS" save --discard --wait-fd 5 "$work/source" \
  "$work/image" 5</dev/null
test ! -e "$work/image" && test ! -e "$work/image.part" ||
  fail "an output was left"
echo old >"$work/descriptor"
expect_exit 5 "$IOPRESS" save --discard --wait-fd 5 fd:3 fd:4 \
  3<>"$work/source" 4<>"$work/descriptor" 5</dev/null
test ! -s "$work/descriptor" || fail "the descriptor's file was not emptied"
cmp "$work/source" "$work/after"

# Also when the source can only be written: it is the descriptor QEMU has.
echo old >"$work/descriptor"
expect_exit 5 "$IOPRESS" save --discard --wait-fd 5 fd:3 fd:4 \
  3>>"$work/source" 4<>"$work/descriptor" 5</dev/null
test ! -s "$work/descriptor" || fail "the descriptor's file was not emptied"
cmp "$work/source" "$work/after"
# And when QEMU has never made it.
echo old >"$work/descriptor"
expect_exit 5 "$IOPRESS" save --discard --wait-fd 5 "$work/none" fd:4 \
  4<>"$work/descriptor" 5</dev/null
test ! -s "$work/descriptor" || fail "the descriptor's file was not emptied"
# But never the source itself.
ln "$work/source" "$work/link"
for source in fd:3 "$work/source" "$work/link"; do
  expect_exit 5 "$IOPRESS" save --discard --wait-fd 5 "$source" fd:4 \
    3>>"$work/source" 4<>"$work/source" 5</dev/null
  cmp "$work/source" "$work/after"
done

# The byte comes, and the source is still not complete: 3.
python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --preset unfinished \
  "$work/unfinished"
expect_exit 3 "$IOPRESS" save --wait-fd 5 "$work/unfinished" "$work/image" \
  5< <(printf x)

# SIGTERM while it waits: 5.
"$IOPRESS" save --wait-fd 5 "$work/source" "$work/image" 5<>"$work/channel" &
eventually catches_term $! || fail "it does not begin"
sleep 0.3
kill -TERM $!
expect_exit 5 wait $!

# A descriptor that is not open, not open for reading, or no number.
expect_exit 2 timeout 20 "$IOPRESS" save --wait-fd 5 "$work/source" \
  "$work/image" 5> >(sleep 1)
expect_message '--wait-fd: descriptor 5 is not open for reading'
expect_exit 2 "$IOPRESS" save --wait-fd 9 "$work/source" "$work/image" 9<&-
expect_exit 2 "$IOPRESS" save --wait-fd x "$work/source" "$work/image"
