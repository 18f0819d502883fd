#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# - is standard input or output, and a pipe will do.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
make_raw "$work/source"
iopress save "$work/source" - | cat >"$work/image"
iopress verify "$work/image"
iopress verify - <"$work/image"
cat "$work/image" | iopress verify -
cat "$work/image" | iopress restore - "$work/restored"
expect_same "$work/source" "$work/restored"
expect_sparse "$work/restored" "$work/source"
iopress restore "$work/image" - | cmp - "$work/source"
iopress save "$work/source" - | iopress restore - - | cmp - "$work/source"
iopress save - - <"$work/source" | iopress verify -

# Standard output is written where it stands.
{ echo before; iopress restore "$work/image" -; echo after; } >"$work/out"
{ echo before; cat "$work/source"; echo after; } | cmp - "$work/out"

# save wants a source it can seek in, info an image.
expect_exit 2 iopress save - "$work/new" < <(cat "$work/source")
expect_one_line
expect_message ': is not seekable, as SOURCE must be'
expect_exit 2 iopress info - < <(cat "$work/image")
expect_one_line
expect_message 'is not seekable, as IMAGE must be here'
expect_absent "$work/new" "$work/new.part"
