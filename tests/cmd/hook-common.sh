# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The libvirt hook without libvirt.  Sourced after functions.sh; gives each
# test a save directory, a configuration, and a stand-in for iopress.

requires flock setsid od

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

# act_as COMMANDS: what the stand-in for iopress does.  It writes down how it
# was called, an argument a line, and knows the file's name as $file.
act_as ()
{
  {
    echo '#!/bin/bash'
    printf 'calls=%q\n' "$calls"
    # shellcheck disable=SC2016
    echo '{ printf "%s\n" "$@"; echo .; } >>"$calls"; file=${@: -1}'
    echo "$1"
  } >"$work/program.new"
  chmod 755 "$work/program.new"
  mv "$work/program.new" "$work/program"
}

# set_magic is for act_as: it puts 8 bytes where QEMU's part begins.
set_magic='
set_magic () {
  printf "$1" | dd of="$file" bs=1 seek=192 conv=notrunc status=none
}'
# shellcheck disable=SC2016
act_well="$set_magic"'
case $1 in
  save) set_magic IOPRESS1 ;;
  expand) set_magic "QEVM\0\0\0\3" ;;
esac'

# make_save GUEST [MAGIC [FORMAT [STREAM]]]: as libvirt leaves it; 100 bytes of
# XML, and QEMU's part at 192.
make_save ()
{
  local magic=${2:-LibvirtQemudSave} format=${3:-6}
  local stream=${4-'QEVM\0\0\0\3'}

  {
    printf '%s\2\0\0\0\144\0\0\0\1\0\0\0' "$magic"
    printf '%b\0\0\0' "\\0$(printf %o "$format")"
    head -c 60 /dev/zero
    printf '%-99s\0' '<domain><uuid>0-1-2</uuid></domain>'
    # shellcheck disable=SC2059
    printf "$stream"
    seq 1 1000
  } >"$saves/$1.save"
}

# hook GUEST ARGUMENT...: as libvirt calls it, with the guest's XML; it must
# end with 0 and say nothing, and leave nobody who has its pipes.
hook ()
{
  local status=0 output

  # What writes the XML may find that the hook has ended without reading it.
  output=$(timeout -s KILL 60 sh "$hook" "$@" 2>&1 \
             < <(echo '<domain><uuid>0-1-2</uuid></domain>')) || status=$?
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
  test "$(tail -c +193 "$saves/$1.save" | head -c "${#2}")" = "$2" ||
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
