#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# plugin-check: what is right passes, and each flaw is found, by the check that
# is about it.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/plugins/common.sh"

# Children have limits that valgrind does not live with.
test -z "$VALGRIND" || skip "not under valgrind"
requires_codec zstd lz4

make_plugins foreign version-1
# A slow one to compare with takes its time.
rm -f "$work/plugins/xz.so"
mkdir -m 755 "$work/flawed"

# plugin_check PLUGIN.so [OPTION...]: its standard output is in $work/tap.
plugin_check ()
{
  local plugin=$1

  shift
  with_plugins plugin-check "$@" "$plugin" >"$work/tap"
}

# passes PLUGIN.so [OPTION...]
passes ()
{
  plugin_check "$@" || fail "$1 does not pass: $(cat "$work/tap")"
  if grep -q '^not ok\|^Bail out' "$work/tap"; then
    fail "$1: $(cat "$work/tap")"
  fi
}

# All of it, numbered and as many as announced.  A plugin without the optional
# members passes, too.
for plugin in foreign version-1; do
  passes "$work/plugins/$plugin.so"
  head -n 1 "$work/tap" | grep -qx 'TAP version 13'
  planned=$(sed -n 's/^1\.\.//p' "$work/tap")
  test "$planned" -eq "$(grep -c '^ok ' "$work/tap")"
  grep -q "^ok $planned - speed" "$work/tap"
done
grep -q '^ok [0-9]* - set-level: .* # SKIP ' "$work/tap"
grep -qE '^# memory: .*[;,] lz4 [0-9]+ KiB' "$work/tap"
grep -qE '^# speed: .*MiB/s.*[;,] lz4 ' "$work/tap"

# The manual page describes each check.
sed -n 's/^\.It Cm \([a-z]\)/\1/p' \
  "$abs_top_srcdir/docs/iopress-plugin-check.1" |
  tr -d ' ' | tr , '\n' | sort >"$work/described"
sed -n 's/^ok [0-9]* - \([a-z-]*\):.*/\1/p' "$work/tap" | sort >"$work/known"
diff "$work/known" "$work/described" >&2 || fail "checks are not described"

# bites FLAW CHECK MESSAGE [MODULE]
bites ()
{
  local plugin="$work/flawed/$1.so"

  cp "$abs_top_builddir/tests/plugins/.libs/${4:-flawed}.so" "$plugin"
  chmod 755 "$plugin"
  expect_exit 1 plugin_check "$plugin" --only "$2"
  expect_message "$1\\.so: .*"
  grep -q "^not ok 1 - $2: " "$work/tap" ||
    fail "$1 is not caught by $2: $(cat "$work/tap")"
  grep -qE "^# $2: .*$3" "$work/tap" ||
    fail "$1: not \"$3\" but $(cat "$work/tap")"
}

# A sanitizer sees a crash come, and has an exit status of its own.
crash='(crashed|ended the process)'
bites dies-at-once load "$crash in a constructor or iopress_codec_entry"
bites no-decompress load 'must have a .decompress function'
bites null load 'its iopress_codec_entry returns NULL' variant
bites nameless load '\.struct_size of 8 has no room for .name' variant
bites wrong-distance load '\.parameter_size is 1073741824' variant
bites same-key load 'parameter 2 a .key of its own'
bites no-version values '\.version does not give'
bites falling-bound values '\.bound of 4097 bytes, .* less than'
bites refuses parameters '"fast" is described and refused: .*: no'
bites worst-level parameters 'gave other bytes'
bites says-nothing parameters 'wrote no line'
bites loses-a-byte round-trips 'gave other bytes'
bites exits round-trips 'ended the process in .compress, 4096 bytes'
bites writes-input round-trips "$crash in .compress"
bites reads-on round-trips "$crash in .compress"
bites no-last-level levels '\.compress of 65536 bytes failed'
bites reads-up levels '\.decompress of a frame .* failed'
bites one-chunk large '\.open gave no context .* chunks of 131072 bytes'
bites small-only large '\.compress of 2097152 bytes failed'
bites loses-at-large large 'gave other bytes'
bites tight-bound incompressible 'no room in the [0-9]* of .bound'
bites tight-at-large incompressible 'of 16777216 bytes finds no room'
bites writes-on exact-room "$crash in .compress"
bites writes-before exact-room 'wrote beside its output'
bites fails-no-room no-room 'returned -1, not IOPRESS_CODEC_NO_ROOM'
bites cuts-short no-room 'returned 0, not IOPRESS_CODEC_NO_ROOM'
bites counts repeats 'another frame'
bites wants-alignment repeats 'when they stand elsewhere'
bites tells-time repeats 'another frame'
bites asks-variables repeats 'without its environment'
bites tells-pid repeats 'in another process'
bites last-level contexts 'contexts of other levels'
bites counts-contexts contexts 'another frame when there are .*contexts'
bites shares threads 'while other threads are at work'
bites races threads 'when all threads begin at once'
bites keeps-level set-level 'after .set_level'
bites forgets-level set-level 'after .set_level'
bites knows-all is-frame 'for a frame'
bites knows-none is-frame 'does not know a frame of level'
bites dies-on-frame is-frame "$crash in .is_frame"
bites bad-text errors "$crash in .error_text"
bites two-lines errors '\.error_text .* not give a line of ASCII'
bites accepts-cut truncated 'accepts a frame that ends early'
bites accepts-tail lengths 'accepts a byte behind the frame'
bites trusts damaged "$crash in .decompress"
bites reads-before damaged "$crash in .decompress"
bites leaves-bytes damaged 'leaves bytes of its output'
bites hangs repeats 'hangs in .decompress, a frame of 64 bytes'
bites prints process 'prints "compressing'
bites opens-files process 'descriptors'
bites version-opens process 'descriptors'
bites takes-signals process 'signals'
bites sets-variables process 'the environment is not what it was'
bites closes-unused process "$crash in .close"
bites rounds process 'numbers are rounded otherwise'
bites sets-limits process 'limits or priority'
if grep -q '^#define SANITIZED' "$abs_top_builddir/src/config.h"; then
  echo "not with a sanitizer: leaks, memory, speed, the stack" >&2
else
  bites fleeting-text errors '\.error_text .* not give a line of ASCII'
  bites forgets-to-set repeats 'another frame|memory that was never written'
  bites uses-stack repeats 'another frame'
  bites leaks leaks 'memory leaks: .* of .open to .close'
  bites leaks-calls leaks 'memory leaks'
  bites leaks-pages leaks 'mappings leak'
  bites leaks-level leaks 'memory leaks'
  bites leaks-version leaks 'memory leaks'
  bites leaks-threads leaks 'memory leaks: .* of threads'
  bites keeps-text leaks 'memory leaks'
  bites believes-sizes damaged 'takes [0-9]* KiB of memory'
  bites hoards memory 'a context takes'
  bites hoards-a-while memory 'a context takes'
  bites slow speed 'decompresses [0-9.]*, others do'
fi

# --sandbox=on is refused where codecs cannot be confined.
iopress info --sandbox=on /dev/null 2>"$work/why" || :
if grep -q -e --sandbox=on "$work/why"; then
  echo "no codec can be confined here" >&2
else
  bites asks confined '\.compress calls (access|faccessat2?), which iopress'
  bites reads-in-open confined '\.open calls open(at)?, which iopress denies'
fi

# Pages can be those of a guest, wherever they stand in its save file.
truncate -s 300M "$work/guest"
for page in 3 40000 76799; do
  printf 'of guest' |
    dd of="$work/guest" bs=4096 seek=$page conv=notrunc status=none
done
cp "$work/flawed/reads-on.so" "$work/flawed/fails-guests.so"
passes "$work/flawed/fails-guests.so" --only round-trips
expect_exit 1 plugin_check "$work/flawed/fails-guests.so" --only round-trips \
  --pages "$work/guest"
grep -q '^# round-trips: \.compress of .* failed' "$work/tap" ||
  fail "no page of the guest: $(cat "$work/tap")"
passes "$work/plugins/foreign.so" --only levels --pages="$work/guest"
truncate -s 0 "$work/guest"
truncate -s 300M "$work/guest"
expect_exit 3 plugin_check "$work/plugins/foreign.so" --pages "$work/guest"
expect_message 'guest: has no page that is not zero'
mkfifo "$work/pipe"
expect_exit 2 plugin_check "$work/plugins/foreign.so" --pages "$work/pipe"
expect_message 'is not seekable, as FILE of --pages must be'

# As the loader would not take it, so it is not checked.
ln -s foreign.so "$work/plugins/link.so"
expect_exit 1 plugin_check "$work/plugins/link.so"
grep -q '^Bail out' "$work/tap"
grep -q 'regular file' "$work/tap"
chmod 777 "$work/flawed"
expect_exit 1 plugin_check "$work/flawed/hoards.so"
grep -q 'writable by others' "$work/tap"
expect_exit 2 plugin_check "$work/plugins/foreign"
expect_message 'not the path of a plugin'
expect_exit 2 plugin_check "$work/plugins/foreign.so" --only nothing
expect_message 'no check "nothing"'
