#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# OUTPUT and OUTPUT.part while others use these names during the run: nothing of
# theirs is lost, nor of ours.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec xz

s=$work/source o=$work/output
head -c 12M /dev/urandom >"$work/original"
iopress save -c stored "$work/original" "$work/image"
cp "$work/image" "$work/damaged"
echo precious >"$work/precious"

# begin VERB ARGUMENT...: a run that takes a while, in the background.
begin ()
{
  rm -f "$o" "$o.part"
  cp "$work/original" "$s"
  "$IOPRESS" "$@" 2>"$work/stderr" &
  pid=$!
}

# begin_save [OPTION...]: until a part of the image is there.
begin_save ()
{
  begin save -c xz:2 -T 1 --chunk-size 64K "$@" "$s" "$o"
  eventually test -s "$o.part" || fail "save $* does not begin"
}

# begin_consuming: until a part of the source is gone.
begin_consuming ()
{
  begin_save --discard --discard-batch 1M
  eventually begins_with IOPRGONE "$s" || fail "nothing is consumed"
}

begins_with ()
{
  test "$(head -c 8 "$2")" = "$1"
}

# ends_with STATUS REGEX
ends_with ()
{
  local status=0

  wait $pid || status=$?
  cat "$work/stderr" >&2
  test $status -eq "$1" || fail "exit status $status, not $1"
  test "$(wc -l <"$work/stderr")" -eq 1 || fail "not one line"
  expect_message "$2"
}

put_precious ()
{
  cp "$work/precious" "$work/new"
  mv "$work/new" "$1"
}

# OUTPUT comes meanwhile.
begin_save
put_precious "$o"
ends_with 1 'output: cannot be created: File exists; .* not overwritten'
expect_same "$work/precious" "$o"
expect_same "$work/original" "$s"
expect_absent "$o.part"

rm "$o"
hold_restore "$work/image" "$o" 2>"$work/stderr"
pid=$held
put_precious "$o"
tail -c +600001 "$work/image" >&5
exec 5>&-
ends_with 1 'output: cannot be created: File exists; .* not overwritten'
expect_same "$work/precious" "$o"
expect_absent "$o.part"

# With --force it was to be replaced anyway.
begin_save --force
put_precious "$o"
wait $pid
iopress restore --force "$o" "$work/restored"
expect_same "$work/original" "$work/restored"

# When a part of the source is gone the rest waits until OUTPUT is free.
begin_consuming
put_precious "$o"
ends_with 4 'nothing is lost: move that file away, then go on with: iopress'
expect_same "$work/precious" "$o"
expect_exit 4 iopress save --resume "$s" "$o"
expect_message 'output: will not be overwritten: .*: move that file away, then'
expect_same "$work/precious" "$o"
mv "$o" "$work/moved"
iopress save --resume "$s" "$o"
iopress restore --force "$o" "$work/restored"
expect_same "$work/original" "$work/restored"

# So --force does, for which the first run was asked, too.
begin_consuming
kill -s KILL $pid
wait $pid || true
put_precious "$o"
iopress save --resume --force "$s" "$o"
iopress restore --force "$o" "$work/restored"
expect_same "$work/original" "$work/restored"

# OUTPUT.part becomes another file, or goes.
begin_save
put_precious "$o.part"
ends_with 1 'output\.part: was removed or replaced while it was written'
expect_same "$work/precious" "$o.part"
expect_absent "$o"
begin_save
rm "$o.part"
ends_with 1 'output\.part: was removed or replaced while it was written'
expect_absent "$o" "$o.part"

# No more of the source goes into a file without a name.
begin_consuming
mv "$o.part" "$work/moved"
ends_with 4 'output\.part: was removed or replaced .* bring it back, then go on'
test "$(tail -c 1M "$s" | tr -d '\0' | wc -c)" -gt 1000000 ||
  fail "the source was consumed to its end"
mv "$work/moved" "$o.part"
iopress save --resume "$s" "$o"
iopress restore --force "$o" "$work/restored"
expect_same "$work/original" "$work/restored"
begin_save --discard --discard-batch 64M
put_precious "$o.part"
ends_with 1 'output\.part: was removed or replaced while it was written'
expect_same "$work/precious" "$o.part"
expect_same "$work/original" "$s"

# With --replace neither the source nor its name goes.
begin save --replace -c xz:2 -T 1 "$s"
eventually test -s "$s.part" || fail "it does not begin"
put_precious "$s.part"
ends_with 1 'source\.part: was removed or replaced while it was written'
expect_same "$work/original" "$s"
expect_same "$work/precious" "$s.part"
rm "$s.part"

# What shall be rescued is not where the result is written first.
for damage in none header; do
  cp "$work/image" "$o.part"
  test $damage = none ||
    dd if=/dev/zero of="$o.part" bs=256 count=1 conv=notrunc status=none
  cp "$o.part" "$work/before"
  for force in '' --force; do
    rm -f "$o"
    # shellcheck disable=SC2086
    expect_exit 2 iopress recover $force "$o.part" "$o"
    expect_message 'output\.part: is the input itself'
    expect_same "$work/before" "$o.part"
  done
done
rm "$o.part"

# A folder that cannot be flushed: the old file stays, not just until then.
if test "$(id -u)" = 0 && command -v setpriv >/dev/null; then
  mkdir "$work/folder"
  chmod 711 "$work"
  cp "$work/original" "$work/theirs"
  cp "$work/precious" "$work/folder/old"
  chown -R nobody "$work/folder" "$work/theirs"
  chmod 300 "$work/folder"
  expect_exit 1 setpriv --reuid=nobody --clear-groups "$IOPRESS" save --force \
    -c stored "$work/theirs" "$work/folder/old"
  expect_message 'folder/old: cannot flush the folder to disk'
  expect_same "$work/precious" "$work/folder/old"
  expect_absent "$work/folder/old.part"
fi

# A kill between the two names that one file has for an instant where a file
# system cannot rename to what is not there.
cp "$work/image" "$o"
ln "$o" "$o.part"
iopress save --resume "$work/original" "$o"
expect_absent "$o.part"
expect_same "$work/image" "$o"

ln "$o" "$o.part"
iopress save --force "$work/original" "$o"
expect_absent "$o.part"
iopress verify "$o"
rm "$o"

# Not a link to the only copy, which goes nowhere.
begin_consuming
kill -s KILL $pid
wait $pid || true
ln -s output.part "$o"
cp "$o.part" "$work/before"
expect_exit 4 iopress save --resume "$s" "$o"
expect_message 'output: will not be overwritten'
expect_same "$work/before" "$o.part"
rm "$o"
iopress save --resume "$s" "$o"
iopress restore --force "$o" "$work/restored"
expect_same "$work/original" "$work/restored"

# The source itself is called so.
cp "$work/original" "$o.part"
rm "$o"
expect_exit 2 iopress save --resume "$o.part" "$o"
expect_message 'output\.part: is the input itself'
rm "$o.part"

# The source is cut: holes are not what there was.
begin_save
truncate -s 6M "$s"
ends_with 1 'source: was cut while it was packed'
expect_absent "$o" "$o.part"

# What is appended stays, and so does what is written otherwise, however little it
# is: no image is of two times.
begin_save
printf x | dd of="$s" bs=1 seek=3000 conv=notrunc status=none
ends_with 1 'source: was changed while it was packed'
expect_absent "$o" "$o.part"
for discard in '' --discard; do
  # shellcheck disable=SC2086
  begin_save $discard
  echo appended >>"$s"
  ends_with 1 'source: was changed while it was packed'
  expect_absent "$o" "$o.part"
  test "$(tail -n 1 "$s" | tr -d '\0' | tail -c 9)" = appended ||
    fail "what was appended is gone"
done
begin_consuming
echo appended >>"$s"
wait $pid
iopress restore --force "$o" "$work/restored"
expect_same "$work/original" "$work/restored"
test "$(tail -c 9 "$s")" = appended || fail "what was appended is gone"
