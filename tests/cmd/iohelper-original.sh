#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iohelper beside the program it stands in for: the same files, output,
# messages, exit status and position of the descriptor.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/iohelper-common.sh"

for original in /usr/lib/libvirt/libvirt_iohelper.distrib \
                /usr/lib/libvirt/libvirt_iohelper \
                /usr/libexec/libvirt_iohelper.distrib \
                /usr/libexec/libvirt_iohelper; do
  test ! -x $original || break
done
test -x $original || skip "libvirt's iohelper is not installed"
mib=1048576
head -c $((6 * mib)) /dev/urandom >"$work/data"

# one NAME PROGRAM FLAGS FD INPUT-BYTES: runs it on $work/file; leaves its
# outcome in $work/NAME and $work/NAME.*.
one ()
{
  local status=0

  head -c "$5" "$work/data" |
    POSITION=$work/$1.position program=$2 run_helper "$3" "$work/file" "$4" \
      >"$work/$1.output" 2>"$work/$1.message" || status=$?
  echo "$status" >"$work/$1.status"
  # The name, and the words of a warning that the original's library prints.
  sed -i -e "s,$2,PROGRAM," -e '/: [0-9]*: \(info\|warning\) : /d' \
    "$work/$1.message"
  cp "$work/file" "$work/$1.file"
}

# both FLAGS FD INPUT-BYTES FILE-BYTES
both ()
{
  local what

  head -c "$4" "$work/data" >"$work/file"
  one theirs "$original" "$1" "$2" "$3"
  head -c "$4" "$work/data" >"$work/file"
  one ours "$helper" "$1" "$2" "$3"
  for what in status message output file position; do
    cmp "$work/theirs.$what" "$work/ours.$what" ||
      fail "$1, descriptor $2, $3 bytes in, $4 in the file: other $what:" \
           "$(head -c 300 "$work/theirs.$what") - " \
           "$(head -c 300 "$work/ours.$what")"
  done
}

directs=('')
if direct_works; then
  directs+=(,direct)
fi
for direct in "${directs[@]}"; do
  for size in 0 1 65535 65536 65537 $((mib - 1)) $mib $((mib + 1)) \
              $((3 * mib + 70000)) $((5 * mib)); do
    both write$direct 1 $size 0
    both read$direct 0 0 $size
  done
  both write$direct,append 5 $((2 * mib + 1)) 0
  both write$direct,offset=8192 5 $((mib + 1)) 0
  both write$direct 5 10 100
  both write$direct,append 5 10 100
  both write$direct,offset=40 5 10 100
  both read$direct,offset=512 5 0 $mib
  both read$direct,offset=$((2 * mib)) 5 0 $mib
  both update$direct 5 10 100
done

# What the arguments say.
for arguments in --help '--help P' '' P 'P 1 2' 'P 77' 'P -1'; do
  for program in "$original" "$helper"; do
    status=0
    # shellcheck disable=SC2086
    "$program" $arguments 77>&- </dev/null >"$work/output" 2>&1 || status=$?
    sed -i -e "s,$program,PROGRAM," -e '/: [0-9]*: \(info\|warning\) : /d' \
      "$work/output"
    echo $status >>"$work/output"
    test "$program" = "$helper" || mv "$work/output" "$work/wanted"
  done
  cmp "$work/wanted" "$work/output" || fail "arguments: $arguments"
done
