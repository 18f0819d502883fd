#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What -c refuses, with exit status 2 and before anything is written.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec zstd lz4 xz
make_raw "$work/source"

# refused CHOICE MESSAGE
refused ()
{
  expect_exit 2 iopress save -c "$1" "$work/source" "$work/new"
  expect_one_line
  expect_message "$2"
  expect_absent "$work/new" "$work/new.part"
}

refused '' 'a codec name is'
refused ZSTD 'a codec name is'
refused ../zstd 'a codec name is'
refused /zstd 'a codec name is'
refused zstd.so 'a codec name is'
refused abcdefghijklmnop 'a codec name is'
refused zstd: 'the codec level is not a number'
refused zstd:fast 'the codec level is not a number'
refused 'zstd: 3' 'the codec level is not a number'
refused zstd:+3 'the codec level is not a number'
refused zstd:3x 'the codec level is not a number'
refused zstd:99999999999999999999 'the codec level is too large'
refused zstd:20 'codec zstd has levels -7 to 19, not 20'
refused zstd:-8 'codec zstd has levels -7 to 19, not -8'
refused lz4:13 'codec lz4 has levels -9 to 12, not 13'
refused xz:-1 'codec xz has levels 0 to 9, not -1'
refused zstd:1, 'no codec parameters after the comma'
refused zstd:1,long 'codec zstd: the parameter is long=10..27, not "long"'
refused zstd:1,long=28 'the parameter is long=10..27, not "long=28"'
refused zstd:1,long=9 'the parameter is long=10..27, not "long=9"'
refused zstd:1,long= 'the parameter is long=10..27, not "long="'
refused zstd:1,long=0x10 'the parameter is long=10..27, not "long=0x10"'
refused zstd:1,long=27,x 'has no parameter "x"; it has long=10..27'
refused zstd:1,lon=27 'has no parameter "lon"; it has long=10..27'
refused zstd:1,long=27, 'has no parameter ""'
refused zstd:1,long=27,long=20 'codec zstd: long is there more than once'
refused 'zstd:1,a b' 'must be printable ASCII'
refused "zstd:1,$(printf 'x%.0s' {1..64})" 'longer than 63 characters'
refused lz4:1,x 'codec lz4 takes no parameters'
refused xz:6,best 'codec xz has no parameter "best"; it has extreme'
refused xz:6,extreme=1 'the parameter is extreme, not "extreme=1"'
refused stored:1 '"stored" has neither level nor parameters'
refused stored,x '"stored" has neither level nor parameters'

# Before anything is waited for.
expect_exit 2 timeout 60 "$IOPRESS" save -c zstd,x --wait-fd 5 "$work/source" \
  "$work/new" 5< <(sleep 100)
expect_message 'has no parameter "x"'
