#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A codec that is not there is named, with what to do.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
expect_exit 1 iopress save -c nosuch "$work/source" "$work/new"
expect_one_line
expect_message 'nosuch\.so: .*No such file or directory; install .*"nosuch"'
expect_absent "$work/new" "$work/new.part"
