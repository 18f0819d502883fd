#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a file system only tells when the output is flushed or closed, as network
# file systems do: exit status 1 and one line, whatever OUTPUT is.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

test -z "$VALGRIND" || skip "another library is preloaded"
inject=$abs_top_builddir/tests/faults/.libs/inject.so
test -f "$inject" || skip "tests/faults/inject.la has not been built"
make_raw "$work/source"
iopress save "$work/source" "$work/image"
mkdir "$work/out"

# lossy FAULT VERB [ARGUMENT...]: FAULT is met by what is below out.
lossy ()
{
  local fault=$1 verb=$2

  shift 2
  ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 \
    LD_PRELOAD=$inject IOPRESS_FAULT_FOLDER=$work/out IOPRESS_FAULT=$fault \
    "$abs_top_builddir/iopress" "$verb" --plugin-dir "$plugindir" \
    --sandbox=off "$@"
}

for fault in fdatasync:1:EIO close:1:EIO; do
  for verb in "save $work/source" "restore $work/image" "recover $work/image" \
              "restore --direct-io=off $work/image"; do
    for output in - fd:4 "$work/out/named"; do
      : >"$work/out/file"
      # shellcheck disable=SC2086
      expect_exit 1 lossy $fault $verb $output \
        >>"$work/out/file" 4<>"$work/out/file"
      test "$(grep -c '^iopress: ' "$work/stderr")" = 1 || fail "not one line"
      expect_message 'cannot be (flushed to disk|closed): Input/output error'
      expect_absent "$work/out/named" "$work/out/named.part"
    done
  done
done
# The first closes are those of the source.
for (( number = 1; number < 8; number++ )); do
  cp "$work/source" "$work/out/source"
  lossy close:$number:EIO save --replace "$work/out/source" 2>"$work/stderr" ||
    break
done
expect_message 'source.part: cannot be closed: Input/output error'
expect_same "$work/source" "$work/out/source"

# What is not asked for has nothing to lose.
iopress restore "$work/image" - | cmp - "$work/source"
iopress restore "$work/image" - >/dev/null

# Reports.
for verb in "info $work/image" "info --json $work/image" plugins; do
  # shellcheck disable=SC2086
  expect_exit 1 lossy close:1:EIO $verb >"$work/out/report"
  expect_one_line
  expect_message 'standard output cannot be written: Input/output error'
done
printf xx | dd of="$work/image" bs=1 seek=300000 conv=notrunc status=none
expect_exit 1 lossy close:1:EIO recover "$work/image" "$work/restored" \
  >"$work/out/report"
expect_one_line
