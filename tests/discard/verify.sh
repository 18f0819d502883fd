#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --discard decodes each record before its part of the source goes: a
# codec that does not give back what it was given costs nothing.
#
# With IOPRESS_SAMPLE=FILE it also measures what that costs on FILE.

. "${abs_top_srcdir:-../..}/tests/functions.sh"

requires python3
module=$abs_top_builddir/tests/discard/.libs/corrupt.so
test -f "$module" || skip "the test codec has not been built"

# A folder that the loader trusts.
mkdir -m 755 "$work/plugins"
install -m 644 "$module" "$work/plugins/corrupt.so"
cd "$work"

# The window number $2 of $1 is one that the codec spoils.
make_source ()
{
  python3 - "$1" "$2" <<'end'
import random, sys
r = random.Random(9)
windows = [r.randbytes(65536 - 100) + bytes(100) for _ in range(64)]
spoiled = int(sys.argv[2])
if spoiled >= 0:
    windows[spoiled] = b"CORRUPT" + windows[spoiled][7:]
with open(sys.argv[1], "wb") as file:
    file.write(b"".join(windows))
end
}

save ()
{
  "$IOPRESS" save --plugin-dir "$work/plugins" -c corrupt --chunk-size 64K \
    --discard-batch 128K "$@"
}

restore ()
{
  "$IOPRESS" restore --plugin-dir "$work/plugins" --force "$@"
}

for threads in 0 1 2; do
  # A codec as it should be, with and without verification.
  for options in "" --no-verify; do
    rm -f image
    make_source source -1
    cp source original
    # shellcheck disable=SC2086
    expect_exit 0 save -T "$threads" --discard $options source image
    expect_exit 0 restore image restored
    expect_same original restored
  done

  # The first window is spoiled: nothing has gone.
  rm -f image
  make_source source 0
  cp source original
  expect_exit 1 save -T "$threads" --discard source image
  expect_message "codec corrupt does not give back what it was given"
  expect_same original source
  test ! -e image && test ! -e image.part || fail "an image is left"

  # Nobody looks: that is what --no-verify means, and restore finds it.
  expect_exit 0 save -T "$threads" --discard --no-verify source image
  expect_exit 3 restore image restored

  # A later one: what has gone is in the image, the rest is there.
  rm -f image
  make_source source 50
  cp source original
  for resume in "" --resume; do
    # shellcheck disable=SC2086
    expect_exit 4 save -T "$threads" --discard $resume source image
    expect_message "does not give back .*iopress save --resume source image"
    cmp -s original source && fail "exit status 4, and the source is whole"
    test -s image.part || fail "exit status 4, and there is no image.part"
    cmp -i 3276800 original source ||
      fail "the spoiled window or what follows it has gone"
  done
  # With a codec that has been mended it goes on: here, without looking, on
  # a copy, to see that all but the spoiled window is there.
  expect_exit 0 save -T "$threads" --no-verify --resume source image
  expect_exit 3 restore image restored
  rm -f image
done

measure ()
{
  local sample=$1 run kind times

  for run in 1 2 3 4 5; do
    for kind in plain no-verify verify; do
      case $kind in
        plain) set -- ;;
        no-verify) set -- --discard --no-verify ;;
        verify) set -- --discard ;;
      esac
      rm -f image
      cp --sparse=always "$sample" source
      sync source
      times=$EPOCHREALTIME
      iopress save "$@" source image
      python3 -c "print(round($EPOCHREALTIME - $times, 3))" >>"$kind.times"
    done
  done
  for kind in plain no-verify verify; do
    echo "$kind: median $(sort -n "$kind.times" | sed -n 3p) s of" \
         "$(tr '\n' ' ' <"$kind.times")"
  done
}

test -z "$IOPRESS_SAMPLE" || measure "$IOPRESS_SAMPLE"
