#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The libvirt hook removes what runs that were cut off have left, and nothing
# that could be of worth.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/hook-common.sh"

act_as 'exit 1'
save=$saves/guest.save
aside=$save.packed-350a360a

# left FILE MAGIC [UUID]: a save of MAGIC; of this guest, if not told.
left ()
{
  make_save left LibvirtQemudSave 6 "$2"
  LC_ALL=C sed -i "s/$uuid/${3:-$uuid}/" "$saves/left.save"
  mv "$saves/left.save" "$1"
}

expect_files ()
{
  test "$(cd "$saves" && ls)" = "$(printf '%s\n' "$@")" ||
    fail "there are $(ls "$saves")"
}

# Before packing: what earlier saves of this guest have left.
make_save guest
left "$save.part" 'QEVM\0\0\0\3'
left "$aside" IOPRESS1
left "$aside.part" IOPRESS1
release guest
expect_files guest.save
expect_logged 'guest: removed .*guest.save.part, left of an earlier save$'
expect_logged 'guest: removed .*360a.part, left of an earlier save$'

# An image that is not finished is the business of iopress, other guests' files
# are theirs, and what is no save is somebody's.
left "$save.part" IOPRESS1
left "$aside" IOPRESS1 "${uuid//[0-9]/7}"
echo precious >"$save.packed-01234567"
# Somebody's copies, which only look a little like ours.
cp "$save" "$save.packed-before-upgrade"
cp "$save" "$save.packed-00112233"
left "$save.packed-01020304" IOPRESS1
ln -s guest.save "$save.packed-76543210"
release guest
expect_files guest.save guest.save.packed-00112233 \
  guest.save.packed-01020304 guest.save.packed-01234567 \
  guest.save.packed-350a360a guest.save.packed-76543210 \
  guest.save.packed-before-upgrade guest.save.part
rm "$save".*

# Before a start: what was packed of this very save.
cp "$save" "$save.part"
restore guest
expect_files guest.save
: >"$save.part"
restore guest
expect_files guest.save
left "$save.part" IOPRESS1
sed -i 's/<domain /<Domain /' "$save.part"
restore guest
expect_files guest.save guest.save.part
# A packed save may have been made of it.
make_save guest LibvirtQemudSave 6 IOPRESS1
left "$save.part" 'QEVM\0\0\0\3'
restore guest
expect_files guest.save guest.save.part
rm "$save.part"

# An expansion that was cut off, before and after its last step.
: >"$calls"
left "$aside" IOPRESS1
left "$save" IOPRUNPK
restore guest
expect_calls expand "$save" .
make_save guest
restore guest
expect_calls expand "$save" .
rm "$aside"
restore guest
expect_no_calls

# No save at all.
left "$save.part" IOPRESS1
left "$aside" IOPRESS1
rm "$save"
hook guest restore begin -
hook guest prepare begin -
hook guest release end saved
expect_files guest.save.packed-350a360a guest.save.part
expect_no_calls
