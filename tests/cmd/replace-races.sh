#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --replace while others use the name: the source is removed, replaced or
# changed before the run is over, or the run is told to end.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
requires_codec xz

file=$work/file
make_mapped_ram "$work/ram" --expected "$work/expected" --libvirt save \
  --xml-padding 5K --block pc.ram=24M,dense --content random

# begin: start a run that takes a while, and wait until it is under way.
begin ()
{
  rm -f "$file" "$file.part"
  cp "$work/ram" "$file"
  "$IOPRESS" save --replace -c xz:2 -T 1 --progress-fd 7 "$file" \
    7>"$work/progress" 2>"$work/stderr" &
  pid=$!
  eventually test -s "$file.part" || fail "it does not begin"
}

# ends_with STATUS REGEX
ends_with ()
{
  local status=0

  wait $pid || status=$?
  test $status -eq "$1" || fail "exit status $status, not $1"
  expect_message "$2"
  expect_absent "$file.part"
}

# gave_up: it was not packed to its end for nothing.
gave_up ()
{
  python3 - "$work/progress" <<'PYTHON' || fail "it went on"
import json, sys
last = [json.loads(line) for line in open(sys.argv[1])][-1]
print(last)
sys.exit(last["position"] * 2 > last["total"])
PYTHON
}

# Removed: it must not come back.
begin
rm "$file"
ends_with 1 'file: was removed while it was packed'
expect_absent "$file"
gave_up

# Replaced by another one.
begin
echo newer >"$work/newer"
mv "$work/newer" "$file"
ends_with 1 'file: was replaced while it was packed'
test "$(cat "$file")" = newer || fail "the newer file was touched"

# Edited in place, as virsh managedsave-define does.
begin
printf '<!-- edited -->' |
  dd of="$file" bs=1 seek=3000 conv=notrunc status=none
cp "$file" "$work/edited"
ends_with 1 'file: was changed while it was packed'
gave_up
expect_same "$work/edited" "$file"
iopress save --replace "$file"
iopress expand "$file"
expect_same "$work/edited" "$file"

# The same where times tell nothing.
begin
modified=$(stat -c %y "$file")
printf '<!-- edited -->' |
  dd of="$file" bs=1 seek=3000 conv=notrunc status=none
touch -d "$modified" "$file"
cp "$file" "$work/edited"
ends_with 1 'file: was changed while it was packed'
expect_same "$work/edited" "$file"

# The run that saw the edit was killed before it could exchange the names again.
iopress save "$work/ram" "$work/image"
cp "$work/image" "$file"
cp "$work/edited" "$file.part"
expect_exit 0 iopress save --replace "$file"
expect_message 'file\.part: is not what .*file was packed from, and stays'
expect_same "$work/edited" "$file.part"
# It is what was packed when the image was edited later.
cp "$work/ram" "$file.part"
sleep 0.1
printf '<!-- edited -->' |
  dd of="$file" bs=1 seek=3000 conv=notrunc status=none
iopress save --replace "$file"
expect_absent "$file.part"
iopress expand "$file"
expect_same "$work/edited" "$file"
rm "$file"

# A name that leaves no room for what expand puts beside it.
long=$work/$(printf 'n%.0s' {1..235})
cp "$work/ram" "$long"
expect_exit 1 iopress save --replace "$long"
expect_message 'could not be expanded again: File name too long'
expect_same "$work/ram" "$long"
mv "$long" "${long%?}"
iopress save --replace "${long%?}"
iopress expand "${long%?}"
expect_same "$work/ram" "${long%?}"
rm "${long%?}"

# Told to end.
for signal in TERM HUP; do
  begin
  kill -s $signal $pid
  ends_with 5 'cancelled by signal'
  expect_same "$work/ram" "$file"
done

# A second run, and an expand, meanwhile.
begin
expect_exit 1 iopress save --replace "$file"
expect_message 'another iopress is using it'
expect_exit 1 iopress expand "$file"
expect_message 'another iopress is using it'
kill $pid
wait $pid || true
expect_absent "$file.part"

# Killed: the next run packs it.
begin
kill -s KILL $pid
wait $pid || true
expect_same "$work/ram" "$file"
test -e "$file.part" || fail "nothing was left by the kill"
iopress save --replace "$file"
expect_absent "$file.part"
iopress expand "$file"
expect_same "$work/ram" "$file"
