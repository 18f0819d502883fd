#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What --help names stands in the man page and is completed, and the other way
# round: verbs, and each verb's options.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

manual=$abs_top_srcdir/docs/iopress.1
completion=$abs_top_srcdir/contrib/completion/iopress
# shellcheck source=contrib/completion/iopress
. "$completion"

# The verbs stand on lines "  VERB   what it does".
help_verbs ()
{
  iopress --help | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p'
}

# help_options VERB: -x and --xyz, one a line, from "  -x, --xyz=VALUE  ...".
help_options ()
{
  iopress "$1" --help | sed -n -e 's/^ \{2,6\}\(-[^ ].*\)/ \1/p' |
    sed 's/   *.*//' | grep -E -o ' --?[a-zA-Z][a-z-]*' | tr -d ' ' | sort
}

# manual_section BEGINNING: from that heading to the next one.
manual_section ()
{
  awk -v beginning="$1" '
    /^\.S[hs] / { inside = $0 == beginning }
    inside { print }' "$manual"
}

# tagged_options: those that a list of the man page explains, one a line.
tagged_options ()
{
  sed -e ':join' -e '/\\$/ { N; s/\\\n/ /; b join' -e '}' |
    grep -E '^\.It Fl ' | grep -E -o 'Fl -?[a-zA-Z][a-z-]*' |
    sed 's/^Fl /-/'
}

manual_options ()
{
  { manual_section ".Ss $1"; manual_section ".Sh COMMON OPTIONS"; } |
    tagged_options | sort
}

# completed WORD...: what completing the last of the words offers.
completed ()
{
  COMP_WORDS=(iopress "$@")
  COMP_CWORD=$#
  _iopress "$IOPRESS"
  printf '%s\n' "${COMPREPLY[@]}" | sort
}

# expect_equal WHAT FILE1 FILE2: < is only in the first.
expect_equal ()
{
  diff "$2" "$3" >"$work/diff" || fail "$1: $(cat "$work/diff")"
}

help_verbs | sort >"$work/verbs"
test "$(wc -l <"$work/verbs")" -ge 6 ||
  fail "--help lists too few verbs: $(cat "$work/verbs")"

manual_section ".Sh VERBS" | grep -q . || fail "the man page has no verbs"
sed -n 's/^\.Ss \([a-z][a-z-]*\)$/\1/p' "$manual" | sort >"$work/manual"
expect_equal "verbs of --help and of the man page" \
             "$work/verbs" "$work/manual"
manual_section ".Sh SYNOPSIS" | sed -n 's/^\.Cm //p' | sort -u \
  >"$work/synopsis"
expect_equal "verbs of --help and of the synopsis" \
             "$work/verbs" "$work/synopsis"
completed '' | grep -v '^-' >"$work/completed"
expect_equal "verbs of --help and of the completion" \
             "$work/verbs" "$work/completed"

while read -r verb <&5; do
  # Takes the arguments of the program whose place it takes, and no others.
  test "$verb" != iohelper || continue
  help_options "$verb" >"$work/options"
  grep -q -x -e --plugin-dir "$work/options" ||
    fail "$verb --help cannot be read: $(cat "$work/options")"
  manual_options "$verb" >"$work/manual"
  expect_equal "$verb: options of --help and of the man page" \
               "$work/options" "$work/manual"
  grep -e '^--' "$work/options" >"$work/long"
  completed "$verb" -- >"$work/completed"
  expect_equal "$verb: options of --help and of the completion" \
               "$work/long" "$work/completed"
done 5<"$work/verbs"
