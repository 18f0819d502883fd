#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# info --json against the layout that the maker of the file knows.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
for preset in libvirt-save libvirt-part offset plain many-blocks long-names \
              big-pages ignore-shared everything no-ram zero-set all-set; do
  make_mapped_ram --preset $preset "$work/source" --layout "$work/layout"
  iopress save --force "$work/source" "$work/image"
  iopress info --json "$work/image" >"$work/json"
  python3 - "$work" $preset <<'PYTHON'
import json, os, sys

work, preset = sys.argv[1:]
layout = json.load(open(f"{work}/layout"))
info = json.load(open(f"{work}/json"))

def same(what, found, wanted):
    assert found == wanted, f"{preset}: {what} is {found!r}, not {wanted!r}"

same("kind", info["kind"], "mapped-ram")
same("prefix", info["prefix_size"], layout["stream_offset"])
same("source", info["source_size"], layout["size"])
same("source", info["source_size"], os.path.getsize(f"{work}/source"))
same("image", info["image_size"], os.path.getsize(f"{work}/image"))
same("machine", info["machine"], layout["machine"])
same("domain", info.get("domain"), layout.get("domain"))
same("data", info["data_size"], 4096 * info["pages"])
same("ratio", round(info["ratio"], 6),
     round(info["data_size"] / info["image_size"], 6))
same("blocks", len(info["ram_blocks"]), len(layout["blocks"]))
for found, wanted in zip(info["ram_blocks"], layout["blocks"]):
    name = wanted["name"]
    same("name", found["name"], name)
    same(f"size of {name}", found["size"], wanted["used_bytes"])
    same(f"ignored of {name}", found["ignored"], wanted["ignored"])
    if wanted["ignored"]:
        continue
    same(f"page size of {name}", found["page_size"], wanted["page_bytes"])
    same(f"pages of {name}", found["pages"], wanted["page_count"])
    same(f"present of {name}", found["present_pages"],
         wanted["present_count"])
    same(f"offset of {name}", found["pages_offset"], wanted["pages_offset"])
PYTHON
done
