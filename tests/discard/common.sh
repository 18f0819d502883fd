# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What several tests of only copies use.  Sourced after functions.sh.

# Check that a command is refused and changes neither of the files named
# before it:  untouched FILE... -- STATUS COMMAND...
untouched ()
{
  local files=() before after

  while [ "$1" != -- ]; do
    files+=("$1")
    shift
  done
  shift
  before=$(fingerprint "${files[@]}")
  expect_exit "$@"
  after=$(fingerprint "${files[@]}")
  test "$before" = "$after" ||
    fail "files were changed by what was refused: ${*:2}:" \
         "$before; $after"
}

# What is not on the disk yet is counted with room for what it may need there.
fingerprint ()
{
  local file

  for file in "$@"; do
    if [ -e "$file" ]; then
      sync "$file"
      cksum "$file"
      stat -c '%s %b %i' "$file"
    else
      echo "no $file"
    fi
  done
}

# noise FILE BYTES [SEED]: random bytes, the same ones for the same seed.
noise ()
{
  python3 -c 'import random, sys
open(sys.argv[1], "wb").write(
    random.Random(int(sys.argv[3])).randbytes(int(sys.argv[2])))' \
    "$1" "$2" "${3:-1}"
}

# spoil FILE OFFSET: one byte of it goes bad.
spoil ()
{
  python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 1]))' "$1" "$2"
}
