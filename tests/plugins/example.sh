#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# contrib/example-plugin, as its README says, against an installed iopress: it is
# built out of tree, passes its own check, is installed, and saves, restores and
# recovers.

. "${abs_top_srcdir:-../..}/tests/functions.sh"

requires autoreconf automake libtoolize make pkg-config gzip python3
pkg-config --exists libdeflate || skip "libdeflate is not installed"
test -z "$VALGRIND" || skip "not under valgrind"
if grep -q '^#define SANITIZED' "$abs_top_builddir/src/config.h"; then
  skip "the example is not built with the sanitizer of the program"
fi

umask 022
unset MAKEFLAGS MFLAGS MAKELEVEL TESTS CC CFLAGS LDFLAGS
# They are those of the build tree, and configure would believe them.
unset IOPRESS plugindir

# The whole of iopress in a root of its own.
root=$work/root
make -s -C "$abs_top_builddir" install DESTDIR="$root" >"$work/log" 2>&1 ||
  fail "iopress cannot be installed: $(tail -n 5 "$work/log")"
prefix=$root$(sed -n 's/^prefix = //p' "$abs_top_builddir/Makefile")
pc=$(find "$root" -name iopress-plugin.pc)
PKG_CONFIG_PATH=${pc%/*}
PKG_CONFIG="pkg-config --define-variable=prefix=$prefix"
export PKG_CONFIG_PATH PKG_CONFIG
plugins=$($PKG_CONFIG --variable=plugindir iopress-plugin)
installed=$($PKG_CONFIG --variable=iopress iopress-plugin)

cp -r "$abs_top_srcdir/contrib/example-plugin" "$work/example"
chmod -R u+w "$work/example"
cd "$work/example"
{ autoreconf -i && ./configure -q && make -s && make -s check &&
    make -s install; } >"$work/log" 2>&1 ||
  fail "$(tail -n 20 "$work/log" check-plugin.log 2>/dev/null)"
grep -q '^ok [0-9]* - speed' check-plugin.log || fail "nothing was checked"
test -f "$plugins/gzip.so" || fail "it is not installed"
test ! -e "$plugins/gzip.la" || fail "more than the plugin is installed"

# with_example VERB [ARGUMENT...]
with_example ()
{
  local verb=$1

  shift
  "$installed" "$verb" --plugin-dir "$plugins" "$@"
}

with_example plugins gzip | grep -qx 'levels: 1..12, auto, default 1'
python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --preset text \
  "$work/source" --expected "$work/expected"
with_example save -c gzip:6 "$work/source" "$work/image"
with_example verify "$work/image"
with_example restore "$work/image" "$work/restored"
expect_same "$work/expected" "$work/restored"
with_example save -q -c gzip:auto --force "$work/source" "$work/image"
with_example info --json "$work/image" | grep -q '"codec": *"gzip"'

# Its header is lost: the plugin knows its frames.
dd if=/dev/zero of="$work/image" bs=256 count=1 conv=notrunc status=none
with_example recover "$work/image" "$work/recovered"
expect_same "$work/expected" "$work/recovered"
