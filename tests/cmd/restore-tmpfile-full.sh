#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# restore --tmpfile where there is no room: status 1, COMMAND is not run, and
# the space comes back, as it does after COMMAND.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_root
requires mount umount
mkdir "$work/small"
make_raw "$work/source"
iopress save "$work/source" "$work/image"

used ()
{
  df -B1 --output=used "$work/small" | tail -n 1
}

# check SPACE COMMAND...: what happens in a file system with as much.
check ()
{
  local space=$1 before

  shift
  mount -t tmpfs -o size="$space" none "$work/small" ||
    skip "cannot mount a tmpfs"
  before=$(used)
  "$@"
  test "$(used)" -eq "$before" || fail "$(used) bytes are in use"
  test -z "$(ls -A "$work/small")" || fail "left: $(ls -A "$work/small")"
  umount "$work/small"
}

cleanup_fn umount -q "$work/small"

too_small ()
{
  local options

  for options in '-T serial' '-T 2' '--direct-io=off'; do
    # shellcheck disable=SC2086
    expect_exit 1 iopress restore --tmpfile "$work/small" $options \
      "$work/image" -- touch "$work/run"
    expect_one_line
    expect_message "^iopress: temporary file in $work/small: .*: No space left"
    expect_absent "$work/run"
  done
}

enough ()
{
  iopress restore --tmpfile "$work/small" "$work/image" -- \
    cmp {} "$work/source"
}

# As QEMU does: somebody has it open when COMMAND has ended.
kept_open ()
{
  local holder blocks space

  # shellcheck disable=SC2016
  iopress restore --tmpfile "$work/small" "$work/image" -- \
    bash -c 'exec 8<"$1"; sleep 300 & exec 8<&-; echo $!' bash {} >"$work/pid"
  holder=$(cat "$work/pid")
  blocks=$(stat -L -c %b "/proc/$holder/fd/8" || echo unknown)
  space=$(used)
  kill "$holder"
  tail --pid="$holder" -f /dev/null
  test "$blocks" = 0 || fail "the space stays in use: $blocks blocks"
  test "$space" -eq 0 || fail "$space bytes are in use"
}

check 1m too_small
check 4m enough
check 4m kept_open
