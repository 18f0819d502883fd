#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The plugins in iopress-plugin(3), in C and C++, are right as they stand there:
# they compile, pass plugin-check, and a save file comes back through them.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/plugins/common.sh"

compiler=
for program in gcc clang; do
  if command -v $program >/dev/null; then
    compiler=${compiler:-$program}
  fi
done
test -n "$compiler" || skip "no compiler is installed"
test -z "$VALGRIND" || skip "not under valgrind"
if grep -q '^#define SANITIZED' "$abs_top_builddir/src/config.h"; then
  skip "the example is not built with the sanitizer of the program"
fi

# example SECTION: the first example behind that line, as man(1) shows it.
example ()
{
  awk -v section="$1" '$0 == section { wanted = 1 }
       /^\.EE/ && inside { exit }
       inside { print }
       /^\.EX/ && wanted { inside = 1 }' \
    "$abs_top_srcdir/docs/iopress-plugin.3" |
    sed -e 's/\\-/-/g' -e 's/\\e/\\/g'
}

# comes_back NAME COMPILER...: it compiles, passes, and saves.
comes_back ()
{
  local name=$1

  shift
  "$@" -O2 -fPIC -shared -fvisibility=hidden -Wall -Werror \
    -I"$abs_top_srcdir/src/plugin" -o "$work/plugins/$name.so" \
    "$work/$name.c"*
  chmod 755 "$work/plugins/$name.so"
  iopress plugin-check "$work/plugins/$name.so" >"$work/tap" ||
    fail "it does not pass: $(cat "$work/tap")"
  with_plugins save --force -c "$name" "$work/source" "$work/$name.image"
  with_plugins restore --force "$work/$name.image" "$work/restored"
  expect_same "$work/source" "$work/restored"
}

make_plugins
head -c 3000000 /dev/urandom >"$work/source"
example '.SH TUTORIAL' >"$work/copy.c"
grep -q '^IOPRESS_REGISTER_CODEC' "$work/copy.c" || fail "no example is found"
comes_back copy "$compiler"

example '.SS In C++' >"$work/twin.cc"
grep -q '^IOPRESS_REGISTER_CODEC' "$work/twin.cc" || fail "no C++ is found"
for program in g++ clang++; do
  if command -v $program >/dev/null; then
    comes_back twin $program -std=c++11 -pedantic-errors -Wextra
  fi
done
