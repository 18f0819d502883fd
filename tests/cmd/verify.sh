#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# verify finds damage in the pages, --fast in the stored bytes.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
requires_codec zstd
make_raw "$work/source"
for threads in serial 1 2; do
  iopress save --force -T $threads "$work/source" "$work/image"
  iopress verify -T $threads "$work/image"
  iopress verify -T $threads --fast "$work/image"
  iopress verify -T $threads - < <(cat "$work/image")
  iopress verify -T $threads --fast - < <(cat "$work/image")
done
expect_exit 0 iopress verify -v "$work/image"
expect_message 'image: [0-9]+ records, all whole$'

# A byte of a payload: both see it.
cp "$work/image" "$work/damaged"
printf '\377\377\377\377' |
  dd of="$work/damaged" bs=1 seek=400000 conv=notrunc status=none
for option in '' --fast; do
  expect_exit 3 iopress verify $option "$work/damaged"
  expect_one_line
  expect_message 'damaged: window [0-9]+: record of window .* stored checksum'
done

# A wrong page checksum under right ones: only the full one decompresses.
PYTHONPATH=$abs_top_srcdir/tests/lib python3 -B - "$work" <<'PYTHON'
import sys
from iopress_image import Image

image = Image.read(sys.argv[1] + "/image")
record = image.records[0]
record.header["raw_checksum"] ^= 1
record.header.seal()
image.reindex()
with open(sys.argv[1] + "/deep", "wb") as file:
    file.write(image.data())
PYTHON
iopress verify --fast "$work/deep"
expect_exit 3 iopress verify "$work/deep"
expect_message 'deep: window 0: the checksum of its pages is wrong'

expect_exit 3 iopress verify "$work/source"
expect_one_line
expect_message 'source: not an iopress image; see whether it is the file that was meant'

# Several: all are looked at, those that are not whole told of.
expect_several ()
{
  expect_exit "$1" iopress verify "${@:3}" >"$work/said"
  test "$(cat "$work/said")" = "$2" || fail "$(cat "$work/said")"
}

cd "$work"
expect_several 0 '2 images: 2 whole, 0 not whole, 0 not read' image image
expect_several 3 '3 images: 2 whole, 1 not whole, 0 not read' \
  image damaged image
expect_message '^iopress: damaged: window'
expect_one_line
expect_several 1 '2 images: 1 whole, 0 not whole, 1 not read' none image
expect_message '^iopress: none: '
expect_several 3 '3 images: 0 whole, 1 not whole, 2 not read' none damaged none
expect_several 0 '2 images: 2 whole, 0 not whole, 0 not read' - image <image
expect_several 0 '2 images: 2 whole, 0 not whole, 0 not read' - image \
  < <(cat image)
# Nobody writes to the pipe, and those behind it wait for nobody.
mkfifo pipe
expect_exit 3 iopress_in_time 20 verify image pipe damaged /dev/null . \
  >said
expect_message '^iopress: pipe: is not seekable, as IMAGE must be among several'
expect_message '^iopress: damaged: window'
expect_message '^iopress: /dev/null: is not seekable'
expect_message '^iopress: \.: cannot be used: Is a directory'
test "$(cat said)" = '5 images: 1 whole, 1 not whole, 3 not read' ||
  fail "$(cat said)"
expect_exit 1 iopress_in_time 20 verify -q pipe image
expect_several 3 '' -q image damaged
expect_exit 2 iopress verify --progress-fd 5 image progress 5>progress
expect_exit 0 iopress verify --progress-fd 5 image image >/dev/null 5>lines
test "$(grep -c '"state":"done"' lines)" -eq 2
expect_exit 1 iopress verify image image >/dev/full
