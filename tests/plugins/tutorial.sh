#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The plugin in iopress-plugin(3) is right as it stands there: it compiles,
# passes plugin-check, and a save file comes back through it.

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

# The first example, as man(1) shows it.
awk '/^\.SH TUTORIAL/ { wanted = 1 }
     /^\.EE/ && inside { exit }
     inside { print }
     /^\.EX/ && wanted { inside = 1 }' \
  "$abs_top_srcdir/docs/iopress-plugin.3" |
  sed -e 's/\\-/-/g' -e 's/\\e/\\/g' >"$work/copy.c"
grep -q '^IOPRESS_REGISTER_CODEC' "$work/copy.c" || fail "no example is found"

make_plugins
"$compiler" -O2 -fPIC -shared -fvisibility=hidden -Wall -Werror \
  -I"$abs_top_srcdir/src/plugin" -o "$work/plugins/copy.so" "$work/copy.c"
chmod 755 "$work/plugins/copy.so"
iopress plugin-check "$work/plugins/copy.so" >"$work/tap" ||
  fail "it does not pass: $(cat "$work/tap")"

head -c 3000000 /dev/urandom >"$work/source"
with_plugins save -c copy "$work/source" "$work/image"
with_plugins restore "$work/image" "$work/restored"
expect_same "$work/source" "$work/restored"
