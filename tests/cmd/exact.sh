#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --exact keeps stale bytes of absent pages; without it they become zeros, also
# those of guest pages that share one of the file with others that are there.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

# go_on OPTION...: what is left of the image when its end is cut off has all
# that counts in the source, so that a save can go on with it.
go_on ()
{
  iopress save --force "$@" "$work/source" "$work/whole"
  head -c -200 "$work/whole" >"$work/new.part"
  chmod 600 "$work/new.part"
  iopress save --resume "$@" "$work/source" "$work/new"
  expect_same "$work/whole" "$work/new"
  rm "$work/new"
}

for preset in stale small-pages-stale tiny-pages; do
  make_mapped_ram --preset $preset "$work/source" --expected "$work/expected"
  cmp -s "$work/source" "$work/expected" &&
    fail "the sample $preset has no stale page"
  iopress save --force "$work/source" "$work/image"
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/expected" "$work/restored"
  iopress info --json "$work/image" | grep -q '"exact": *false' ||
    fail "info says exact"
  go_on

  iopress save --force --exact "$work/source" "$work/exact"
  iopress restore --force "$work/exact" "$work/restored"
  expect_same "$work/source" "$work/restored"
  iopress info --json "$work/exact" | grep -q '"exact": *true' ||
    fail "info does not say exact"
  test "$(stat -c %s "$work/exact")" -gt "$(stat -c %s "$work/image")" ||
    fail "nothing was left out without --exact"
  go_on --exact
done
