#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images appear as their sources, everything else as it is.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec zstd lz4

make_raw "$work/source"
truncate -s 20M "$work/source"
echo end >>"$work/source"
make_mapped_ram --libvirt save --size 16M "$work/guest"
mkdir "$store/folder"
iopress save "$work/source" "$store/raw"
iopress save -c lz4 --chunk-size 64K "$work/guest" "$store/folder/guest"
iopress save -c stored "$work/source" "$store/stored"
echo "no image" >"$store/plain"
ln -s plain "$store/link"
mkfifo "$store/pipe"
chmod 640 "$store/raw"
touch -d 2001-02-03 "$store/raw"
head -c 300000 "$store/raw" >"$store/cut"

mounted -T 2
expect_same "$work/source" "$mnt/raw"
expect_same "$work/source" "$mnt/stored"
expect_same "$work/guest" "$mnt/folder/guest"
expect_same "$store/plain" "$mnt/link"
test -p "$mnt/pipe" || fail "a pipe is shown as something else"
test "$(ls "$mnt")" = "$(ls "$store")" || fail "other names: $(ls "$mnt")"
test "$(stat -c '%a %Y %b %i' "$mnt/raw")" = \
     "$(stat -c '%a %Y %b %i' "$store/raw")" || fail "other attributes"
test "$(stat -c %s "$mnt/raw")" = "$(stat -c %s "$work/source")" ||
  fail "the size is not that of the source"

# What is no whole image gives no bytes.
! cat "$mnt/cut" >"$work/out" 2>/dev/null || fail "a cut image can be read"
test ! -s "$work/out" || fail "a cut image gives bytes"
printf '\377' | dd of="$store/stored" bs=1 seek=200000 conv=notrunc status=none
! cat "$mnt/stored" >"$work/out" 2>/dev/null ||
  fail "a damaged image can be read"
cmp -n "$(stat -c %s "$work/out")" "$work/out" "$work/source"
eventually grep -q 'stored: window .*checksum' "$work/log"

# Several at a time, at any offset, and the holes.
python3 - "$mnt/raw" "$work/source" <<'PYTHON'
import os, random, sys, threading
shown, source = (os.open(name, os.O_RDONLY) for name in sys.argv[1:])
size = os.fstat(source).st_size
failures = []
def read(seed):
    numbers = random.Random(seed)
    for _ in range(100):
        offset = numbers.randrange(size + 10)
        length = numbers.choice((1, 4096, 70000, 2 << 20))
        if os.pread(shown, length, offset) != os.pread(source, length, offset):
            failures.append((offset, length))
threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failures, failures
offset = 0
while offset < size:
    data = os.lseek(shown, offset, os.SEEK_DATA)
    assert os.pread(source, data - offset, offset).strip(b"\0") == b""
    offset = os.lseek(shown, data, os.SEEK_HOLE)
hole = os.lseek(shown, 6 << 20, os.SEEK_DATA)
assert hole >= 19 << 20, hole
PYTHON
unmounted
