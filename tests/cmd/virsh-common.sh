# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# iopress-virsh with a stand-in for virsh, which knows one guest.  Sourced after
# functions.sh.
#
#   $guest/running   is there while the guest runs
#   $guest/memory    what a save of it holds
#   $guest/restored  what it has been restored from last
#   $guest/calls     the words of each call of virsh, a line each
#   $guest/mode      what virsh save does: work, fail, leave, wait
#   $guest/uri       the libvirt that answers
#   $guest/direct    what QEMU has as direct-io; libvirt never sets it to false
#   $guest/deaf      is there when QEMU cannot be asked
#   $guest/kib       its memory

requires python3 flock
guest=$work/guest
script=$abs_top_srcdir/contrib/libvirt/iopress-virsh
mkdir "$guest" "$work/bin" "$work/images"
file=$work/images/"the 1st 'guest'"

cat >"$work/bin/virsh" <<VIRSH
#!/usr/bin/env bash
guest=$guest
VIRSH
cat >>"$work/bin/virsh" <<'VIRSH'
echo "$*" >>"$guest/calls"
options=$*
while [[ $1 == --* ]]; do
  test "$1" != --connect || shift
  shift
done
case $1 in
  uri) cat "$guest/uri" ;;
  dominfo) echo "Max memory:     $(cat "$guest/kib") KiB" ;;
  qemu-monitor-command)
    test ! -e "$guest/deaf" || exit 1
    case $options in
      *query-migrate-parameters*)
        printf '{"return": { "tls-authz": "", "direct-io": %s },' \
          "$(cat "$guest/direct")"
        echo '"id":"libvirt-9"}' ;;
      *'migrate-set-parameters","arguments":{"direct-io":false}}')
        echo false >"$guest/direct"
        echo '{"return":{},"id":"libvirt-10"}' ;;
      *) echo '{"id":"libvirt-11","error":{"class":"CommandNotFound"}}' ;;
    esac ;;
  help) echo "    --image-format <string>" ;;
  save)
    test -e "$guest/running" || exit 1
    read -r mode <"$guest/mode"
    case $options/$(cat "$guest/direct") in
      *--bypass-cache*) echo true >"$guest/direct" ;;
      */true)
        rm "$guest/running"
        echo "QEMU has crashed" >&2
        exit 1 ;;
    esac
    test "$mode" != fail || exit 1
    [[ $options =~ --file\ (.*)\ --image-format\ sparse ]] || exit 1
    if ! cp --sparse=always "$guest/memory" "${BASH_REMATCH[1]}"; then
      rm "${BASH_REMATCH[1]}"
      exit 1
    fi
    test "$mode" != leave || exit 1
    rm "$guest/running"
    test "$mode" != wait || sleep 2 ;;
  restore)
    [[ $options != *--bypass-cache* ]] || echo true >"$guest/direct"
    cp --sparse=always "$2" "$guest/restored" || exit 1
    : >"$guest/running" ;;
  *) exit 1 ;;
esac
VIRSH
cat >"$work/bin/iopress" <<IOPRESS
#!/bin/sh
exec "$IOPRESS" "\$@"
IOPRESS
chmod +x "$work/bin/virsh" "$work/bin/iopress"
PATH=$work/bin:$PATH

# new_guest: it runs, and there is no file.
new_guest ()
{
  rm -rf "$work/images" "$guest/calls" "$guest/restored"
  mkdir "$work/images"
  : >"$guest/running"
  echo work >"$guest/mode"
  echo qemu:///system >"$guest/uri"
  echo false >"$guest/direct"
  echo 65536 >"$guest/kib"
  rm -f "$guest/deaf"
}

iopress_virsh ()
{
  bash "$script" "$@"
}

# expect_files NAME...: what is in the folder of FILE.
expect_files ()
{
  local there

  there=$(cd "$work/images" && printf '%s|' *)
  test "$there" = "$(printf '%s|' "$@")" || fail "there are $there"
}

# expect_untouched: the guest runs, and nobody asked to save it.
expect_untouched ()
{
  test -e "$guest/running" || fail "the guest does not run"
  ! grep -q -e '--file' "$guest/calls" 2>/dev/null || fail "virsh was called"
}

# finish: what the message says that is to be done.
finish ()
{
  sed -n 's/^iopress-virsh: finish with: //p' "$work/stderr" >"$work/finish"
  test "$(wc -l <"$work/finish")" -eq 1 ||
    fail "no command in $(cat "$work/stderr")"
  bash -e "$work/finish"
}

# expect_saved: FILE alone is there, and brings the guest back.
expect_saved ()
{
  expect_files "${file##*/}"
  test ! -e "$guest/running" || fail "the guest runs"
  iopress_virsh restore "$file" >"$work/report"
  expect_same "$guest/memory.expected" "$guest/restored"
  test -e "$guest/running" || fail "the guest does not run"
  expect_files "${file##*/}"
}

# make_memory ARGUMENT...: of make_mapped_ram.  A restored file has zeros in
# place of what QEMU does not read.
make_memory ()
{
  make_mapped_ram --libvirt save "$@" "$guest/memory"
  rm -f "$work/memory.iop"
  iopress save "$guest/memory" "$work/memory.iop"
  iopress restore --force "$work/memory.iop" "$guest/memory.expected"
}
