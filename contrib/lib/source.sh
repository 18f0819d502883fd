# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The files of a checkout or of an unpacked tarball.  Sourced by bash scripts.

# source_list TOP: their names, tracked or not yet, sorted, one a line.
source_list ()
{
  local file

  {
    git -C "$1" ls-files -z --cached --others --exclude-standard 2>/dev/null ||
      (cd "$1" && find . -name .git -prune -o -type f -printf '%P\0')
  } | while IFS= read -r -d '' file; do
    if test -e "$1/$file"; then
      printf '%s\n' "$file"
    fi
  done | sort
}

# source_copy TOP FOLDER: copies them.
source_copy ()
{
  mkdir "$2"
  source_list "$1" | tar -C "$1" -T - -cf - | tar -C "$2" -xf -
}
