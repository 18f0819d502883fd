#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is written to the mount is read back, there and from the image: random
# operations against a plain file, several processes at a time.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

requires_codec zstd lz4

model ()
{
  python3 "$abs_top_srcdir/tests/mount/model.py" "$mnt/$1" "$work/$1" "$@"
}

# check_image NAME: the store holds what was written; what ends within libvirt's
# header is no image.
check_image ()
{
  if test "$(head -c 16 "$store/$1" | tr -d '\0')" != "" &&
     iopress info "$store/$1" >/dev/null 2>&1; then
    iopress verify "$store/$1"
    iopress restore --force "$store/$1" "$work/restored"
    expect_same "$work/restored" "$work/$1"
    images=$((images + 1))
  else
    expect_same "$store/$1" "$work/$1"
  fi
}

# run_models OPTIONS SIZE OPERATIONS SEED...: one process each.
run_models ()
{
  local options=$1 size=$2 operations=$3 seed processes=()

  shift 3
  # They are separate words.
  # shellcheck disable=SC2086
  mounted $options
  for seed in "$@"; do
    model "$seed" "$operations" "$size" &
    processes+=($!)
  done
  for seed in "${processes[@]}"; do
    wait "$seed" || fail "$options: $(tail -n 5 "$work/log")"
  done
  unmounted
  for seed in "$@"; do
    check_image "$seed"
  done
}

images=0
run_models "-T 2" 20000000 100 1 2 3
run_models "-c lz4 --chunk-size 64K --memory 1200K -T 1" 3000000 150 4 5
run_models "-c stored -o pack=now,chunk-size=256K,memory=8M" 9000000 100 6 7
run_models "-c zstd:3 --chunk-size 4M" 30000000 40 8
run_models "-c zstd:1 --chunk-size 16M" 70000000 20 9
test "$images" -ge 6 || fail "only $images images came of it"
! grep -v -E ' in .* packed (at once|in the background)' "$work/log" ||
  fail "messages: $(cat "$work/log")"
