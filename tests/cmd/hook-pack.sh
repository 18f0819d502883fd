#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The libvirt hook packs what libvirt saved and expands what it restores, for
# guests of any name, and leaves everything else alone.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/hook-common.sh"

# There and back.
make_save guest
cp "$saves/guest.save" "$work/before"
release guest
expect_calls save --replace -c zstd:1 -T 1 "$saves/guest.save" .
expect_stream guest IOPRESS1
expect_logged '^[-0-9]* [:0-9]* guest: packed, [0-9]* MiB are [0-9]* MiB now$'
restore guest
expect_calls expand "$saves/guest.save" .
expect_logged '^[-0-9]* [:0-9]* guest: expanded$'
expect_same "$work/before" "$saves/guest.save"

# Names that a shell could take for something else.
for guest in ' a b ' '--help' "it's \"a\"" '$(id)`id`$HOME' '* [x] {a,b} ?' \
             'a;b|c&d>e#f' 'a\b~!' '..hidden' $'tab\ttwo\nlines %s%n' \
             "ümlaut$(printf '%0243d' 0)"; do
  make_save "$guest"
  release "$guest"
  expect_calls save --replace -c zstd:1 -T 1 "$saves/$guest.save" .
  expect_stream "$guest" IOPRESS1
  restore "$guest"
  expect_calls expand "$saves/$guest.save" .
  rm "$saves/$guest.save"
  hook "$guest" prepare begin -
done
expect_no_calls
test "$(ls "$saves")" = guest.save || fail "there are $(ls "$saves")"

# No guest of libvirt's, and none whose files would be elsewhere.
make_save ../outside
for guest in ../outside .. . '' /etc/passwd; do
  hook "$guest" release end saved
  hook "$guest" restore begin -
  hook "$guest" prepare begin -
done
expect_no_calls

# What is not about a managed save.
for arguments in 'start begin' 'started begin' 'stopped end' 'stopped end -' \
                 'release end -' 'release end' 'release begin saved' \
                 'release' 'restore end -' 'restore' 'migrate begin -' \
                 'reconnect begin -' 'attach begin -' 'prepare end -' \
                 '- - -' ''; do
  # shellcheck disable=SC2086
  hook guest $arguments
done
hook
expect_no_calls

# No managed save at all, or nothing that can be packed.
hook none release end saved
hook none restore begin -
make_save unfinished LibvirtQemudPart
make_save raw LibvirtQemudSave 0
make_save zstd LibvirtQemudSave 5
make_save foreign LibvirtQemudSave 6 anything
make_save short LibvirtQemudSave 6 ''
truncate -s $prefix "$saves/short.save"
: >"$saves/empty.save"
head -c 40 "$saves/raw.save" >"$saves/cut.save"
head -c 5000 /dev/urandom >"$saves/random.save"
ln -s guest.save "$saves/link.save"
mkdir "$saves/folder.save"
for guest in unfinished raw zstd foreign short empty cut random link folder; do
  release "$guest"
  expect_no_calls
done
expect_logged 'raw: not packed: .*/raw\.save: is no finished save in the spars'

# Packed before: nothing to do, nothing to say.
make_save packed LibvirtQemudSave 6 IOPRESS1
: >"$log"
release packed
expect_no_calls
test ! -s "$log" || fail "it says: $(cat "$log")"

# Whole, or of other formats: nothing to expand.
for guest in guest unfinished raw zstd empty cut random; do
  restore "$guest"
  expect_no_calls
done
# A packed one that is not what libvirt opened: virsh restore FILE.
hook packed restore begin -
expect_no_calls
restore packed
expect_calls expand "$saves/packed.save" .
# libvirt's hook may have started this one.
make_save packed LibvirtQemudSave 6 IOPRESS1
(
  exec 5<"$saves/packed.save"
  output=$(sh -c 'sh "$@" 5<&-; exit $?' sh "$hook" packed restore begin -)
  test -z "$output"
)
expect_calls expand "$saves/packed.save" .

# It takes a very long XML without reading it, and any standard streams.
sh "$hook" guest prepare begin - < <(head -c 3000000 /dev/zero)
make_save packed LibvirtQemudSave 6 IOPRESS1
(
  exec 5<"$saves/packed.save"
  sh "$hook" packed restore begin - <&- >&- 2>&-
)
expect_calls expand "$saves/packed.save" .
make_save guest
sh "$hook" guest release end saved <&- >&- 2>&-
eventually is_free guest
expect_calls save --replace -c zstd:1 -T 1 "$saves/guest.save" .
