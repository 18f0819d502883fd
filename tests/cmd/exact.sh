#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --exact keeps stale bytes of absent pages; without it they become zeros.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_mapped_ram --preset stale "$work/source" --expected "$work/expected"
cmp -s "$work/source" "$work/expected" && fail "the sample has no stale page"
iopress save "$work/source" "$work/image"
iopress restore "$work/image" "$work/restored"
expect_same "$work/expected" "$work/restored"
iopress info --json "$work/image" | grep -q '"exact": *false' ||
  fail "info says exact"

iopress save --exact "$work/source" "$work/exact"
iopress restore --force "$work/exact" "$work/restored"
expect_same "$work/source" "$work/restored"
iopress info --json "$work/exact" | grep -q '"exact": *true' ||
  fail "info does not say exact"
test "$(stat -c %s "$work/exact")" -gt "$(stat -c %s "$work/image")" ||
  fail "nothing was left out without --exact"
