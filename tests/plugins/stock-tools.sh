#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Frames of the shipped codecs decode with the stock tools, without a word
# from them, and frames of the stock tools decode with the codecs.

. "${abs_top_srcdir:-../..}/tests/functions.sh"

codecs=${SHIPPED_CODECS:-zstd lz4 xz}
# The names are separate words.
# shellcheck disable=SC2086
requires $codecs

frame ()
{
  "$abs_top_builddir/tests/plugins/codec-frame" "$plugindir" "$@"
}

# 4 KiB, 1 MiB and 5 MiB of text, zeros and noise.
make_samples ()
{
  head -c 1048576 /dev/zero >"$work/zeros"
  head -c 1048576 /dev/urandom >"$work/noise"
  seq 1 1000000 >"$work/text"
  truncate -s 5242880 "$work/text"
  head -c 4096 "$work/text" >"$work/page"
  { cat "$work/page" "$work/noise"; head -c 500000 "$work/zeros"
    cat "$work/page"; } >"$work/mixed"
}

# Prints what the level and parameters of each codec can be.
choices ()
{
  case $1 in
    zstd) echo zstd:-7 zstd zstd:3,long=27 zstd:5,long=10 zstd:19 ;;
    lz4) echo lz4:-9 lz4 lz4:3 lz4:12 ;;
    xz) echo xz:0 xz:3 xz:6,extreme ;;
  esac
}

decode_with_tool ()
{
  for choice in $(choices "$1"); do
    for sample in page zeros noise text mixed; do
      frame "$choice" <"$work/$sample" >"$work/frame" ||
        fail "$choice cannot compress $sample"
      "$1" -d -c <"$work/frame" >"$work/out" 2>"$work/messages" ||
        fail "$1 -d refuses $sample of $choice"
      test ! -s "$work/messages" ||
        fail "$1 -d says: $(cat "$work/messages")"
      cmp -s "$work/$sample" "$work/out" ||
        fail "$1 -d makes other bytes of $sample of $choice"
    done
  done
}

# decode_with_codec CODEC COMMAND...
decode_with_codec ()
{
  local codec=$1

  shift
  for sample in page zeros noise text mixed; do
    "$@" <"$work/$sample" >"$work/frame" || fail "$* failed"
    frame "$codec" "$(stat -c %s "$work/$sample")" \
      <"$work/frame" >"$work/out" ||
      fail "codec $codec refuses $sample of $*"
    cmp -s "$work/$sample" "$work/out" ||
      fail "codec $codec makes other bytes of $sample of $*"
  done
}

# Options change the form of the frame: checksums, no content size, block
# sizes, linked blocks, dictionaries larger than the chunk.
decode_stock_frames ()
{
  case $1 in
    zstd)
      decode_with_codec zstd zstd -q -c
      decode_with_codec zstd zstd -q -c -3 --long=27 --no-check ;;
    lz4)
      decode_with_codec lz4 lz4 -q -c
      decode_with_codec lz4 lz4 -q -c -BD -B4 -BX
      decode_with_codec lz4 lz4 -q -c -9 -B7 --no-frame-crc ;;
    xz)
      decode_with_codec xz xz -c -6
      decode_with_codec xz xz -c -0 --check=sha256
      # 64 MiB is more than the decoder may use.
      xz -c --lzma2=dict=64MiB <"$work/page" >"$work/frame"
      if frame xz 4096 <"$work/frame" >/dev/null 2>"$work/messages"; then
        fail "codec xz accepts a dictionary of 64 MiB"
      fi
      grep -q 'too large a dictionary' "$work/messages" ||
        fail "codec xz says: $(cat "$work/messages")" ;;
  esac
}

make_samples
for codec in $codecs; do
  decode_with_tool "$codec"
  decode_stock_frames "$codec"
done
