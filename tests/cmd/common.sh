# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What several tests of the command line use.  Sourced after functions.sh.

# make_mapped_ram ARGUMENT...: tests/lib/make_mapped_ram.py
make_mapped_ram ()
{
  requires python3
  python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" "$@"
}

# make_raw FILE: a sparse file of 5 MiB and some bytes, 1.5 MiB of them data.
make_raw ()
{
  truncate -s 5243219 "$1"
  seq 1 80000 | dd of="$1" bs=4096 seek=3 conv=notrunc status=none
  head -c 700000 /dev/urandom |
    dd of="$1" bs=4096 seek=600 conv=notrunc status=none
  head -c 300000 /dev/urandom |
    dd of="$1" oflag=seek_bytes seek=4900001 conv=notrunc status=none
}

# expect_one_line: the last expect_exit printed one line, as errors are.
expect_one_line ()
{
  test "$(wc -l <"$work/stderr")" -eq 1 ||
    fail "not one line: $(cat "$work/stderr")"
  expect_message '^iopress: '
}

# expect_absent FILE...
expect_absent ()
{
  local file

  for file in "$@"; do
    test ! -e "$file" || fail "$file is left over"
  done
}

# allocated FILE: the blocks that it takes, in bytes.
allocated ()
{
  echo $(( $(stat -c '%b * %B' "$1") ))
}

# data_bytes FILE: its bytes that are in no hole.
data_bytes ()
{
  python3 - "$1" <<'PYTHON'
import os, sys

file = os.open(sys.argv[1], os.O_RDONLY)
end, total = 0, 0
try:
    while True:
        start = os.lseek(file, end, os.SEEK_DATA)
        end = os.lseek(file, start, os.SEEK_HOLE)
        total += end - start
except OSError:
    print(total)
PYTHON
}

# expect_sparse FILE SOURCE: FILE has no more data than SOURCE, and takes no
# more blocks but for those in which the file system keeps its list of them.
expect_sparse ()
{
  test "$(data_bytes "$1")" -le "$(data_bytes "$2")" ||
    fail "$1 has $(data_bytes "$1") bytes of data, $2 $(data_bytes "$2")"
  test "$(allocated "$1")" -le $(( $(allocated "$2") + 65536 )) ||
    fail "$1 takes $(allocated "$1") bytes, $2 $(allocated "$2")"
}

# iopress_in_time SECONDS VERB [ARGUMENT...]: fails the test when it takes
# longer, which is to say when it hangs.
iopress_in_time ()
{
  local seconds=$1 status=0

  shift
  timeout -s KILL "$seconds" "$IOPRESS" "$@" || status=$?
  test $status -ne 137 || fail "hangs: iopress $*"
  return $status
}

# hold_restore IMAGE OUTPUT: restores in the background from a pipe, which stays
# open with part of the image still to come, until there is OUTPUT.part.
hold_restore ()
{
  mkfifo "$work/fifo"
  iopress restore - "$2" <"$work/fifo" &
  held=$!
  exec 5>"$work/fifo"
  head -c 600000 "$1" >&5
  eventually test -e "$2.part" || fail "no .part while it runs"
}

# end_held_restore IMAGE: lets it have the rest.
end_held_restore ()
{
  tail -c +600001 "$1" >&5
  exec 5>&-
  wait "$held"
}
