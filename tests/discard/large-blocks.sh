#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --discard where a punch frees blocks of more than 4 KiB, and where there
# are no punches; a module stands for those file systems.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/discard/common.sh"

requires python3
requires_codec zstd
test -z "$VALGRIND" || skip "another library is preloaded"
module=$abs_top_builddir/tests/discard/.libs/blocks.so
test -f "$module" || skip "tests/discard/blocks.la has not been built"

cd "$work"

# on_blocks BYTES VERB [ARGUMENT...]: where blocks have BYTES bytes.
on_blocks ()
{
  ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 \
    IOPRESS_BLOCK_BYTES=$1 LD_PRELOAD=$module "$abs_top_builddir/iopress" \
    "$2" --plugin-dir "$plugindir" "${@:3}"
}

# Nothing of a consumed source stays, and it is no source any more.
noise original 37000001
for block in 4096 16384 65536 1048576; do
  for batch in 64K 20M; do
    rm -f image
    cp original source
    expect_exit 0 on_blocks $block save --discard --discard-batch $batch \
      --chunk-size 64K source image
    test "$(tr -d '\0' <source | wc -c)" = 0 || fail "bytes of it are left"
    test "$(stat -c %b source)" -le 1 ||
      fail "$block: $(stat -c %b source) blocks are left"
    untouched image -- 3 on_blocks $block save --discard --force source image
    untouched image -- 3 on_blocks $block save --force source image
    expect_exit 0 iopress save --resume source image
  done
  expect_exit 0 iopress restore --force image restored
  expect_same original restored
done

# A half-consumed source that is where nothing can be punched: the image is
# finished, what is left of the source stays, and no one takes it for whole.
rm -f image
cp original source
status=0
(ulimit -f 20480; iopress save --discard --discard-batch 128K \
   --chunk-size 64K -c stored source image 2>stderr) || status=$?
test $status = 4 || fail "exit status $status: $(cat stderr)"
cp --sparse=always source half
cp image.part half.part
cp half.part new.part
for more in "" --discard; do
  cp --sparse=always half source
  cp half.part image.part
  # shellcheck disable=SC2086
  untouched source -- 0 on_blocks 0 save --resume $more source image
  expect_message 'source: is in image now, but .* cannot give its blocks back'
  test ! -e image.part || fail "image.part is left"
  expect_exit 0 iopress restore --force image restored
  expect_same original restored
  untouched source image -- 0 on_blocks 0 save --resume $more source image
  untouched source image -- 3 on_blocks 0 save --force source image
  test "$more" = --discard || rm image
done
untouched half -- 0 on_blocks 0 save --resume fd:3 fd:4 3<>half 4<>new.part
expect_exit 0 iopress restore --force new.part restored
expect_same original restored
# Elsewhere it goes.
expect_exit 0 iopress save --resume source image
test "$(tr -d '\0' <source | wc -c)" = 0 || fail "the source is still there"
# A first run says so before anything is done.
rm -f image
cp original source
untouched source -- 1 on_blocks 0 save --discard source image
expect_message 'source: cannot give blocks back: .*; .* without --discard'
test ! -e image && test ! -e image.part || fail "an image is left"
