#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --estimate: what it predicts of a source holds against the truth.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
requires python3
requires_codec zstd

# member FILE EXPRESSION: part of a JSON report.
member ()
{
  python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
print(eval(sys.argv[2], {"report": report}))' "$1" "$2"
}

# check SOURCE ARGUMENT...: the true size is within twice the interval, and
# the sample is what it says.
check ()
{
  local source=$1 size

  shift
  "$IOPRESS" save --estimate --json "$@" "$source" "$work/image" \
    >"$work/report.json"
  test ! -e "$work/image" || fail "--estimate wrote an image"
  "$IOPRESS" save "$@" "$source" "$work/image"
  size=$(stat -c %s "$work/image")
  rm "$work/image"
  member "$work/report.json" \
    "2 * report['image_size']['low'] - report['image_size']['value'] \
     <= $size <= \
     2 * report['image_size']['high'] - report['image_size']['value']" |
    grep -qx True || fail "$source: $size is far off $(cat "$work/report.json")"
  member "$work/report.json" "report['sampled'] <= report['windows']" |
    grep -qx True || fail "more windows sampled than there are"
}

# Windows of many kinds: text, noise and zeros in stretches of varying length.
python3 - "$work/source" <<'END'
import random, sys
generator = random.Random(7)
with open(sys.argv[1], "wb") as source:
    for window in range(1200):
        kind = generator.random()
        noise = generator.randbytes(int(65536 * max(0, min(1, kind))))
        text = b"%08x line of text\n" % window * 4000
        source.write((noise + text)[:65536])
    source.truncate(1200 * 65536 + (64 << 20))
END
check "$work/source" --chunk-size 64K
check "$work/source" --chunk-size 64K -c zstd:3 --format raw

# A sample of everything leaves nothing uncertain.
head -c 3000000 "$work/source" >"$work/small"
"$IOPRESS" save --estimate --json "$work/small" >"$work/report.json"
"$IOPRESS" save "$work/small" "$work/image"
test "$(member "$work/report.json" "report['image_size']['value']")" = \
     "$(stat -c %s "$work/image")" || fail "a full sample does not agree"

# What does not fit is said.
"$IOPRESS" save --estimate "$work/source" "$work/other" >"$work/text"
grep -q 'it fits' "$work/text" || fail "does not fit: $(cat "$work/text")"
test ! -e "$work/other" && test ! -e "$work/other.part"
