#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# plugins lists every codec that was built, as text and as JSON.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
iopress plugins >"$work/text"
iopress plugins --json >"$work/json"
python3 - "$work" "$plugindir" <<'PYTHON'
import glob, json, os, sys

work, folder = sys.argv[1:]
listed = json.load(open(f"{work}/json"))["plugins"]
built = sorted(os.path.basename(path)[:-3]
               for path in glob.glob(folder + "/*.so"))
assert sorted(plugin["name"] for plugin in listed) == built, (listed, built)
lines = open(f"{work}/text").read().splitlines()
assert lines[0].split() == ["NAME", "VERSION", "LEVELS", "DEFAULT", "PATH"]
rows = {line.split()[0]: line.split() for line in lines[1:]}
levels = {"zstd": (-7, 19), "lz4": (-9, 12), "xz": (0, 9)}
for plugin in listed:
    name = plugin["name"]
    assert os.path.samefile(plugin["path"], f"{folder}/{name}.so"), plugin
    assert (plugin["level_min"], plugin["level_max"]) == levels[name], plugin
    assert plugin["level_min"] <= plugin["level_default"] <= plugin["level_max"]
    assert plugin["version"][0].isdigit(), plugin
    row = rows[name]
    assert row[1] == plugin["version"] and row[-1] == plugin["path"], row
    assert "".join(row[2:-2]).startswith(f"{levels[name][0]}.."), row
PYTHON

# What -c can say to one of them.
requires_codec zstd lz4 xz
iopress plugins zstd >"$work/zstd"
grep -qx 'levels: -7..19, auto, default 1' "$work/zstd"
grep -qx 'frames known: yes' "$work/zstd"
grep -qE '^  long=10\.\.27 +[a-z]' "$work/zstd"
iopress plugins xz >"$work/xz"
grep -qx 'levels: 0..9, default 6' "$work/xz"
iopress plugins lz4 | grep -qx 'parameters: none'
iopress plugins --json zstd >"$work/zstd.json"
iopress plugins --json xz >"$work/xz.json"
python3 - "$work" <<'PYTHON'
import json, sys

zstd, = json.load(open(sys.argv[1] + "/zstd.json"))["plugins"]
xz, = json.load(open(sys.argv[1] + "/xz.json"))["plugins"]
assert zstd["auto"] and zstd["knows_frames"] and not xz["auto"], (zstd, xz)
integer, = zstd["parameters"]
assert integer.pop("help")
assert integer == {"key": "long", "type": "integer", "minimum": 10,
                   "maximum": 27}, integer
flag, = xz["parameters"]
assert flag.pop("help")
assert flag == {"key": "extreme", "type": "flag"}, flag
PYTHON
expect_exit 1 iopress plugins nowhere
expect_message 'nowhere\.so: cannot open the codec plugin'

# A file there that is no plugin is reported and does not hide the others.
mkdir -m 755 "$work/plugins"
cp "$plugindir"/*.so "$work/plugins/"
echo nonsense >"$work/plugins/broken.so"
chmod 755 "$work/plugins"/*.so
chmod 755 "$work"
"$abs_top_builddir/iopress" plugins --plugin-dir "$work/plugins" \
  >"$work/out" 2>"$work/err" || fail "a broken plugin fails the list"
test "$(wc -l <"$work/out")" -eq "$(wc -l <"$work/text")" || fail "others gone"
grep -q 'broken\.so' "$work/err" || fail "the broken one is not named"

# A version that goes on with a date, is long, or cannot be shown leaves the
# columns as they are; all of it is shown where there is room.
. "$abs_top_srcdir/tests/plugins/common.sh"
rm -rf "$work/plugins"
make_plugins foreign
for name in dated long mute; do
  cp "$abs_top_builddir/tests/plugins/.libs/versions.so" \
    "$work/plugins/$name.so"
done
with_plugins plugins >"$work/out"
python3 - "$work/out" <<'PYTHON'
import sys

lines = open(sys.argv[1]).read().splitlines()
rows = {line.split()[0]: line.split() for line in lines[1:]}
assert rows["dated"][1] == "1.0.8", rows
assert rows["long"][1] == "1.2.3-rc4+git20260101", rows
assert rows["mute"][1] == "unknown", rows
assert len({line.index("/") for line in lines[1:]}) == 1, lines
assert all(line[lines[0].index("LEVELS") - 1] == " " for line in lines), lines
PYTHON
with_plugins plugins dated | grep -qx 'version: 1.0.8, 13-Jul-2019'
with_plugins plugins --json mute | grep -q '"version": *"unknown"'
