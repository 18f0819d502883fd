#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The reader of a pipe goes away: exit status 1 and one line, no crash.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires mkfifo
truncate -s 20M "$work/source"
head -c 4M /dev/urandom | dd of="$work/source" conv=notrunc status=none
iopress save -c stored "$work/source" "$work/image"

# to_nobody VERB ARGUMENT...: standard output is a pipe without a reader.
to_nobody ()
{
  mkfifo "$work/fifo"
  exec 6<>"$work/fifo" 7>"$work/fifo"
  exec 6<&-
  rm "$work/fifo"
  expect_exit 1 iopress "$@" >&7
  exec 7>&-
  expect_one_line
  expect_message 'standard output.*: Broken pipe'
}

for threads in serial 2; do
  to_nobody save -T $threads -c stored "$work/source" -
  to_nobody restore -T $threads "$work/image" -
done
to_nobody info "$work/image"
to_nobody plugins
to_nobody --help
to_nobody --version
