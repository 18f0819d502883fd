# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the tests with plugins of their own share.  Sourced after functions.sh.

# make_plugins NAME...: a trusted folder $work/plugins with the test plugins
# NAME, and those that are shipped.
make_plugins ()
{
  local name

  chmod 755 "$work"
  mkdir -m 755 "$work/plugins"
  for name in "$@"; do
    cp "$abs_top_builddir/tests/plugins/.libs/$name.so" "$work/plugins/"
  done
  cp "$plugindir"/*.so "$work/plugins/"
  chmod 755 "$work/plugins"/*
}

# with_plugins VERB [ARGUMENT...]: iopress with that folder.
with_plugins ()
{
  local verb=$1

  shift
  # VALGRIND is a command and its options.
  # shellcheck disable=SC2086
  $VALGRIND "$abs_top_builddir/iopress" "$verb" \
    --plugin-dir "$work/plugins" "$@"
}
