#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images whose records stand in any order, among older ones of the same windows,
# as iopress mount writes them: every reader takes the records that count, and
# says so where it cannot tell.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires python3 zstd
requires_codec zstd
decoder=$abs_top_srcdir/contrib/iopress-extract
id=000102030405060708090a0b0c0d0e0f
image=$work/image

# Five windows of 64K; the older state is shorter and has other pages.
new=$work/new old=$work/old
seq 1 60000 >"$new"
truncate -s 262144 "$new"
truncate -s 299008 "$new"
printf 'the end' >>"$new"
truncate -s 300001 "$new"
seq 900000 999999 >"$old"
truncate -s 200000 "$old"
for state in new old; do
  iopress save -c zstd --chunk-size 64K --image-id "$id" "$work/$state" \
    "$work/$state.iop"
done

# made CHANGE: makes $image.
made ()
{
  python3 "$abs_top_srcdir/tests/lib/unordered_image.py" "$work/old.iop" \
    "$work/new.iop" "$image" "$1"
}

test_readers ()
{
  made whole
  iopress verify "$image"
  iopress verify --fast "$image"
  iopress info "$image" >/dev/null
  iopress info --map "$image" >/dev/null
  iopress restore "$image" "$work/restored"
  expect_same "$work/restored" "$new"
  python3 "$decoder" "$image" "$work/extracted"
  expect_same "$work/extracted" "$new"
  python3 "$decoder" --list "$image" >/dev/null
  cp "$image" "$work/expanded"
  iopress expand "$work/expanded"
  expect_same "$work/expanded" "$new"
}

# refused CHANGE TEXT: by all readers, with that text.
refused ()
{
  made "$1"
  expect_exit 3 iopress verify "$image"
  expect_message "$2"
  expect_exit 3 iopress verify --fast "$image"
  expect_exit 3 iopress restore --force "$image" "$work/restored"
  expect_exit 3 python3 "$decoder" "$image" "$work/refused"
  test ! -e "$work/refused" || fail "$1: extracted"
}

test_refusals ()
{
  refused overlapping "overlap"
  refused before "before the first at 4096"
  refused behind "reaches past the index"
  refused past_end "past the end of the source"
  refused old_named "window 1"
  refused damaged_record "window 1"
  refused cut "incomplete"
}

test_readers
test_refusals
