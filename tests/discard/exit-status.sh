#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The exit status of save --resume says what is known of SOURCE; what it begins
# anew is made as the command line says; what may be consumed and what may not.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/discard/common.sh"

requires python3
requires_codec zstd

cd "$work"
noise whole 2000000
cp whole s
status=0
(ulimit -f 1024; iopress save --discard --discard-batch 128K --chunk-size 64K \
   -c stored s image 2>stderr) || status=$?
test $status = 4 || fail "exit status $status: $(cat stderr)"
mv s half
truncate -s 2000000 hole

# 4 only when some of it is gone, or may be by what was read.
mkdir folder
for source in whole half hole; do
  case $source in
    whole) wanted=1 ;;
    *) wanted=4 ;;
  esac
  expect_exit $wanted iopress save --resume $source folder
  if [ $wanted = 1 ] && grep -q 'go on with' stderr; then
    fail "the advice of exit status 4"
  fi
  expect_exit 2 iopress save --resume -c none $source --chunk-size 5 folder/x
  expect_exit 2 iopress save --resume $source -
done
expect_exit 1 iopress save --resume missing image
expect_exit 1 iopress save --resume missing/source image
expect_exit 1 iopress save --resume folder image
mkfifo fifo
cat <>fifo >/dev/null &
reader=$!
expect_exit 2 iopress save --resume fifo image
kill $reader
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod 711 "$work"
  for source in whole half; do
    cp --sparse=always $source theirs
    chmod 0 theirs
    chown nobody theirs
    expect_exit 1 setpriv --reuid=nobody --clear-groups "$IOPRESS" save \
      --resume "$work/theirs" "$work/image"
    expect_message 'theirs: cannot be opened: Permission denied'
    rm -f theirs
  done
fi

# A link may lead to a file that is not meant.
cp whole s
ln -s s link
for verb in "save --discard" "save --resume --discard"; do
  # shellcheck disable=SC2086
  untouched s -- 2 iopress $verb link new
  expect_message 'link: is a symbolic link: with --discard name the file'
done
untouched half image.part -- 2 bash -c 'ln -sf half link &&
  exec "$IOPRESS" save --resume link image'
ln -sf s link
untouched s -- 0 iopress save link new
rm new

# A source that is changed while it is packed: the pipe stalls the run, which
# holds some 20 MiB at most.
noise long 40000000
mkfifo pipe
for source in s fd:3; do
  for change in 'printf x | dd of=s bs=1 seek=900 conv=notrunc' \
                'printf x | dd of=s bs=1 seek=39999000 conv=notrunc' \
                'touch -d 2001-01-01 s' 'truncate -s +1 s'; do
    cp long s
    "$IOPRESS" save -c stored -T serial $source - 3<s >pipe 2>stderr &
    run=$!
    exec 7<pipe
    head -c 10000 <&7 >begun
    bash -c "$change" 2>/dev/null
    cat <&7 >>begun
    exec 7<&-
    status=0
    wait $run || status=$?
    test $status = 1 || fail "exit status $status: $source, $change"
    grep -q ' was changed while it was packed; ' stderr ||
      fail "no word of it: $(cat stderr)"
    expect_exit 3 iopress verify begun
  done
done

rm long begun

# What is begun anew is made with the options of the command line.
id=00112233445566778899aabbccddeeff
save_file ()
{
  python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --preset libvirt-save \
    --xml-padding 64K s
}
is_as_asked ()
{
  iopress info --json new | python3 -c '
import json, sys
info = json.load(sys.stdin)
text = json.dumps(info)
for wanted in sys.argv[1:]:
    if wanted not in text:
        sys.exit(f"no {wanted} in {text}")' "$@" || fail "not as asked: $*"
}
for first in "" --discard; do
  for second in "" --discard; do
    save_file
    rm -f new new.part whole.image
    cp s kept
    # shellcheck disable=SC2086
    expect_exit 0 iopress save $first -c stored --chunk-size 64K s whole.image
    cp kept s
    head -c 200000 whole.image >new.part
    printf '<!-- edited -->' | dd of=s bs=1 seek=3000 conv=notrunc status=none
    cp s kept
    # shellcheck disable=SC2086
    expect_exit 0 iopress save --resume $second -c zstd:3 --chunk-size 128K \
      --image-id $id s new
    is_as_asked '"zstd"' '131072' "$id"
    if [ -n "$second" ]; then
      test "$(tr -d '\0' <s | wc -c)" = 0 || fail "not consumed as asked"
    else
      expect_same kept s
    fi
    expect_exit 0 iopress restore --force new r
    cmp -n 65000 kept r
    # What goes on is made as it was begun.
    rm -f new
    cp kept s
    head -c 200000 whole.image >new.part
    python3 -c 'import sys
data = open("kept", "rb").read(65000)
open("new.part", "r+b").write(data)'
    # shellcheck disable=SC2086
    expect_exit 0 iopress save --resume $second -c zstd:3 --chunk-size 128K \
      --image-id $id s new
    is_as_asked '"stored"' '65536'
  done
done
