#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --replace: the image takes the name and the place of its source.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

file=$work/file

# restores_to EXPECTED: the file is an image of that.
restores_to ()
{
  iopress verify "$file"
  iopress restore --force "$file" "$work/restored"
  expect_same "$1" "$work/restored"
}

# alone: nothing is left beside the file.
alone ()
{
  test "$(cd "$work" && echo file*)" = file ||
    fail "left over: $(cd "$work" && echo file*)"
}

make_raw "$work/raw"
make_mapped_ram "$work/ram" --expected "$work/expected" --libvirt save \
  --xml-padding 5K --stale 0.2 --block pc.ram=20M,random

# Mode and attributes come along; who has the old file open keeps it.
cp "$work/ram" "$file"
chmod 2640 "$file"
python3 - "$file" <<'PYTHON' || true
import os, sys
os.setxattr(sys.argv[1], "user.label", b"mine")
PYTHON
exec 5<"$file"
iopress save --replace "$file"
cmp "$work/ram" - <&5 || fail "the old file has changed"
exec 5<&-
test "$(stat -c %a "$file")" = 2640 || fail "mode $(stat -c %a "$file")"
python3 - "$work/ram" "$file" <<'PYTHON' || fail "an attribute is missing"
import os, sys
try:
    os.setxattr(sys.argv[1], "user.label", b"mine")
except OSError:
    sys.exit(0)
sys.exit(os.getxattr(sys.argv[2], "user.label") != b"mine")
PYTHON
restores_to "$work/expected"
alone
if [ "$(id -u)" = 0 ]; then
  cp "$work/raw" "$file"
  chown 1234:5678 "$file"
  iopress save --replace "$file"
  test "$(stat -c %u:%g "$file")" = 1234:5678 || fail "the owner has changed"
  restores_to "$work/raw"
  # An unfinished image of the owner's.
  cp "$work/raw" "$file"
  chown 1234:5678 "$file"
  head -c 6000 "$work/restored" >"$file.part"
  iopress save "$work/raw" "$work/image" --force
  head -c 6000 "$work/image" >"$file.part"
  chown 1234:5678 "$file.part"
  iopress save --replace "$file"
  test "$(stat -c %u:%g "$file")" = 1234:5678 || fail "the owner has changed"
  restores_to "$work/raw"
  alone
fi

# What the folder gives to new files does not make the image readable for whom
# the source was not: no list of access that the source does not have.
if [ "$(id -u)" = 0 ]; then
  mkdir "$work/shared"
  python3 - "$work/shared" <<'PYTHON'
import os, struct, sys
entries = [(1, 7, -1), (2, 6, 65534), (4, 5, -1), (16, 7, -1), (32, 5, -1)]
acl = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, allowed, who & 0xffffffff)
    for tag, allowed, who in entries)
try:
    os.setxattr(sys.argv[1], "system.posix_acl_default", acl)
except OSError:
    print("not tried: no lists of access here")
PYTHON
  for mode in 600 640; do
    cp "$work/raw" "$work/outside"
    chmod $mode "$work/outside"
    mv "$work/outside" "$work/shared/file"
    iopress save --replace "$work/shared/file"
    test "$(stat -c %a "$work/shared/file")" = $mode || fail "another mode"
    python3 - "$work/shared/file" <<'PYTHON' || fail "the image has a list"
import os, sys
sys.exit("system.posix_acl_access" in os.listxattr(sys.argv[1]))
PYTHON
  done
  # One that the source has comes along.
  rm "$work/shared/file"
  cp "$work/raw" "$work/shared/file"
  iopress save --replace "$work/shared/file" --quiet
  python3 - "$work/shared" <<'PYTHON' || fail "the list is gone"
import os, sys
name = "system.posix_acl_default"
sys.exit(name in os.listxattr(sys.argv[1]) and
         "system.posix_acl_access" not in os.listxattr(sys.argv[1] + "/file"))
PYTHON
fi

# Then it is an image already; expand and --replace undo each other.
before=$(stat -c %i.%Y "$file")
iopress save --replace "$file" 2>"$work/stderr"
grep -q 'file: is an image already' "$work/stderr" || fail "not told"
iopress save --replace -q "$file" 2>"$work/stderr"
test ! -s "$work/stderr" || fail "not quiet"
test "$(stat -c %i.%Y "$file")" = "$before" || fail "it was changed"
cp "$work/ram" "$file"
for i in 1 2 3; do
  iopress save --replace -c stored "$file"
  iopress expand "$file"
done
expect_same "$work/expected" "$file"
alone

# A run that ended between the exchange and its end leaves the source.
iopress save "$work/ram" "$work/image" --force
cp "$work/image" "$file"
cp "$work/ram" "$file.part"
iopress save --replace -q "$file"
alone
restores_to "$work/expected"
# Anything else that has the name stays.
cp "$work/raw" "$file.part"
iopress save --replace -q "$file" 2>"$work/stderr"
grep -q 'file.part: is not what .*file was packed from' "$work/stderr" ||
  fail "not told: $(cat "$work/stderr")"
expect_same "$work/raw" "$file.part"
cp "$work/ram" "$file"
expect_exit 1 iopress save --replace "$file"
expect_message 'file.part: left over from an earlier run'
expect_same "$work/ram" "$file"
expect_same "$work/raw" "$file.part"
# Nothing but zeros is nothing.
rm "$file.part"
truncate -s 100000 "$file.part"
iopress save --replace "$file"
restores_to "$work/expected"
alone

# What is no source.
make_mapped_ram "$work/unfinished" --libvirt part --damage unfinished
cp "$work/unfinished" "$file"
expect_exit 3 iopress save --replace "$file"
expect_same "$work/unfinished" "$file"
head -c 100000 "$work/image" >"$work/cut"
cp "$work/cut" "$file"
expect_exit 3 iopress save --replace "$file"
expect_one_line
expect_message 'incomplete|footer'
expect_same "$work/cut" "$file"
alone

# A source that cannot be removed in the end is the next run's to remove.
inject=$abs_top_builddir/tests/faults/.libs/inject.so
if [ -z "$VALGRIND" ] && [ -f "$inject" ]; then
  cp "$work/raw" "$file"
  # The first one is of the file that names are exchanged with on trial.
  expect_exit 0 env ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" \
    LD_PRELOAD="$inject" IOPRESS_FAULT_FOLDER="$work" \
    IOPRESS_FAULT=unlink:2:EIO "$abs_top_builddir/iopress" save \
    --plugin-dir "$plugindir" --sandbox=off --replace "$file"
  expect_one_line
  expect_message 'file.part: is packed, and .*: cannot be removed: Input/output'
  expect_same "$work/raw" "$file.part"
  restores_to "$work/raw"
  iopress save --replace -q "$file"
  restores_to "$work/raw"
  alone
fi

# Usage.
cp "$work/raw" "$file"
for arguments in --discard --resume --estimate --force "$work/other"; do
  expect_exit 2 iopress save --replace "$file" "$arguments"
  expect_one_line
done
expect_exit 2 iopress save --replace fd:0 <"$file"
expect_exit 2 iopress save --replace - <"$file"
expect_exit 2 iopress save --replace
ln -s file "$work/link"
expect_exit 2 iopress save --replace "$work/link"
expect_message 'link: is a symbolic link'
expect_exit 2 iopress save --replace "$work"
expect_exit 1 iopress save --replace "$work/missing"
expect_same "$work/raw" "$file"

# Somebody has it open for writing.
exec 5<>"$file"
if python3 - "$file" <<'PYTHON'
import fcntl, os, sys
try:
    fcntl.fcntl(os.open(sys.argv[1], os.O_RDONLY), fcntl.F_SETLEASE,
                fcntl.F_RDLCK)
except OSError as error:
    sys.exit(error.errno != 11)
sys.exit(1)
PYTHON
then
  expect_exit 1 iopress save --replace "$file"
  expect_message 'file: another process has it open for writing'
fi
exec 5>&-
alone
