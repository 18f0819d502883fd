#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# contrib/bench/bench measures small data and writes its reports.  No figure is
# held against anything here: the machine may be busy.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires python3 cc
requires_codec zstd lz4

bench ()
{
  TMPDIR=$work "$abs_top_srcdir/contrib/bench/bench" \
    --build "$abs_top_builddir" \
    --size 8 --rounds 1 --output "$work/reports" "$@"
}

bench --only save-hot --only save-cold --only restore-hot --only discard \
  >"$work/printed" 2>"$work/progress" ||
  fail "it fails: $(cat "$work/progress")"
expect_same "$work/printed" "$work/reports/bench.txt"
for line in 'save zstd:1 hot, wall, against zstd -1 -T2 ' \
            'image size against zstd -1 on the whole file ' \
            'peak memory, save zstd:1 -T2 .* at most 64 MiB' \
            'reader, CPU per GiB .* not measured$' \
            'iopress zstd:1 ' 'iopress --discard --no-verify ' \
            'cp --sparse=always '; do
  grep -q -e "^$line" "$work/printed" || fail "no line: $line"
done
grep -q '^| iopress zstd:1 | [0-9.]* |' "$work/reports/bench.md" ||
  fail "no table in Markdown"

python3 - "$work/reports" <<'PYTHON'
import json
import sys
import xml.etree.ElementTree

folder = sys.argv[1]
chart = xml.etree.ElementTree.parse(f"{folder}/bench.svg").getroot()
assert chart.tag == "{http://www.w3.org/2000/svg}svg", chart.tag
bars = [part for part in chart if part.tag.endswith("rect")]
with open(f"{folder}/bench.json", encoding="utf-8") as file:
    report = json.load(file)
measured = [one for one in report["figures"] if one["value"] is not None]
assert len(bars) == len(measured) + 1, (len(bars), len(measured))
for group in ("save-hot", "save-cold", "restore-hot", "discard"):
    for tool, samples in report["samples"][group].items():
        assert len(samples) == 1, (group, tool)
        assert samples[0]["wall"] > 0 and samples[0]["size"] > 0, tool
PYTHON

# The same data every time.
python3 - "$abs_top_srcdir/contrib/bench" "$work" <<'PYTHON'
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import bench_data

texts = []
for name in ("one", "two"):
    bench_data.synthetic(f"{sys.argv[2]}/{name}", 1 << 20)
    with open(f"{sys.argv[2]}/{name}", "rb") as file:
        texts.append(file.read())
assert texts[0] == texts[1] and len(texts[0]) == 1 << 20
PYTHON

# A program that does not work is an error, whatever the figures.
mkdir -p "$work/broken/plugins/.libs"
# The script is to see its own argument.
# shellcheck disable=SC2016
printf '#!/bin/sh\ntest "$1" != save\n' >"$work/broken/iopress"
chmod 755 "$work/broken/iopress"
status=0
TMPDIR=$work "$abs_top_srcdir/contrib/bench/bench" --build "$work/broken" \
  --size 1 --rounds 1 --only save-hot --output "$work/broken/reports" \
  >/dev/null 2>"$work/stderr" || status=$?
test $status = 1 || fail "a broken program gives exit status $status"
grep -q '^bench: iopress zstd:1: .*exit status 1' "$work/stderr" ||
  fail "it does not say what broke: $(cat "$work/stderr")"
