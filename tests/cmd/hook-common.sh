# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The libvirt hook without libvirt.  Sourced after functions.sh; gives each
# test a save directory, a configuration, and a stand-in for iopress.

. "$abs_top_srcdir/tests/cmd/common.sh"

requires flock setsid

hook=$abs_top_srcdir/contrib/libvirt/iopress-hook
saves=$work/saves
locks=$work/locks
calls=$work/calls
log=$work/log
settings=$work/libvirt-hook.conf
mkdir "$saves"
: >"$calls"
IOPRESS_HOOK_CONFIGURATION=$settings
export IOPRESS_HOOK_CONFIGURATION

# Nothing that a test has started stays.
end_packers ()
{
  local file

  for file in /proc/[0-9]*/fd/9; do
    case $(readlink "$file") in
      "$locks"/*) kill -KILL "$(cut -d / -f 3 <<<"$file")" ;;
    esac
  done 2>/dev/null
}
cleanup_fn end_packers

# configure LINE...: these, and what every test needs.
configure ()
{
  printf '%s\n' "$@" "save_directory = $saves" "run_directory = $locks" \
    "log = $log" >"$settings"
  grep -q '^iopress = [^.]' "$settings" ||
    echo "iopress = $work/program" >>"$settings"
}

# act_as COMMANDS: what the stand-in for iopress does, which asks the program
# itself what a file is.  It writes down how else it was called, an argument a
# line, and knows the file's name as $file.
act_as ()
{
  {
    echo '#!/bin/bash'
    printf 'calls=%q\n' "$calls"
    printf 'test "$1" != info || exec %q "$@"\n' "$IOPRESS"
    # shellcheck disable=SC2016
    echo '{ printf "%s\n" "$@"; echo .; } >>"$calls"; file=${@: -1}'
    echo "$1"
  } >"$work/program.new"
  chmod 755 "$work/program.new"
  mv "$work/program.new" "$work/program"
}

# A save as libvirt leaves it, and an image; the guest's XML says $uuid.
id=350a360a000000000000000000000000
make_mapped_ram --libvirt save --xml-padding 0 --size 64K --blocks 1 \
  "$work/save"
iopress save --image-id $id "$work/save" "$work/image"
prefix=$((92 + $(od -A n -t u4 -j 20 -N 4 "$work/save")))
uuid=$(sed -n 's/.*<uuid>\(.*\)<\/uuid>.*/\1/p' "$work/save" | head -n 1)

# set_magic is for act_as: it puts 8 bytes where QEMU's part begins; QEMU's, and
# all of the save is there.
set_magic='
set_magic () {
  test "$1" = IOPRESS1 || cat "'$work/save'" >"$file"
  printf "$1" | dd of="$file" bs=1 seek='$prefix' conv=notrunc status=none
}'
# shellcheck disable=SC2016
act_well="$set_magic"'
case $1 in
  save) set_magic IOPRESS1 ;;
  expand) set_magic "QEVM\0\0\0\3" ;;
esac'

# put TEXT OFFSET FILE
put ()
{
  # shellcheck disable=SC2059
  printf "$1" | dd of="$3" bs=1 seek="$2" conv=notrunc status=none
}

# make_save GUEST [MAGIC [FORMAT [STREAM]]]: as libvirt leaves it, with what QEMU's
# part begins with; IOPRESS1 is an image.
make_save ()
{
  local file=$saves/$1.save stream=${4-'QEVM\0\0\0\3'}

  if [ "$stream" = IOPRESS1 ]; then
    cp "$work/image" "$file"
  else
    cp "$work/save" "$file"
    put "$stream" $prefix "$file"
  fi
  put "${2:-LibvirtQemudSave}" 0 "$file"
  put "\\$(printf %o "${3:-6}")" 28 "$file"
}

# hook GUEST ARGUMENT...: as libvirt calls it, with the guest's XML; it must
# end with 0 and say nothing, and leave nobody who has its pipes.
hook ()
{
  local status=0 output

  # What writes the XML may find that the hook has ended without reading it.
  output=$(timeout -s KILL 60 sh "$hook" "$@" 2>&1 \
             < <(echo "<domain><uuid>$uuid</uuid></domain>")) || status=$?
  test $status -eq 0 || fail "the hook ended with status $status: $*"
  test -z "$output" || fail "the hook said: $output"
}

# restore GUEST: as libvirt does it, with the file open.
restore ()
{
  { hook "$1" restore begin -; } 5<"$saves/$1.save"
}

is_logged ()
{
  test -f "$log" && grep -q -e "$1" "$log"
}

# expect_logged REGEX: sooner or later.
expect_logged ()
{
  eventually is_logged "$1" ||
    fail "not logged: $1; the log: $(cat "$log" 2>&1)"
}

# expect_stream GUEST BYTES: what stands where QEMU's part begins.
expect_stream ()
{
  test "$(tail -c +$((prefix + 1)) "$saves/$1.save" | head -c "${#2}")" = "$2" ||
    fail "$1.save is not '$2'"
}

# is_free GUEST: nobody has its lock.
is_free ()
{
  test ! -e "$locks/$1.lock" || flock -n "$locks/$1.lock" true
}

# release GUEST: a managed save, and its packing to the end.
release ()
{
  hook "$1" release end saved
  eventually is_free "$1" || fail "$1 is being packed for ever"
}

expect_calls ()
{
  printf '%s\n' "$@" | cmp - "$calls" || fail "calls: $(cat "$calls")"
  : >"$calls"
}

expect_no_calls ()
{
  test ! -s "$calls" || fail "calls: $(cat "$calls")"
}

configure
act_as "$act_well"
