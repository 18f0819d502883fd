# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Functions shared by the shell tests.  Sourced first by every one
# of them:
#
#   . "${abs_top_srcdir:-../..}/tests/functions.sh"
#
# "make check" says where the trees are; by hand, from anywhere:
#
#   abs_top_srcdir=SOURCE abs_top_builddir=BUILD bash tests/cmd/NAME.sh
#
# Sets -e and pipefail, and leaves in the environment
#   abs_top_srcdir, abs_top_builddir   the two trees
#   IOPRESS      runs the built program with the built plugins
#   plugindir    the folder of the built plugins
# and, for the test alone,
#   work         an empty folder, removed at the end

set -e -o pipefail
shopt -s inherit_errexit

abs_top_srcdir=${abs_top_srcdir:-$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)}
abs_top_builddir=${abs_top_builddir:-$abs_top_srcdir}
plugindir=$abs_top_builddir/plugins/.libs
IOPRESS=$abs_top_srcdir/tests/iopress-run
export abs_top_srcdir abs_top_builddir plugindir IOPRESS
export LC_ALL=C

skip ()
{
  echo "SKIP: $*" >&2
  exit 77
}

fail ()
{
  echo "FAIL: $*" >&2
  exit 1
}

# requires PROGRAM...: skips the test unless every one is found.
requires ()
{
  local program

  for program in "$@"; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
}

# requires_codec NAME...: skips the test unless every codec was built.
requires_codec ()
{
  local name

  for name in "$@"; do
    test -f "$plugindir/$name.so" || skip "built without codec $name"
  done
}

requires_root ()
{
  test "$(id -u)" = 0 || skip "must be root"
}

# cleanup_fn COMMAND [ARGUMENT...]: runs it when the test ends for whatever
# reason, the last one named first.
declare -a _cleanup=()
cleanup_fn ()
{
  _cleanup+=("$(printf '%q ' "$@")")
}

_run_cleanup ()
{
  local status=$? i

  set +e
  trap '' INT TERM EXIT
  for (( i = ${#_cleanup[@]} - 1; i >= 0; i-- )); do
    eval "${_cleanup[i]}"
  done
  exit "$status"
}
trap _run_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# In the build tree, not in a tmpfs, so that O_DIRECT and holes are real.
mkdir -p "$abs_top_builddir/tests"
work=$(mktemp -d "$abs_top_builddir/tests/tmp.XXXXXX")
cleanup_fn rm -rf "$work"

# iopress VERB [ARGUMENT...]
iopress ()
{
  "$IOPRESS" "$@"
}

# eventually COMMAND...: waits until it succeeds.  The bound is there to end a
# test that hangs, whatever the speed of the machine.
eventually ()
{
  local end=$((SECONDS + 60))

  until "$@"; do
    if test $SECONDS -ge $end; then
      echo "not in a minute: $*" >&2
      return 1
    fi
    sleep 0.05
  done
}

# catches_term PID: whether it has come as far as to heed SIGTERM.
catches_term ()
{
  local caught

  caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status") &&
    (( 0x$caught >> 14 & 1 ))
}

# expect_exit STATUS COMMAND [ARGUMENT...]: fails the test unless the command
# ends with that status.  Its standard error is kept for expect_message.
expect_exit ()
{
  local wanted=$1 got=0

  shift
  "$@" 2>"$work/stderr" || got=$?
  sed 's/^/stderr: /' "$work/stderr" >&2
  # Signals, and what sanitizers and valgrind end with (Makefile.inc.am).
  test "$got" -lt 119 || fail "crashed or not run, exit status $got: $*"
  test "$got" -eq "$wanted" ||
    fail "exit status $got instead of $wanted: $*"
}

# expect_message REGEX: fails the test unless the last expect_exit's command
# printed a line that matches the extended regular expression.
expect_message ()
{
  grep -E -q -e "$1" "$work/stderr" ||
    fail "no message matches '$1'; standard error was:" \
         "$(cat "$work/stderr")"
}

# expect_same FILE1 FILE2: fails the test unless they are equal byte by byte.
expect_same ()
{
  cmp "$1" "$2" || fail "$1 and $2 differ"
}
