# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# One codec through every number of threads and kind of source.  Sourced by
# round-trip-CODEC.sh after functions.sh and common.sh.

image_id=0123456789abcdef0123456789abcdef

# make_source KIND: work/source and work/expected, what must come back.
make_source ()
{
  case $1 in
    raw)
      make_raw "$work/source"
      cp --sparse=always "$work/source" "$work/expected" ;;
    bare)
      make_mapped_ram "$work/source" --expected "$work/expected" \
        --stale 0.2 --zero-set 0.1 --size 6M ;;
    libvirt)
      make_mapped_ram "$work/source" --expected "$work/expected" \
        --libvirt save --commands 2 --stale 0.2 --size 6M ;;
  esac
}

# try_threads CODEC KIND THREADS
try_threads ()
{
  local options="-c $1 -T $3 --chunk-size 256K --image-id $image_id"

  # shellcheck disable=SC2086
  iopress save --force $options "$work/source" "$work/image"
  if test -e "$work/first"; then
    expect_same "$work/first" "$work/image"
  else
    cp "$work/image" "$work/first"
  fi
  iopress verify -T "$3" "$work/image"
  iopress restore --force -T "$3" "$work/image" "$work/restored"
  expect_same "$work/expected" "$work/restored"

  # The same bytes through pipes.
  # shellcheck disable=SC2086
  iopress save $options "$work/source" - | cmp - "$work/first"
  iopress restore -T "$3" - - < <(cat "$work/image") | cmp - "$work/expected"
  iopress restore --force -T "$3" - "$work/restored" < <(cat "$work/image")
  expect_same "$work/expected" "$work/restored"
  iopress verify -T "$3" - < <(cat "$work/image")
}

# round_trip CODEC
round_trip ()
{
  local kind threads

  test "$1" = stored || requires_codec "${1%%:*}"
  for kind in raw bare libvirt; do
    make_source $kind
    rm -f "$work/first"
    for threads in serial 1 2 4; do
      echo "$1, $kind, $threads" >&2
      try_threads "$1" $kind $threads
    done
  done
}
