#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Others change names between any two steps of a run: what they put there is
# neither lost nor taken for ours.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

test -z "$VALGRIND" || skip "another library is preloaded"

module ()
{
  local path=$abs_top_builddir/tests/faults/.libs/$1.so

  test -f "$path" || skip "$path is not built"
  # A sanitizer's runtime must come first.
  echo "$(sanitizer)${path}"
}

sanitizer ()
{
  ldd "$abs_top_builddir/iopress" | awk '/lib(asan|tsan|ubsan)\./ {
    printf "%s ", $3 }'
}

mkdir "$work/folder"
file=$work/folder/file o=$work/folder/output
aside=$file.packed-00112233
make_mapped_ram --libvirt save --block pc.ram=1M,random "$work/ram" \
  --expected "$work/expected"
iopress save --image-id 00112233445566778899aabbccddeeff "$work/ram" \
  "$work/packed"
echo precious >"$work/precious"

# meddled CALL:SUFFIX NAME STATUS VERB ARGUMENT...: while the verb runs, before
# that call (see faults/meddle.c), another file gets NAME; it has it still.
meddled ()
{
  local call=$1 name=$2 status=$3

  shift 3
  cp "$work/precious" "$work/folder/new"
  expect_exit "$status" env LD_PRELOAD="$(module meddle)" \
    IOPRESS_MEDDLE="$call" \
    IOPRESS_MEDDLE_COMMAND="exec mv -f '$work/folder/new' '$name'" \
    "$IOPRESS" "$@"
  expect_absent "$work/folder/new"
  cmp "$work/precious" "$name" || fail "$call: $name is lost"
  rm "$name"
}

# The copy that expand makes: before it is locked, before it gets its name.
for call in lock synced; do
  cp "$work/packed" "$file"
  meddled $call:/file.packed-00112233.part "$aside.part" 1 expand "$file"
  expect_same "$work/packed" "$file"
  expect_absent "$aside" "$aside.part"
done
# When it has it: what others put there is not what has to go at the end.
cp "$work/packed" "$file"
meddled synced:/folder "$aside" 1 expand "$file"
expect_same "$work/packed" "$file"
meddled synced:/file "$aside" 0 expand "$file"
expect_same "$work/expected" "$file"
expect_absent "$aside" "$aside.part"
# Not to be expanded after all.
cp "$work/packed" "$work/damaged"
printf '\0\377\0\377' | dd of="$work/damaged" bs=1 conv=notrunc status=none \
  seek=$(( $(stat -c %s "$work/packed") / 2 ))
cp "$work/damaged" "$file"
meddled synced:/file "$aside" 3 expand "$file"
expect_same "$work/damaged" "$file"

# save and restore: before the lock, before the name.
for call in lock synced; do
  meddled $call:/output.part "$o.part" 1 save "$work/ram" "$o"
  meddled $call:/output.part "$o.part" 1 restore "$work/packed" "$o"
  meddled $call:/output.part "$o.part" 1 restore --force "$work/packed" "$o"
  cp "$work/ram" "$file"
  meddled $call:/file.part "$file.part" 1 save --replace "$file"
  expect_same "$work/ram" "$file"
done
expect_absent "$o"

# A leftover of ours, and what stands there when it is to go.
head -c 6000 "$work/packed" >"$o.part"
meddled lock:/output.part "$o.part" 1 save "$work/ram" "$o"
head -c 6000 "$work/packed" >"$o.part"
cp "$work/precious" "$work/folder/new"
! LD_PRELOAD=$(module meddle) IOPRESS_MEDDLE=lock:/output.part \
  IOPRESS_MEDDLE_COMMAND="exec mv -f '$work/folder/new' '$o.part'" \
  "$IOPRESS" save --resume "$work/ram" "$o" || fail "it took what came"
expect_same "$work/precious" "$o.part"
rm "$o.part"
expect_absent "$o"

# The old source: when it has been replaced, and when a later run removes it.
cp "$work/ram" "$file"
cp "$work/precious" "$work/folder/new"
status=0
LD_PRELOAD=$(module meddle) IOPRESS_MEDDLE=synced:/folder \
  IOPRESS_MEDDLE_COMMAND="exec mv -f '$work/folder/new' '$file.part'" \
  "$IOPRESS" save --replace "$file" || status=$?
test $status -le 1 || fail "exit status $status"
expect_same "$work/precious" "$file.part"
rm "$file.part"
cp "$work/packed" "$file"
cp "$work/ram" "$file.part"
meddled synced:/file "$file.part" 0 save --replace "$file"
expect_same "$work/packed" "$file"

# A pipe that is a file by the time that it is opened.
mkfifo "$o"
meddled open:/output "$o" 1 save "$work/ram" "$o"

# That names cannot be exchanged is found out before anything is packed.
cp "$work/ram" "$file"
expect_exit 1 env LD_PRELOAD="$(module inject)" \
  IOPRESS_FAULT_FOLDER="$work/folder" IOPRESS_FAULT=renameat2:1:EINVAL \
  IOPRESS_FAULT_COUNTS="$work/counts" "$IOPRESS" save --replace "$file"
expect_message 'its file system cannot exchange two names; save to another'
grep -q '^aio-write 0$' "$work/counts" || fail "it was packed before"
expect_same "$work/ram" "$file"
test "$(ls "$work/folder")" = file || fail "left over: $(ls "$work/folder")"
