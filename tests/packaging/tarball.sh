#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# "make dist" gives the same tarball, byte by byte, at another time and under
# another umask.  (contrib/release tries that with two clones.)

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires make xz
test -f "$abs_top_builddir/Makefile" || skip "there is no build tree"

# made NAME: makes it, quickly, into a file of that name.
made ()
{
  XZ_OPT=-0 make -s -C "$abs_top_builddir" dist-xz distdir="tarball-$$" \
    >"$work/log" 2>&1 || fail "make dist: $(tail -n 5 "$work/log")"
  mv "$abs_top_builddir/tarball-$$.tar.xz" "$work/$1"
}

# expect_all TEXT: every line of the list has it.
expect_all ()
{
  xz -dc "$work/one" | TZ=UTC tar -tvf - | grep -v -F -e "$1" \
    >"$work/others" || :
  test ! -s "$work/others" || fail "not '$1': $(head -n 3 "$work/others")"
}

cleanup_fn rm -rf "$abs_top_builddir/tarball-$$"
unset MAKEFLAGS MAKELEVEL MFLAGS
export SOURCE_DATE_EPOCH=1000000000
(umask 022 && made one)
sleep 1
(umask 077 && made two)
expect_same "$work/one" "$work/two"
expect_all ' 0/0 '
expect_all ' 2001-09-09 01:46 '
