#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What virsh changes in the prefix of an image is what comes back.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
for preset in libvirt-save libvirt-part; do
  make_mapped_ram --preset $preset --xml-padding 64K "$work/source" \
    --expected "$work/expected"
  iopress save --force "$work/source" "$work/image"
  cmp -n 65000 "$work/source" "$work/image"
  # As save-image-edit does: other XML in place of the old; and as libvirt does
  # when a save is finished: the magic.
  python3 - "$work" <<'PYTHON'
import sys

for name in ("image", "expected"):
    with open(f"{sys.argv[1]}/{name}", "r+b") as file:
        data = file.read(66000)
        at = data.index(b"</name>", data.index(b"</metadata>"))
        edited = data[:at] + b" edited" + data[at:]
        padding = data.index(b"<cookie/>\n\0") + len(b"<cookie/>\n\0")
        data = edited[:padding + 7] + data[padding + 7:]
        data = data[:65000].replace(b"LibvirtQemudPart", b"LibvirtQemudSave")
        file.seek(0)
        file.write(data)
PYTHON
  iopress verify "$work/image"
  iopress info "$work/image" | grep -q '^domain .* co edited$' ||
    fail "info does not see the edit"
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/expected" "$work/restored"
  cmp -s "$work/source" "$work/restored" && fail "nothing was edited"
  iopress restore - - <"$work/image" | cmp - "$work/expected"

  # Emptied altogether, and up to its last byte.
  size=$(iopress info --json "$work/image" |
         sed -n 's/.*"prefix_size": *\([0-9]*\).*/\1/p')
  for file in "$work/image" "$work/expected"; do
    head -c "$size" < <(yes) | dd of="$file" conv=notrunc status=none
  done
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/expected" "$work/restored"
done

# Also when the same command is run again.
edit ()
{
  printf '<!-- edited -->' |
    dd of="$1" bs=1 seek=3000 conv=notrunc status=none
}
make_mapped_ram --preset libvirt-save --xml-padding 64K "$work/source"
iopress save --force "$work/source" "$work/image"
edit "$work/image"
cp "$work/image" "$work/edited"
iopress save --resume "$work/source" "$work/image"
expect_same "$work/edited" "$work/image"

# A power cut can leave an image in a descriptor's file whole but for the prefix,
# which is under no checksum: nothing says that it ever was on the disk.
for discard in '' --discard; do
  make_mapped_ram --preset libvirt-save --xml-padding 64K "$work/source"
  cp "$work/source" "$work/kept"
  rm "$work/image"
  # shellcheck disable=SC2086
  iopress save $discard "$work/source" "$work/image"
  cp "$work/kept" "$work/source"
  dd if=/dev/zero of="$work/image" bs=4096 count=8 conv=notrunc status=none
  iopress save --resume fd:6 fd:7 6<>"$work/source" 7<>"$work/image"
  cmp -n 65000 "$work/kept" "$work/image"
  iopress verify "$work/image"
done

# Edited in the source when its image was whole, and a run died before it could
# consume the source: the edit is not lost with it.
make_mapped_ram --preset libvirt-save --xml-padding 64K "$work/whole"
cp "$work/whole" "$work/source"
rm "$work/image"
iopress save --discard "$work/source" "$work/image"
cp "$work/whole" "$work/source"
edit "$work/source"
cp "$work/source" "$work/edited"
expect_exit 3 iopress save --resume "$work/source" "$work/image"
expect_message 'image: its head and that of .*source differ: .* edited'
expect_same "$work/edited" "$work/source"
mv "$work/image" "$work/image.part"
iopress save --resume "$work/source" "$work/image"
iopress restore --force "$work/image" "$work/restored"
cmp -n 65000 "$work/edited" "$work/restored"
