#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Round trips with codec lz4.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

. "$abs_top_srcdir/tests/cmd/round-trip-common.sh"

round_trip lz4
