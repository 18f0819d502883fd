#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --image-id fixes the id and with it every byte; without it ids differ.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
id=00112233445566778899aAbBcCdDeEfF
iopress save --image-id $id "$work/source" "$work/a"
iopress save --image-id $id "$work/source" "$work/b"
expect_same "$work/a" "$work/b"
iopress info "$work/a" | grep -q -i "image id *$id" || fail "another id"

iopress save --force "$work/source" "$work/a"
iopress save --force "$work/source" "$work/b"
cmp -s "$work/a" "$work/b" && fail "two random ids are the same"

for id in '' 0 0011223344556677889900112233445 \
          001122334455667788990011223344556 \
          0x112233445566778899001122334455 \
          ' 0112233445566778899001122334455'; do
  expect_exit 2 iopress save --image-id "$id" "$work/source" "$work/new"
  expect_one_line
  expect_message '--image-id takes 32 hexadecimal digits, not "'
done
expect_absent "$work/new" "$work/new.part"
