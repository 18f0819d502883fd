#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Exit status 4: the message ends with the command that goes on, in full and as
# a shell takes it, whatever the files are called.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

head -c 5M /dev/urandom >"$work/original"
long=$(printf 'x%.0s' {1..200})

# A shell's iopress is this one.
mkdir "$work/bin"
ln -s "$IOPRESS" "$work/bin/iopress"

for name in plain 'two words' "it's" "\$HOME;\"*\"" "$long"; do
  mkdir "$work/$name"
  cp "$work/original" "$work/$name/$name.save"
  (
    ulimit -f 2048
    expect_exit 4 "$IOPRESS" save --discard --discard-batch 128K -c stored \
      --chunk-size 64K "$work/$name/$name.save" "$work/$name/$name.image"
  )
  expect_one_line
  command=$(sed -n 's/.*; nothing is lost, go on with: //p' "$work/stderr")
  PATH=$work/bin:$PATH bash -c "$command"
  iopress restore --force "$work/$name/$name.image" "$work/restored"
  expect_same "$work/original" "$work/restored"
done

# What looks like an option is none.
cd "$work"
cp -- original -s
(
  ulimit -f 2048
  expect_exit 4 "$IOPRESS" save --discard --discard-batch 128K -c stored \
    --chunk-size 64K -- -s -o
)
PATH=$work/bin:$PATH bash -c \
  "$(sed -n 's/.*; nothing is lost, go on with: //p' "$work/stderr")"
iopress restore --force -- -o restored
expect_same original restored
test "$(tail -c 30 <<<"$command")" = "$(tail -c 30 <<<"$long.image")" ||
  fail "the end is $command"
