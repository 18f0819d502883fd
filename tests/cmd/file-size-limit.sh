#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A limit on file sizes: exit status 1, no .part, no signal, no hang.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"

# limited KIB ARGUMENT...: the message must fit the limit too.
limited ()
{
  local limit=$1

  shift
  # shellcheck disable=SC2016
  expect_exit 1 bash -c 'ulimit -f "$1"; shift; exec timeout -s KILL 20 "$@"' \
    limited "$limit" "$IOPRESS" "$@"
  expect_one_line
  expect_message 'File too large'
  expect_absent "$work/new" "$work/new.part"
}

for direct in auto off; do
  for limit in 4 5 100 513; do
    limited $limit save --direct-io $direct "$work/source" "$work/new"
    limited $limit restore --direct-io $direct "$work/image" "$work/new"
  done
done

# A limit that the image itself keeps to is none.
bytes=$(stat -c %s "$work/image")
limit=$(((bytes + 4095) / 4096 * 4))
(ulimit -f $limit; iopress save "$work/source" "$work/fits")
iopress restore "$work/fits" "$work/restored"
expect_same "$work/source" "$work/restored"
