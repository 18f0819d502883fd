#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An empty environment and the root folder: what libvirtd gives.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
# Without the wrapper, which is a script.
run=("$abs_top_builddir/iopress")
plugins=(--plugin-dir "$plugindir")
cd /
env -i "${run[@]}" save "${plugins[@]}" "$work/source" "$work/image"
env -i "${run[@]}" verify "${plugins[@]}" "$work/image"
env -i "${run[@]}" restore "${plugins[@]}" "$work/image" "$work/restored"
expect_same "$work/source" "$work/restored"
env -i "${run[@]}" info "${plugins[@]}" "$work/image" >/dev/null
env -i "${run[@]}" plugins "${plugins[@]}" >/dev/null
