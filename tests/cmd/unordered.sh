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

# expect_window NUMBER FILE: what was recovered has there what FILE has.
expect_window ()
{
  local of

  for of in recovered "$2"; do
    dd if="$work/$of" of="$work/window-${of##*/}" bs=64K skip="$1" count=1 \
      status=none
  done
  expect_same "$work/window-recovered" "$work/window-${2##*/}"
}

# recovered STATUS: what came of $image, and the report.
recovered ()
{
  expect_exit "$1" iopress recover --force "$image" "$work/recovered" \
    >"$work/report"
}

# reported TEXT
reported ()
{
  grep -q "$1" "$work/report" || fail "no '$1' in: $(cat "$work/report")"
}

# unreported TEXT
unreported ()
{
  ! grep "$1" "$work/report" || fail "it says '$1'"
}

truncate -s 300001 "$work/zeros"

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
  recovered 0
  expect_same "$work/recovered" "$new"
  unreported uncertain
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

test_recovery ()
{
  # The index decides, and no older record stands in.
  made damaged_record
  recovered 3
  reported "missing:   bytes 65536 to 131072"
  expect_window 1 zeros
  expect_window 3 new
  # The footer's digest proves that the last ones count.
  made no_index
  recovered 0
  expect_same "$work/recovered" "$new"
  made no_footer
  recovered 3
  expect_same "$work/recovered" "$new"
  reported "the size of the file, 300001 bytes"
  unreported "last of their windows"
  made no_header
  recovered 3
  expect_same "$work/recovered" "$new"
  unreported "last of their windows"
}

# Nothing tells which records count.
test_uncertain ()
{
  local change

  for change in cut only_records unfinished; do
    made "$change"
    recovered 3
    expect_same "$work/recovered" "$new"
    reported "last of their windows; of 2 with several"
    expect_exit 3 iopress recover --force --json "$image" \
      "$work/recovered" >"$work/report"
    reported '"versions_uncertain": *true'
    reported '"complete": *false'
  done
  made cut_record
  recovered 3
  reported "uncertain: bytes 196608 to 262144"
  expect_window 3 zeros
  expect_window 1 new
}

# What is unfinished may be all there is of a source.
test_leftovers ()
{
  local change

  for change in whole cut; do
    made "$change"
    cp "$image" "$work/out.iop.part"
    expect_exit 3 iopress save --resume -c zstd "$new" "$work/out.iop"
    expect_message "iopress mount"
    expect_same "$work/out.iop.part" "$image"
    expect_exit 1 iopress save --force "$new" "$work/out.iop"
    expect_message "move it away"
    expect_same "$work/out.iop.part" "$image"
    rm "$work/out.iop.part"
    cp "$image" "$work/out.iop"
    expect_exit 3 iopress save --resume -c zstd "$new" "$work/out.iop"
    expect_message "iopress mount"
    expect_same "$work/out.iop" "$image"
    rm "$work/out.iop"
  done
  expect_exit 3 iopress info "$image"
  expect_exit 3 iopress info --map "$image"
  cp "$image" "$work/expanded"
  expect_exit 3 iopress expand "$work/expanded"
  expect_same "$work/expanded" "$image"
}

test_readers
test_refusals
test_recovery
test_uncertain
test_leftovers
