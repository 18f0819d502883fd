#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a half consumed source still has goes only when the image has the very
# same, whatever their ids say; and what recover saved is no source.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"
. "$abs_top_srcdir/tests/discard/common.sh"

requires python3
cd "$work" || exit
id=00112233445566778899aabbccddeeff
options=(--chunk-size 64K -c stored --image-id $id)

# interrupt SOURCE OUTPUT: half of SOURCE is consumed, OUTPUT.part unfinished.
interrupt ()
{
  rm -f "$2" "$2.part"
  (
    ulimit -f 1024
    trap '' XFSZ
    expect_exit 4 iopress save --discard --discard-batch 256K \
      "${options[@]}" "$1" "$2"
  ) || exit
}

noise a 4000000 1
noise b 4000000 2
cp a s
interrupt s image

# It is finished from a copy of which a byte that is still wanted went bad.
cp --sparse=always s rotten
cp image.part copied.part
chmod 600 copied.part
spoil rotten 3500000
expect_exit 0 iopress save --resume rotten copied
untouched s copied -- 3 iopress save --resume s copied
expect_message 'bytes [0-9]* to [0-9]* differ; keep both files'
untouched s copied -- 3 iopress save --resume fd:3 fd:4 3<>s 4<>copied
expect_message 'bytes [0-9]* to [0-9]* differ; keep both files'

# Another image has the same id, complete or not.
expect_exit 0 iopress save "${options[@]}" b other
untouched s other -- 3 iopress save --resume s other
head -c 3000000 other >new.part
chmod 600 new.part
untouched s new.part -- 3 iopress save --resume s new
rm new.part

# What was salvaged has zeros for what is missing, and no marker.
expect_exit 3 iopress recover image.part salvaged
untouched salvaged image.part -- 3 iopress save --resume salvaged image
expect_message 'salvaged: holds nothing behind byte [0-9]*'
expect_exit 1 iopress save --discard salvaged image.part

# SOURCE is not OUTPUT, and nobody else is using it.
ln -s s link
ln s hard
for output in s ./s link hard; do
  untouched s -- 2 iopress save --resume s $output
  untouched s -- 2 iopress save --resume --force s $output
done
untouched s -- 2 iopress save --resume s fd:3 3<>s
rm hard link

# The right ones are finished.
expect_exit 0 iopress save --resume s image
expect_exit 0 iopress restore image restored
expect_same a restored
