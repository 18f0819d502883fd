#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A file system that calls data a hole: what QEMU's bitmaps call present, and
# all that is beside the memory, is read all the same; and of a raw file nothing
# goes that has not been read.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec zstd
module=$abs_top_builddir/tests/discard/.libs/false_holes.so
test -f "$module" || skip "the module to preload has not been built"
test -z "$VALGRIND" || skip "valgrind has calls of its own"
id=0123456789abcdef0123456789abcdef

# blind HOLE VERB [ARGUMENT...]
blind ()
{
  local hole=$1

  shift
  ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 \
    IOPRESS_FALSE_HOLE=$hole LD_PRELOAD=$module iopress "$@"
}

# The module does what it is there for.
truncate -s 1M "$work/probe"
printf x | dd of="$work/probe" oflag=seek_bytes seek=70000 conv=notrunc \
  status=none
blind 0:1048576 save "$work/probe" "$work/probe.image"
iopress restore "$work/probe.image" "$work/probe.restored"
cmp -s "$work/probe" "$work/probe.restored" &&
  fail "the raw file came back: nothing was called a hole"

# fresh: the source, which may have been given back.
fresh ()
{
  rm -f "$work/source" "$work/image" "$work/image.part" "$work/restored"
  cp --sparse=always "$work/kept" "$work/source"
}

# comes_back HOLE OPTION...
comes_back ()
{
  local hole=$1

  shift
  fresh
  blind "$hole" save --image-id $id --chunk-size 256K "$@" "$work/source" \
    "$work/image"
  expect_same "$work/honest" "$work/image"
  fresh
  blind "$hole" save --image-id $id --chunk-size 256K --discard "$@" \
    "$work/source" "$work/image"
  test "$(allocated "$work/source")" -le 4096 || fail "the source did not go"
  iopress restore "$work/image" "$work/restored"
  expect_same "$work/expected" "$work/restored"
}

all=0:9000000000000000000
for preset in everything all-set small-pages-stale bare-end; do
  make_mapped_ram --preset $preset "$work/kept" --expected "$work/expected"
  iopress save --force --image-id $id --chunk-size 256K "$work/kept" \
    "$work/honest"
  comes_back $all
  comes_back $all --direct-io off -T 0
  comes_back 1048576:2200000 -T 1
  comes_back 5000000:9000000000000000000 --direct-io on
  blind $all save --estimate "$work/kept" >"$work/estimate"
  grep -q '^sampled  *0 ' "$work/estimate" && fail "the estimate saw nothing"

  # The source is held against what an earlier run has written.
  head -c -200 "$work/honest" >"$work/new.part"
  chmod 600 "$work/new.part"
  blind $all save --resume --image-id $id --chunk-size 256K "$work/kept" \
    "$work/new"
  expect_same "$work/honest" "$work/new"
  rm "$work/new"
done

# Pages that only the file system can know of: all that is present comes back.
make_mapped_ram --preset zero-set "$work/kept" --expected "$work/expected"
iopress save --force --exact --image-id $id --chunk-size 256K "$work/kept" \
  "$work/honest"
comes_back $all --exact

# Bitmaps that are clear, and pages that seem to be holes, but are none.
make_mapped_ram --preset background "$work/source"
expect_exit 3 blind $all save "$work/source" "$work/new"
expect_message 'background'

# A raw file that goes, where the file system may be late, as ZFS.
export IOPRESS_FALSE_TYPE=0x2fc12fc1
rm "$work/kept"
make_raw "$work/kept"
cp "$work/kept" "$work/expected"
for options in "" "--direct-io off" "--direct-io on -T 1"; do
  for hole in $all 1000000:3000000; do
    fresh
    # shellcheck disable=SC2086
    blind $hole save --discard $options "$work/source" "$work/image"
    iopress restore "$work/image" "$work/restored"
    expect_same "$work/expected" "$work/restored"
    fresh
    # shellcheck disable=SC2086
    blind $hole save --replace $options "$work/source"
    iopress restore "$work/source" "$work/restored"
    expect_same "$work/expected" "$work/restored"
  done
done

# One that nobody can look through does not go, but is saved.
rm -f "$work/source" "$work/image"
truncate -s 3T "$work/source" 2>/dev/null || exit 0
printf x | dd of="$work/source" conv=notrunc status=none
expect_exit 1 blind 0:0 save --discard "$work/source" "$work/image"
expect_one_line
expect_message 'is nearly all holes.*without --discard'
expect_absent "$work/image" "$work/image.part"
test "$(head -c 1 "$work/source")" = x || fail "something is gone"
iopress save "$work/source" "$work/image"

# Where the file system is known to tell the truth its holes are left out.
unset IOPRESS_FALSE_TYPE
case $(stat -f -c %T "$work") in
  ext2/ext3 | xfs | btrfs | tmpfs | f2fs)
    rm "$work/image"
    iopress save --discard "$work/source" "$work/image" ;;
esac
