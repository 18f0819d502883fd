#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A wrong command line gives exit status 2, one line, and no file.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"

# refused MESSAGE ARGUMENT...
refused ()
{
  local message=$1

  shift
  expect_exit 2 iopress "$@"
  expect_one_line
  expect_message "$message"
  expect_absent "$work/new" "$work/new.part"
}

source=$work/source
image=$work/image
new=$work/new

refused 'no verb'
refused 'there is no verb "sav"' sav
refused 'there is no verb ""' ''
refused 'missing arguments; usage: iopress save' save
refused 'OUTPUT is missing, the name of the image' save "$source"
refused 'too many arguments' save "$source" "$new" extra
refused 'usage: iopress restore .* OUTPUT, or .* --tmpfile' restore "$image"
refused 'missing arguments' info
refused 'too many arguments' expand "$image" extra
refused 'too many arguments' plugins zstd extra
refused '--bogus' save --bogus "$source" "$new"
refused 'T' save "$source" "$new" -T
refused '--force' save --force=yes "$source" "$new"
refused '-c|c' verify -c zstd "$image"
refused '--chunk-size takes' save --chunk-size=1X "$source" "$new"
refused '--format takes one of auto, mapped-ram, raw, not "qcow2"' \
  save --format qcow2 "$source" "$new"
refused '--direct-io takes one of auto, on, off, not "maybe"' \
  save --direct-io maybe "$source" "$new"
refused '--progress takes one of auto, bar, none, not ""' \
  restore --progress= "$image" "$new"
refused '--progress-fd takes a number' save --progress-fd=x "$source" "$new"
refused '--progress-fd takes a number' save --progress-fd=-1 "$source" "$new"
