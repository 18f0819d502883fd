#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress-plugin.h alone is C99, C11 and C++11, and no compiler that is there
# has anything to say about it.

. "${abs_top_srcdir:-../..}/tests/functions.sh"

cat >"$work/plugin.c" <<'END'
#include "iopress-plugin.h"
#include "iopress-plugin.h"
static struct iopress_codec codec;
IOPRESS_REGISTER_CODEC (codec)
END
cp "$work/plugin.c" "$work/plugin.cc"

# compiles COMPILER SOURCE STANDARD...
compiles ()
{
  local compiler=$1 source=$2 standard

  shift 2
  command -v "$compiler" >/dev/null || return 0
  for standard in "$@"; do
    "$compiler" -std="$standard" -pedantic-errors -Wall -Wextra -Werror \
      -Wshadow -Wconversion -Wsign-conversion -Wundef -Wcast-qual \
      -I"$abs_top_srcdir/src/plugin" -c -o "$work/plugin.o" \
      "$work/$source" || fail "$compiler -std=$standard"
    tried=$((tried + 1))
  done
}

tried=0
for compiler in gcc clang; do
  compiles $compiler plugin.c c99 c11 c17
done
for compiler in g++ clang++; do
  compiles $compiler plugin.cc c++11 c++17
done
test $tried -gt 0 || skip "no compiler is installed"
