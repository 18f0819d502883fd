# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the tests of the verb iohelper share.  Sourced after functions.sh.

requires python3

helper=$work/libvirt_iohelper
ln -s "$abs_top_builddir/iopress" "$helper"

# with_fd FLAGS FILE FD COMMAND...: see iohelper-with-fd.py.
with_fd ()
{
  python3 "$abs_top_srcdir/tests/cmd/iohelper-with-fd.py" "$@"
}

# run_helper FLAGS FILE FD: the helper as libvirt starts it, with FILE open as
# descriptor FD.
run_helper ()
{
  # VALGRIND is a command and its options.
  # shellcheck disable=SC2086
  with_fd "$1" "$2" "$3" env -i LIBVIRT_LOG_OUTPUTS=1:stderr $VALGRIND \
    "${program:-$helper}" "$2" "$3"
}

# direct_works: whether O_DIRECT does in the folder of the test.
direct_works ()
{
  : >"$work/probe"
  with_fd write,direct "$work/probe" 5 true 2>/dev/null
}

# expect_text TEXT: the last expect_exit printed that, without an end of line.
expect_text ()
{
  printf '%s' "$1" | cmp - "$work/stderr" ||
    fail "not '$1' but: $(cat "$work/stderr")"
}

# expect_size BYTES FILE
expect_size ()
{
  test "$(stat -c %s "$2")" -eq "$1" ||
    fail "$2 has $(stat -c %s "$2") bytes, not $1"
}
