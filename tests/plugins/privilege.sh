#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whose code runs is nobody's to choose who has less privilege than the process:
# no option, no path, no environment.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/plugins/common.sh"

# The loader asks for no variable at all; plugin-check looks whether a codec
# changes one.
requires nm
nm -A -u "$abs_top_builddir/src/plugin/libplugin.a" |
  grep -v '_a-check_process\.o:' >"$work/undefined"
grep -q 'dlopen' "$work/undefined" || fail "nothing was looked at"
if grep -q 'getenv\|environ' "$work/undefined"; then
  fail "the loader looks at the environment"
fi

# And finds what it finds, whatever variables say.
make_plugins foreign
expect_exit 1 env IOPRESS_PLUGIN_DIR="$work/plugins" \
  IOPRESS_PLUGINS="$work/plugins" PLUGIN_DIR="$work/plugins" \
  plugindir="$work/plugins" LD_LIBRARY_PATH="$work/plugins" \
  "$abs_top_builddir/iopress" plugins foreign
expect_exit 1 env LD_LIBRARY_PATH="$work/plugins" \
  "$IOPRESS" plugins foreign
expect_message 'foreign\.so: cannot open the codec plugin'

# Set-user-ID, run by somebody else.
requires_root
requires setpriv
test -z "$VALGRIND" || skip "not under valgrind"
folder=$(mktemp -d /var/tmp/iopress-privilege.XXXXXX)
cleanup_fn rm -rf "$folder"
chmod 755 "$folder"
cp "$abs_top_builddir/iopress" "$folder/iopress"
chmod 4755 "$folder/iopress"
cp -r "$work/plugins" "$folder/plugins"

# as_nobody COMMAND [ARGUMENT...]
as_nobody ()
{
  setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

as_nobody "$folder/iopress" --version >"$work/out" ||
  skip "it cannot be run by somebody else"
expect_exit 2 as_nobody "$folder/iopress" plugins \
  --plugin-dir "$folder/plugins"
expect_message 'not for a privileged process'
expect_exit 2 as_nobody "$folder/iopress" plugin-check \
  "$folder/plugins/foreign.so"
expect_message 'not for a privileged process'

# It is the privilege that is refused.
chmod 755 "$folder/iopress"
as_nobody "$folder/iopress" plugins --plugin-dir "$folder/plugins" \
  >"$work/out"
grep -q '^foreign ' "$work/out" || fail "without privilege it is refused, too"
