#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --resume compresses with the level and the parameters that the image
# names: those that the codec does not have never get to it.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
requires_codec zstd
make_raw "$work/source"
iopress save -c zstd:3,long=20 --chunk-size 64K "$work/source" "$work/image"

# begun FIELD=VALUE: what a run would have left in image.part, its header changed.
begun ()
{
  PYTHONPATH=$abs_top_srcdir/tests/lib PYTHONDONTWRITEBYTECODE=1 \
    python3 - "$work/image" "$work/new.part" "$1" <<'PYTHON'
import sys
from iopress_image import Image

source, target, change = sys.argv[1:]
image = Image.read(source)
field, value = change.split("=", 1)
image.change_header(**{field: int(value) if field == "level"
                       else value.encode().ljust(64, b"\0")})
open(target, "wb").write(image.data()[:image.records_start() + 200000])
PYTHON
  chmod 600 "$work/new.part"
}

# refused FIELD=VALUE MESSAGE
refused ()
{
  begun "$1"
  cp "$work/new.part" "$work/before"
  expect_exit 3 iopress save --resume "$work/source" "$work/new"
  expect_message "new\\.part: $2"
  expect_same "$work/before" "$work/new.part"
}

refused level=99 'codec zstd has levels -7 to 19, not 99'
refused level=-2147483648 'codec zstd has levels'
refused parameters=long=63 'codec zstd: the parameter is long=10..27'
refused parameters=short 'codec zstd has no parameter "short"'

begun parameters=long=21
iopress save --resume "$work/source" "$work/new"
iopress restore "$work/new" "$work/restored"
expect_same "$work/source" "$work/restored"
