#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress-virsh: both ways, what it refuses before the guest is touched, and
# what it leaves when virsh or iopress fails.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"
. "$abs_top_srcdir/tests/cmd/virsh-common.sh"

requires_codec zstd
make_memory --block pc.ram=8M,random --stale 0.2

# Both ways, and what virsh is asked for.
new_guest
iopress_virsh save guest "$file" >"$work/report"
grep -q -F "Domain 'guest' saved to $file" "$work/report"
grep -q -x -F -e "--quiet save --domain guest --file $file.sparse \
--image-format sparse" "$guest/calls" || fail "$(cat "$guest/calls")"
test "$(stat -c %a "$file")" = 600
expect_saved
grep -q -F "$file, which is kept" "$work/report"
new_guest
iopress_virsh --connect=qemu:///system save -czstd:5 --threads 1 \
  --parallel-channels 3 --bypass-cache --paused -- guest "$file"
grep -q -x -F -e "--quiet --connect qemu:///system save --domain guest --file \
$file.sparse --image-format sparse --parallel-channels 3 --bypass-cache \
--paused" "$guest/calls" || fail "$(cat "$guest/calls")"
iopress info --json "$file" | grep -q '"level": *5'
: >"$guest/calls"
mkdir "$work/other"
iopress_virsh restore --connect qemu:///system "$file" --running \
  --parallel-channels=3 --bypass-cache --tmpdir "$work/other"
grep -q -x -E -e '--quiet --connect qemu:///system restore /proc/[0-9]+/fd/[0-9]+ --parallel-channels 3 --running' \
  "$guest/calls" || fail "$(cat "$guest/calls")"
test -z "$(ls -A "$work/other")"
# A path that is not absolute.
new_guest
( cd "$work/images" && iopress_virsh save guest "${file##*/}" )
expect_saved

# Refused, with the guest running as before.
# refused STATUS MESSAGE [ARGUMENT...]
refused ()
{
  local status=$1 message=$2

  shift 2
  expect_exit "$status" iopress_virsh "$@"
  expect_message "$message"
  expect_untouched
  rm -f "$guest/calls"
}

new_guest
refused 2 'save or restore is missing'
refused 2 'there is no "fly"' fly
refused 2 'number of arguments' save guest
refused 2 'number of arguments' save guest "$file" more
refused 2 'number of arguments' restore
refused 2 'no such option' save --fly guest "$file"
refused 2 'needs a value' save guest "$file" --connect
refused 2 'takes a number' save guest "$file" --parallel-channels x
refused 2 'once' save guest "$file" --running --paused
refused 2 'is for restore' save guest "$file" --tmpdir /tmp
refused 2 'is for save' restore "$file" -c zstd
refused 2 'FILE is empty' save guest ''
refused 1 'no folder' save guest "$work/none/file"
mkdir "$file.lock"
refused 1 'lock cannot be created' save guest "$file"
rmdir "$file.lock"
refused 1 'cannot pack like that' save guest "$file" -c none
refused 1 'cannot pack like that' save guest "$file" -c zstd:99
refused 1 'No such file' restore "$file"
expect_files '*'
for left in "$file" "$file.sparse" "$file.part"; do
  echo precious >"$left"
  refused 1 "${left##*/}.*: (exists|left over)" save guest "$file"
  grep -q -x precious "$left"
  rm "$left"
done
ln -s "$work/none" "$file"
refused 1 'exists' save guest "$file"
rm "$file"
for uri in qemu+ssh://host/system qemu://host/system test+tls://a/; do
  echo $uri >"$guest/uri"
  refused 1 'another machine' save guest "$file"
  refused 1 'another machine' restore "$file"
done
echo qemu:///system >"$guest/uri"
expect_files '*'

# with_program NAME SCRIPT COMMAND...: NAME is another program meanwhile.
with_program ()
{
  local program=$1

  mkdir -p "$work/more"
  printf '#!/bin/sh\n%s\n' "$2" >"$work/more/$program"
  chmod +x "$work/more/$program"
  shift 2
  PATH=$work/more:$PATH "$@"
  rm "$work/more/$program"
}

with_program id 'echo 1000' \
  refused 1 'be root' save guest "$file"
echo qemu:///session >"$guest/uri"
with_program id 'echo 1000' iopress_virsh save guest "$file"
expect_saved
new_guest
with_program virsh "test \"\$1\" = help || exec $work/bin/virsh \"\$@\"" \
  refused 1 'libvirt 11.2 is needed' save guest "$file"
with_program virsh 'exit 1' refused 1 'does not answer' save guest "$file"
with_program iopress 'exit 1' refused 1 'cannot pack' save guest "$file"
# Only what is needed is found, but for one.
for missing in virsh iopress flock; do
  mkdir "$work/few"
  for program in virsh iopress flock bash id; do
    test $program = $missing ||
      ln -s "$(type -P $program)" "$work/few/$program"
  done
  expect_exit 1 env PATH="$work/few" "$BASH" "$script" save guest "$file"
  expect_message "$missing is not found"
  rm -r "$work/few"
done
expect_untouched
expect_files '*'

# virsh fails.
echo fail >"$guest/mode"
expect_exit 1 iopress_virsh save guest "$file"
expect_message 'guest has not been saved'
expect_files '*'
echo leave >"$guest/mode"
expect_exit 4 iopress_virsh save guest "$file"
expect_message 'when it says "shut off"'
expect_same "$guest/memory" "$file.sparse"
test -e "$guest/running"

# iopress fails, or is not there any more.
for what in 'exit 1' 'exit 4' 'kill -9 $$'; do
  new_guest
  with_program iopress "case \"\$*\" in *--discard*.sparse*) $what ;; esac
exec $work/bin/iopress \"\$@\"" expect_exit 4 iopress_virsh save guest "$file"
  expect_same "$guest/memory" "$file.sparse"
  cp "$work/stderr" "$work/first"
  # The next run refuses and says the same.
  expect_exit 1 iopress_virsh save guest "$file"
  expect_message "only copy"
  cmp <(grep 'finish with' "$work/first") \
    <(grep 'finish with' "$work/stderr") || fail "says something else"
  finish
  rm -f "$file.lock"
  expect_saved
done

# The file is damaged; virsh restore fails.
cp "$file" "$work/whole"
printf '\x5a\xa5\x5a\xa5' |
  dd of="$file" bs=1 seek=$(( $(stat -c %s "$file") / 2 )) conv=notrunc \
    status=none
rm "$guest/calls"
expect_exit 3 iopress_virsh restore "$file"
expect_message 'has not been restored'
! grep -q restore "$guest/calls" || fail "a damaged image went to virsh"
cp "$work/whole" "$file"
with_program virsh "test \"\$2\" != restore || exit 1
exec $work/bin/virsh \"\$@\"" expect_exit 1 iopress_virsh restore "$file"
expect_message 'has not been restored, and is as it was'
expect_same "$work/whole" "$file"

iopress_virsh --help | grep -q -e --tmpdir
iopress_virsh --version | grep -q "^iopress-virsh, of iopress [0-9.]*$"

# What --help names stands in the man page and is completed, and the other way
# round.
iopress_virsh --help | grep -E -o ' --[a-z-]+' | tr -d ' ' | sort -u \
  >"$work/options"
test "$(wc -l <"$work/options")" -ge 9 || fail "--help cannot be read"
grep -E -o '(Fl|\|) -[a-z-]+' "$abs_top_srcdir/docs/iopress-virsh.1" |
  sed 's/^.* /-/' | sort -u >"$work/manual"
diff "$work/options" "$work/manual" || fail "man page and --help differ"
# shellcheck source=contrib/completion/iopress-virsh
. "$abs_top_srcdir/contrib/completion/iopress-virsh"
for words in 'iopress-virsh -' 'iopress-virsh save -' 'iopress-virsh restore -'
do
  read -r -a COMP_WORDS <<<"$words"
  COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
  _iopress_virsh
  printf '%s\n' "${COMPREPLY[@]}"
done | sort -u | diff "$work/options" - || fail "completion and --help differ"
