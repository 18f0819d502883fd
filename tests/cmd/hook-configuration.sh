#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The configuration of the libvirt hook: every key, every kind of mistake, and
# that none keeps a guest from starting.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/hook-common.sh"

# pack_with LINE...: how a save is packed then.
pack_with ()
{
  configure "$@"
  make_save guest
  release guest
}

expect_packed ()
{
  expect_calls save --replace -c "$1" -T "$2" "$saves/guest.save" .
}

pack_with 'codec = xz:6,dict=8M' 'threads = 0' 'at_once=12'
expect_packed xz:6,dict=8M 0
pack_with $'\t codec\t=lz4  ' '  threads =32' '' '   ' '# threads = 1' ' #'
expect_packed lz4 32

# The file's last line may lack its end, and there need not be a file.
configure
printf 'codec = lz4' >>"$settings"
make_save guest
release guest
expect_packed lz4 1
rm "$settings"
hook guest release end saved
expect_no_calls

# Another program, one found in PATH by name, and another log.
cp "$work/program" "$work/an other"
pack_with "iopress = $work/an other"
expect_packed zstd:1 1
pack_with 'iopress = true'
expect_logged 'guest: packed'
configure
sed -i "s,^log.*,log = $work/other log," "$settings"
make_save guest
release guest
grep -q packed "$work/other log"
: >"$calls"

# Whose saves.
while IFS='|' read -r wanted guests except; do
  configure "guests = $guests" "except = $except"
  make_save 'web 1'
  release 'web 1'
  if test "$wanted" = yes; then
    expect_calls save --replace -c zstd:1 -T 1 "$saves/web 1.save" .
  else
    expect_no_calls
  fi
done <<'CASES'
yes|*|
yes|db web*|
yes|web?1|web?2
yes|w[a-f]b*|db
no||
no|web|
no|*1|web*
no|*|* db
no|web 1|
CASES
(
  cd "$saves"
  configure 'guests = *'
  release 'web 1'
  expect_calls save --replace -c zstd:1 -T 1 "$saves/web 1.save" .
)

# What is wrong is told, with its line; then nothing is packed, but a packed
# save is expanded.
while IFS= read -r line; do
  configure '' "$line"
  rm -f "$log"
  make_save guest
  release guest
  expect_no_calls
  expect_logged "guest: not packed: $settings: line 2 is wrong: "
  make_save guest LibvirtQemudSave 6 IOPRESS1
  restore guest
  expect_calls expand "$saves/guest.save" .
done <<'LINES'
codec
codec =
codec = zstd 3
codec = zstd:1;reboot
codec = -c
codec = $(reboot)
codecs = zstd
threads = -1
threads = many
threads = 1000
threads = 01
threads =
at_once = 0
at_once = 1.5
restore = never
iopress = ./iopress
iopress =
log = stderr
save directory = /var
= zstd
[hook]
export codec=zstd
LINES

# Of the lines for every test, those that a save directory hangs on.
for line in 'save_directory = saves' 'run_directory = locks'; do
  configure
  echo "$line" >>"$settings"
  make_save guest
  release guest
  expect_no_calls
  restore guest
done

# A folder in its place.
rm "$settings"
mkdir "$settings"
hook guest release end saved
hook guest restore begin -
expect_no_calls
rmdir "$settings"

# Anything that libvirt opens for this guest, and nothing else.
configure 'restore = any'
make_save other LibvirtQemudSave 6 IOPRESS1
make_save guest LibvirtQemudSave 6 IOPRESS1
mkdir "$work/elsewhere"
mv "$saves/guest.save" "$work/elsewhere/a file"
LC_ALL=C sed -i "s/$uuid/${uuid//[0-9]/7}/" "$saves/other.save"
(
  exec 5<"$work/elsewhere/a file" 6<"$saves/other.save" 7<"$work/program"
  hook guest restore begin -
)
expect_calls expand "$work/elsewhere/a file" .
(
  exec 5<"$work/elsewhere/a file"
  hook guest restore begin -
)
expect_no_calls
make_save guest LibvirtQemudSave 6 IOPRESS1
configure 'restore = managed'
mv "$saves/guest.save" "$work/elsewhere/a file"
(
  exec 5<"$work/elsewhere/a file"
  hook guest restore begin -
)
expect_no_calls

# The file that is shipped names every key with its default.
hook_defaults ()
{
  sed -n '/^set_defaults/,/^}/s/^  \([a-z_]*\)=\(.*\)/\1 \2/p' "$hook" |
    tr -d "'" | grep -v '^wrong' | sed 's/ *$//' | sort
}
shipped=$abs_top_srcdir/contrib/libvirt/libvirt-hook.conf
diff <(hook_defaults) <(sed -n 's/^#\([a-z_]*\) =/\1/p' "$shipped" | sort) ||
  fail 'libvirt-hook.conf does not have the defaults'
sed 's/^#\([a-z_]* =\)/\1/' "$shipped" >"$settings"
configured=$(grep -v -e ^save_directory -e ^run_directory -e ^log "$settings")
pack_with "$configured" "iopress = $work/program"
expect_packed zstd:1 1
