#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# expand: an image becomes its source again, in the same inode.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

file=$work/file

# alone: nothing is left beside the file.
alone ()
{
  test "$(cd "$work" && echo file*)" = file ||
    fail "left over: $(cd "$work" && echo file*)"
}

# expand_and_check SOURCE EXPECTED [OPTION]...: pack SOURCE, expand the image.
expand_and_check ()
{
  local source=$1 expected=$2 inode

  shift 2
  rm -f "$file" "$work/image"
  iopress save "$source" "$work/image"
  cp "$work/image" "$file"
  chmod 640 "$file"
  inode=$(stat -c %i "$file")
  # libvirtd has it open meanwhile.
  exec 5<"$file"
  iopress expand "$@" "$file"
  cmp "$expected" - <&5 || fail "what was open before differs"
  exec 5<&-
  expect_same "$expected" "$file"
  expect_sparse "$file" "$source"
  test "$(stat -c %i "$file")" = "$inode" || fail "another inode"
  test "$(stat -c %a "$file")" = 640 || fail "another mode"
  alone
}

make_raw "$work/raw"
expand_and_check "$work/raw" "$work/raw"
expand_and_check "$work/raw" "$work/raw" -T serial --direct-io off
truncate -s 300000 "$work/hole"
echo end >>"$work/hole"
expand_and_check "$work/hole" "$work/hole"
: >"$work/empty"
expand_and_check "$work/empty" "$work/empty"
echo "a few bytes" >"$work/few"
expand_and_check "$work/few" "$work/few"
head -c 4097 /dev/urandom >"$work/few"
expand_and_check "$work/few" "$work/few"

# The prefix ends anywhere within a sector and a page: the marker fits, fits
# exactly, does not fit, and would begin in the next page.
for offset in 0 1 448 449 512 4095 $((4096 * 5 - 64)) \
              $((4096 * 5 - 63)) $((4096 * 5 - 7)) 67981; do
  make_mapped_ram "$work/ram" --expected "$work/expected" --offset $offset \
    --stale 0.2 --block pc.ram=1M,extents --block vga=128K,ends
  expand_and_check "$work/ram" "$work/expected"
done
make_mapped_ram "$work/ram" --expected "$work/expected" --libvirt save \
  --xml-padding 30K --stale 0.2 --block pc.ram=6M,random
expand_and_check "$work/ram" "$work/expected" -T 3

# What is expanded already is left alone, whatever stands beside it.
before=$(stat -c %Y.%Z "$file")
iopress expand "$file"
test "$(stat -c %Y.%Z "$file")" = "$before" || fail "it was written to"
echo precious >"$file.packed-00112233"
iopress expand "$file" 2>"$work/stderr"
test "$(cat "$file.packed-00112233")" = precious || fail "a file was changed"
expect_same "$work/expected" "$file"
rm "$file.packed-00112233"

# Nothing to do for a save of libvirt's that is not mapped-ram; any other file
# is an error, and an unfinished save too.
python3 - "$work/other" <<'PYTHON'
import struct, sys
xml = b"<domain/>\0".ljust(1000, b"\0")
head = b"LibvirtQemudSave" + struct.pack("=IIIII", 2, len(xml), 1, 5, 0)
with open(sys.argv[1], "wb") as file:
    file.write(head.ljust(92, b"\0") + xml + b"\x28\xb5\x2f\xfd" + b"z" * 5000)
PYTHON
cp "$work/other" "$file"
iopress expand "$file"
expect_same "$work/other" "$file"
expect_exit 3 iopress expand "$work/raw"
expect_one_line
expect_message 'raw: not an iopress image'
make_mapped_ram "$work/unfinished" --libvirt part --damage unfinished
expect_exit 3 iopress expand "$work/unfinished"
expect_one_line

# An edited prefix is what comes out.
make_mapped_ram "$work/ram" --expected "$work/expected" --libvirt save \
  --xml-padding 6K
iopress save "$work/ram" "$work/edited"
for target in "$work/edited" "$work/expected"; do
  printf '<!-- edited -->' |
    dd of="$target" bs=1 seek=2000 conv=notrunc status=none
done
iopress expand "$work/edited"
expect_same "$work/expected" "$work/edited"

# Usage.
expect_exit 2 iopress expand
expect_exit 2 iopress expand "$file" "$file"
expect_exit 2 iopress expand fd:0 <"$work/raw"
expect_message 'fd:0: is not a path'
expect_exit 2 iopress expand - <"$work/raw"
expect_exit 2 iopress expand /dev/null
expect_exit 1 iopress expand "$work/missing"
expect_one_line

# Progress and a codec that is not there.
iopress save "$work/raw" "$file.new"
mv "$file.new" "$file"
iopress expand --progress-fd 5 5>"$work/progress" "$file"
tail -n 1 "$work/progress" | grep -q '"verb": *"expand".*"done"' ||
  fail "progress: $(cat "$work/progress")"
iopress save "$work/raw" "$work/image" --force
cp "$work/image" "$file"
mkdir "$work/none"
expect_exit 1 "$IOPRESS" expand --plugin-dir "$work/none" "$file"
expect_same "$work/image" "$file"
alone
