#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# However much is asked of a mount at a time, it takes no more than 48 MiB with
# two threads: three files are read while others are written and packed in the
# background.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

requires_codec zstd
! grep -q -a -e __asan_init -e __tsan_init "$abs_top_builddir/iopress" ||
  skip "memory is the sanitizer's"
test -z "${VALGRIND:-}" || skip "memory is valgrind's"

limit_kib=$((48 << 10))

# What cannot be compressed is packed once more in the background: nobody knows
# why it was stored.
python3 - "$work/plain" <<'END'
import random, sys

numbers = random.Random(5)
with open(sys.argv[1], "wb") as file:
    for window in range(64):
        for _ in range(256):
            part = 4096 if window % 2 else 1024
            file.write(numbers.randbytes(part) + b"x" * (4096 - part))
END

write ()
{
  dd if="$work/plain" of="$mnt/$1" bs=1M status=none
}

# read_again NAME: until $work/enough is there.
read_again ()
{
  while test ! -e "$work/enough"; do
    dd if="$mnt/$1" of=/dev/null bs=1M status=none
  done
}

has_packed ()
{
  "$IOPRESS" mount --status "$mnt" | grep -q '^files_repacked  *[3-9]'
}

mounted -T 2
for name in one two three; do
  write "$name"
done
readers=()
for name in one two three; do
  read_again "$name" &
  readers+=($!)
done
for name in four five six; do
  write "$name"
  sleep 0.7
done
packed=yes
eventually has_packed || packed=no
touch "$work/enough"
wait "${readers[@]}"
most=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$daemon/status")
expect_same "$work/plain" "$mnt/six"
unmounted
echo "$most KiB"
test "$packed" = yes || fail "nothing was packed meanwhile: $(cat "$work/log")"
test "$most" -le "$limit_kib" || fail "$most KiB of memory, not $limit_kib"
