#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# contrib/bench/bench measures a mount with QEMU and libvirt.  No figure is held
# against anything here: the machine may be busy.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires python3 cc qemu-system-x86_64
requires_codec zstd
requires_root

TMPDIR=$work "$abs_top_srcdir/contrib/bench/bench" \
  --build "$abs_top_builddir" --size 8 --rounds 1 --only mount \
  --output "$work/reports" >"$work/printed" 2>"$work/progress" ||
  fail "it fails: $(cat "$work/progress")"
! grep 'left out: iopress mount: ' "$work/progress" ||
  skip "$(grep 'left out' "$work/progress")"
grep '^mount' "$work/printed" >"$work/figures"
if grep -q 'libvirt is left out' "$work/progress"; then
  sed -i '/virsh/d' "$work/figures"
fi
test "$(wc -l <"$work/figures")" -ge 12 || fail "figures are missing"
! grep 'not measured' "$work/figures" || fail "a figure was not measured"
