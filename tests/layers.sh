#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Fails when a layer uses a higher layer, a sibling it may not use, or a
# library that is another layer's: by its include lines, then by the symbols
# that its library leaves undefined.

. "${abs_top_srcdir:-$(dirname "$0")/..}/tests/functions.sh"

layers=(util sandbox format io names plugin guest image pipeline salvage safety mount cmd)

# Project folders that the files of each layer may include.
declare -A may_use=(
  [util]=""
  [sandbox]="util"
  [format]="util"
  [io]="util"
  [names]="util io"
  [plugin]="util sandbox"
  [guest]="util"
  [image]="util format io plugin guest"
  [pipeline]="util sandbox format io plugin guest image"
  [salvage]="util sandbox format io plugin guest image pipeline"
  [safety]="util sandbox format io names plugin guest image pipeline salvage"
  [mount]="util sandbox format io names plugin guest image pipeline"
  [cmd]="util sandbox format io names plugin guest image pipeline salvage safety mount"
  [main]="cmd"
)

# The only layers that may include a library's header.
declare -A library_users=(
  [xxhash.h]="util"
  [libaio.h]="io"
  [json-c]="guest mount cmd"
  [fuse_lowlevel.h]="mount"
  [seccomp.h]="sandbox"
  [cap-ng.h]="sandbox"
  [zstd.h]="" [lz4.h]="" [lz4frame.h]="" [lz4hc.h]="" [lzma.h]=""
)

has_word ()
{
  [[ " $1 " == *" $2 "* ]]
}

# includes FILE: its include lines as <NAME or "NAME.
includes ()
{
  sed -n 's/^[ \t]*#[ \t]*include[ \t]*\([<"][^>"]*\).*/\1/p' "$1"
}

# check_include SOURCE LAYER FILE INCLUDE: prints what is wrong with one line.
check_include ()
{
  local source=$1 layer=$2 file=$3 name=${4:1}
  local folder=${name%%/*}

  if [[ $4 == '<'* ]]; then
    if [[ -v library_users[$folder] ]] &&
       ! has_word "${library_users[$folder]}" "$layer"; then
      echo "$file: <$name> is not for layer $layer"
    elif [[ $name == */* && -v may_use[$folder] ]]; then
      echo "$file: <$name> must be included with quotes"
    fi
  elif [[ $name != */* ]]; then
    test -f "$source/$layer/$name" ||
      echo "$file: \"$name\" is not in its folder"
  elif [[ $folder != "$layer" ]] && ! has_word "${may_use[$layer]}" "$folder"
  then
    echo "$file: layer $layer must not use \"$name\""
  fi
}

# check_layer SOURCE LAYER FILE...
check_layer ()
{
  local source=$1 layer=$2 file line

  shift 2
  for file in "$@"; do
    while read -r line; do
      check_include "$source" "$layer" "$file" "$line"
    done < <(includes "$file")
  done
}

# check_includes SOURCE: prints a line for each include that breaks the rules.
check_includes ()
{
  local source=$1 folder

  shopt -s nullglob
  for folder in "$source"/*/; do
    folder=$(basename "$folder")
    if [[ -v may_use[$folder] ]]; then
      check_layer "$source" "$folder" "$source/$folder"/*.[ch]
    elif compgen -G "$source/$folder/*.[ch]" >/dev/null; then
      echo "$source/$folder is no layer"
    fi
  done
  check_layer "$source" main "$source"/main.c
}

# symbols WHICH LAYER: the global symbols its library defines or leaves
# undefined, one a line.
symbols ()
{
  nm "--$1-only" --extern-only -P \
     "$abs_top_builddir/src/$2/lib$2.a" | awk 'NF > 1 { print $1 }' | sort -u
}

# Prints a line for each symbol that a layer's library wants and only a
# library it may not use defines, and for each that two layers define.
check_symbols ()
{
  local layer other

  for layer in "${layers[@]}"; do
    symbols defined "$layer" >"$work/$layer.defined"
    symbols undefined "$layer" | comm -23 - "$work/$layer.defined" \
      >"$work/$layer.wanted"
  done
  for layer in "${layers[@]}"; do
    for other in "${layers[@]}"; do
      if test "$other" != "$layer" && ! has_word "${may_use[$layer]}" "$other"
      then
        comm -12 "$work/$layer.wanted" "$work/$other.defined" |
          sed "s/^/layer $layer must not use, of $other, /"
      fi
    done
  done
  cat "$work"/*.defined | sort | uniq -d | sed 's/^/two layers define /'
}

# The checks themselves must see a violation.
must_report ()
{
  local path=$1 line=$2 count

  mkdir -p "$work/src/${path%/*}"
  printf '%s\n' "$line" >"$work/src/$path"
  count=$(check_includes "$work/src" 2>/dev/null | wc -l)
  test "$count" -eq 1 || fail "src/$path with $line gave $count reports"
  rm -r "$work/src"
}

must_report util/a.c '#include "format/record.h"'
must_report format/a.h '# include "io/aio.h"'
must_report guest/a.c '#include "../io/aio.h"'
must_report image/a.h '#include "pipeline/pool.h"'
must_report pipeline/a.h '#include "cmd/save.h"'
must_report plugin/a.c '#include "missing.h"'
must_report pipeline/a.c '#include <json-c/json.h>'
must_report pipeline/a.h '#include "safety/consume.h"'
must_report pipeline/a.c '#include "names/place.h"'
must_report salvage/a.c '#include "safety/resume.h"'
must_report mount/a.c '#include "safety/discard.h"'
must_report io/a.c '#include <util/error.h>'
must_report io/a.c '#include "names/place.h"'
must_report names/a.c '#include "format/marker.h"'
must_report io/a.c '#include "sandbox/memory_only.h"'
must_report other/a.c '#include <stdio.h>'

reports=$(check_includes "$abs_top_srcdir/src")
if command -v nm >/dev/null; then
  reports+=$(check_symbols)
fi
test -z "$reports" || fail "layers are broken:"$'\n'"$reports"
