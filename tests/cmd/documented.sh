#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What --help names stands in the man pages and is completed, and the other way
# round: verbs, and each verb's options.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

manual=$abs_top_srcdir/docs/iopress.1
completion=$abs_top_srcdir/contrib/completion
# shellcheck source=contrib/completion/iopress
. "$completion/iopress"

# page VERB: the file of its man page.
page ()
{
  ls "$abs_top_srcdir/docs/iopress-$1".[18] ||
    fail "$1 has no man page"
}

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

# manual_section HEADING: of iopress(1), up to the next heading.
manual_section ()
{
  awk -v heading=".Sh $1" '
    /^\.Sh / { inside = $0 == heading }
    inside { print }' "$manual"
}

# tagged_options: those that a list of the man page explains, one a line.
tagged_options ()
{
  sed -e ':join' -e '/\\$/ { N; s/\\\n/ /; b join' -e '}' |
    grep -E '^\.It Fl ' | grep -E -o 'Fl -?[a-zA-Z][a-z-]*' |
    sed 's/^Fl /-/'
}

# manual_options VERB: its own, and those of all verbs.
manual_options ()
{
  { cat "$(page "$1")"; manual_section "COMMON OPTIONS"; } |
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

# zsh_completed WORD...: the same in zsh.
zsh_completed ()
{
  zsh -f -c '
    fpath=("$1"); autoload -U _iopress
    _describe () { print -l -- "${(@P)3%%:*}" }
    _files () { print -- ":files" "$@" }
    words=("${(@)argv[2,-1]}") CURRENT=$(( $# - 1 ))
    _iopress' zsh "$completion" "$IOPRESS" "$@" | sort
}

# expect_equal WHAT FILE1 FILE2: < is only in the first.
expect_equal ()
{
  diff "$2" "$3" >"$work/diff" || fail "$1: $(cat "$work/diff")"
}

help_verbs | sort >"$work/verbs"
test "$(wc -l <"$work/verbs")" -ge 6 ||
  fail "--help lists too few verbs: $(cat "$work/verbs")"

manual_section VERBS | sed -n 's/^\.It Xr iopress-\([a-z-]*\) [18]$/\1/p' |
  sort >"$work/manual"
expect_equal "verbs of --help and of the man page" \
             "$work/verbs" "$work/manual"
completed '' | grep -v '^-' >"$work/completed"
expect_equal "verbs of --help and of the completion" \
             "$work/verbs" "$work/completed"

while read -r verb <&5; do
  grep -q -x "\.Cm $verb" "$(page "$verb")" ||
    fail "$verb: its man page has no synopsis"
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

# The same in zsh, from the same list.
command -v zsh >/dev/null || skip 'zsh is not installed'
zsh_completed '' | grep -v '^-' >"$work/completed"
expect_equal "verbs of --help and of zsh" "$work/verbs" "$work/completed"
for words in 'save --' 'info --js' 'save -c ' 'save --codec=' 'mount --status --'
do
  # The last word may be empty.
  # shellcheck disable=SC2086
  case $words in
    *' ') set -- $words '' ;;
    *) set -- $words ;;
  esac
  sh "$completion/words" "$IOPRESS" "$@" | cut -f 1 | sort >"$work/wanted"
  test -s "$work/wanted" || fail "$words: nothing to complete"
  zsh_completed "$@" >"$work/completed"
  expect_equal "$words: zsh" "$work/wanted" "$work/completed"
done
test "$(zsh_completed restore --tmpfile '')" = ':files -/'
test "$(zsh_completed restore '')" = :files
COMP_WORDS=(iopress save --codec = zs) COMP_CWORD=4
_iopress "$IOPRESS"
test "${COMPREPLY[*]}" = zstd

# And in fish, where it is installed.
command -v fish >/dev/null || exit 0
mkdir "$work/bin"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$IOPRESS" >"$work/bin/iopress"
chmod 755 "$work/bin/iopress"

# fish_completed TEXT: the same of the command line "iopress TEXT".
fish_completed ()
{
  # shellcheck disable=SC2016
  HOME=$work PATH=$work/bin:$PATH XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work \
    fish -c 'source $argv[1]; complete -C "iopress $argv[2]"' \
    "$completion/iopress.fish" "$1" | cut -f 1 | sort
}

fish_completed '' | grep -v '^-' >"$work/completed"
expect_equal "verbs of --help and of fish" "$work/verbs" "$work/completed"
for words in 'save --' 'info --js' 'mount --status --'; do
  # shellcheck disable=SC2086
  sh "$completion/words" "$IOPRESS" $words | cut -f 1 | sort |
    grep -e "^${words##* }" >"$work/wanted"
  fish_completed "$words" >"$work/completed"
  expect_equal "$words: fish" "$work/wanted" "$work/completed"
done
(cd "$work" && touch guest.iop && fish_completed 'verify gue') |
  grep -q -x guest.iop || fail "fish completes no file"
