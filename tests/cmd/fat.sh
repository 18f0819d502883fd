#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Output on a file system whose files have no holes, and no more than 4 GiB: it
# is written in order, its size is never set ahead, and what is too large is
# refused at once.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

test -z "$VALGRIND" || skip "another library is preloaded"
inject=$abs_top_builddir/tests/faults/.libs/inject.so
test -f "$inject" || skip "tests/faults/inject.la has not been built"
make_raw "$work/source"
iopress save "$work/source" "$work/image"
truncate -s 5G "$work/large-source"
iopress save "$work/large-source" "$work/large"
mkdir "$work/fat"

# run COMMAND...: with what is below fat as on FAT.
run ()
{
  env ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" \
    LD_PRELOAD="$inject" IOPRESS_FAULT_FOLDER="$work/fat" IOPRESS_FAULT_FAT=1 \
    "$@"
}

# on_fat VERB [ARGUMENT...]
on_fat ()
{
  local verb=$1

  shift
  run "$abs_top_builddir/iopress" "$verb" --plugin-dir "$plugindir" \
    --sandbox=off "$@"
}

# Save and restore, by path and by descriptor.
try_outputs ()
{
  local folder=$work/fat name

  for name in path fd; do
    exec 4<>"$folder/fd"
    set -- "$folder/$name" "${@:2}"
    test $name = path || set -- fd:4 "${@:2}"
    on_fat save "${@:2}" -c stored "$work/source" "$1"
    iopress restore --force "$folder/$name" "$work/restored"
    expect_same "$work/source" "$work/restored"
    on_fat restore "${@:2}" --force "$work/image" "$1"
    expect_same "$work/source" "$folder/$name"
    rm "$folder/$name"
    expect_exit 1 on_fat restore "$work/large" "$1"
    expect_one_line
    expect_message 'has room for 4.0 GiB of the 5.0 GiB needed: File too large'
    exec 4>&-
  done
}

try_all ()
{
  local folder=$work/fat options

  for options in '' --direct-io=off '-T serial'; do
    # shellcheck disable=SC2086
    try_outputs '' $options
  done
  on_fat recover "$work/image" "$folder/recovered"
  expect_same "$work/source" "$folder/recovered"
  on_fat restore --tmpfile "$folder" "$work/image" -- \
    env -u LD_PRELOAD cmp {} "$work/source"
  # As libvirt saves.
  : >"$folder/stream"
  run python3 "$abs_top_srcdir/tests/cmd/iohelper-with-fd.py" write,direct \
    "$folder/stream" 5 "$abs_top_builddir/iopress" iohelper "$folder/stream" \
    5 <"$work/stream"
  expect_same "$work/stream" "$folder/stream"
  rm -f "$folder"/*
}

requires python3
head -c 40M /dev/urandom >"$work/stream"
try_all

# The same on a real one, where there is one.
if command -v mkfs.vfat >/dev/null && test "$(id -u)" = 0; then
  truncate -s 200M "$work/disk"
  mkfs.vfat "$work/disk" >/dev/null
  mount -o loop "$work/disk" "$work/fat" 2>/dev/null || exit 0
  cleanup_fn umount "$work/fat"
  try_all
fi
