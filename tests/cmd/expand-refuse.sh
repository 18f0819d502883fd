#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# expand leaves the image as it was, byte for byte: when it is damaged, when
# something foreign has the name of the aside, when it is in use, on a signal.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

id=00112233445566778899aabbccddeeff
file=$work/file
aside=$file.packed-00112233

make_mapped_ram "$work/ram" --expected "$work/expected" --libvirt save \
  --xml-padding 5K --block pc.ram=8M,dense --content random
iopress save --image-id $id --chunk-size 64K "$work/ram" "$work/image"
size=$(stat -c %s "$work/image")

# unchanged [IMAGE]: the file is the image, alone.
unchanged ()
{
  expect_same "${1:-$work/image}" "$file"
  expect_absent "$aside" "$aside.part"
}

# Damage, found at once, in the middle of the run or at its end.
for offset in $((size - 20)) 20000 $((size / 2)) $((size - 6000)); do
  cp "$work/image" "$work/damaged"
  printf '\0\377\0\377' |
    dd of="$work/damaged" bs=1 seek=$offset conv=notrunc status=none
  cp "$work/damaged" "$file"
  expect_exit 3 iopress expand "$file"
  expect_one_line
  expect_message "^iopress: $file: "
  unchanged "$work/damaged"
done
head -c $((size / 2)) "$work/image" >"$work/damaged"
cp "$work/damaged" "$file"
expect_exit 3 iopress expand "$file"
unchanged "$work/damaged"

# What stands under the names of the aside and is not ours.
cp "$work/image" "$file"
echo precious >"$work/precious"
iopress save --chunk-size 64K "$work/ram" "$work/namesake"
for name in "$aside" "$aside.part"; do
  for content in precious ram damaged namesake; do
    # The beginning of the image is what an interrupted run leaves.
    [ "$name-$content" != "$aside.part-damaged" ] || continue
    cp "$work/$content" "$name"
    cp "$name" "$work/before"
    expect_exit 1 iopress expand "$file"
    expect_message 'packed-00112233.*: is not a copy of the image: File exist'
    expect_same "$work/before" "$name"
    expect_same "$work/image" "$file"
    rm "$name"
  done
done
mkdir "$aside"
expect_exit 1 iopress expand "$file"
rmdir "$aside"
ln -s "$work/ram" "$aside.part"
expect_exit 1 iopress expand "$file"
rm "$aside.part"
unchanged

# What an interrupted run leaves, is.
head -c 300000 "$work/image" >"$aside.part"
iopress expand "$file"
expect_same "$work/expected" "$file"
expect_absent "$aside" "$aside.part"
cp "$work/image" "$file"
truncate -s 400000 "$aside.part"
iopress expand "$file"
expect_same "$work/expected" "$file"
cp "$work/image" "$file"
# The XML was edited after a run that was cut off in it.
head -c 4096 "$work/image" | sed 's/guest/GUEST/g' >"$aside.part"
! cmp -s -n 4096 "$work/image" "$aside.part" || fail "nothing was edited"
cp "$aside.part" "$work/prefix"
iopress expand "$file"
expect_same "$work/expected" "$file"
cp "$work/image" "$file"
# With anything else in it that is no part of the image it stays.
truncate -s 20000 "$work/prefix"
printf mine | dd of="$work/prefix" bs=1 seek=17000 conv=notrunc status=none
cp "$work/prefix" "$aside.part"
expect_exit 1 iopress expand "$file"
expect_message 'packed-00112233.*: is not a copy of the image: File exist'
expect_same "$work/prefix" "$aside.part"
rm "$aside.part"
unchanged
cp "$work/image" "$aside"
iopress expand "$file"
expect_same "$work/expected" "$file"
expect_absent "$aside" "$aside.part"

# The aside of an expanded file goes only when it holds nothing else.
cp "$work/image" "$aside"
iopress expand "$file"
expect_absent "$aside"
make_mapped_ram "$work/other" --libvirt save --xml-padding 5K \
  --block pc.ram=8M,dense --content random --seed 77
cp "$work/other" "$file"
cp "$work/image" "$aside"
iopress expand "$file" 2>"$work/stderr"
grep -q 'packed-00112233: does not belong to' "$work/stderr" ||
  fail "not told: $(cat "$work/stderr")"
expect_same "$work/image" "$aside"
expect_same "$work/other" "$file"
# Nor does it stand in the way of another image.
iopress save "$work/other" "$work/other-image"
cp "$work/other-image" "$file"
iopress expand -q "$file"
expect_same "$work/other" "$file"
expect_same "$work/image" "$aside"
rm "$aside"

# What stands there and is no aside at all is told of, and stays.
told_of ()
{
  cp "$work/other" "$file"
  iopress expand "$file" 2>"$work/stderr"
  expect_one_line
  expect_message "^iopress: $aside: .*; it stays"
  expect_same "$work/other" "$file"
  test -e "$aside" || test -L "$aside" || fail "it is gone"
  iopress expand -q "$file" 2>"$work/stderr"
  test ! -s "$work/stderr" || fail "not quiet"
  rm -r "$aside"
}
ln -s "$work/image" "$aside"
told_of
mkfifo "$aside"
told_of
mkdir "$aside"
told_of
ln "$work/image" "$aside"
told_of
cp "$work/precious" "$aside"
told_of
head -c $((size / 2)) "$work/image" >"$aside"
told_of
cp "$work/image" "$aside"
printf '\0\377\0\377' |
  dd of="$aside" bs=1 seek=$((size - 20)) conv=notrunc status=none
told_of
# Also of the second one.
cp "$work/precious" "$aside"
cp "$work/precious" "$file.packed-00112234"
iopress expand "$file" 2>"$work/stderr"
test "$(grep -c 'packed-0011223.: .*; it stays' "$work/stderr")" = 2 ||
  fail "not told of both: $(cat "$work/stderr")"
rm "$aside" "$file.packed-00112234"

# Killed, with an aside that is damaged since: what it has lost may be in FILE,
# so both stay as they are.  Without the damage the next run finishes it.
if strace -o /dev/null true 2>/dev/null; then
  for kill in ftruncate:signal=SIGKILL:when=2 \
              fsync,fdatasync:signal=SIGKILL:when=3; do
    cp "$work/image" "$file"
    strace -f -qq -o /dev/null -e inject="$kill" "$IOPRESS" expand "$file" ||
      :
    test -f "$aside" || fail "not killed in the middle"
    cp "$file" "$work/half"
    cp "$aside" "$work/whole"
    for offset in $((size / 2)) $((size - 20)); do
      printf '\0\377\0\377' |
        dd of="$aside" bs=1 seek=$offset conv=notrunc status=none
      cp "$aside" "$work/before"
      for i in 1 2; do
        expect_exit 3 iopress expand "$file"
        expect_one_line
        expect_message "$file[: ]"
        expect_message "$aside: .*both stay.*recover of each"
        expect_same "$work/half" "$file"
        expect_same "$work/before" "$aside"
      done
      cp "$work/whole" "$aside"
    done
    # Its marker has lost its magic.
    at=$(grep -obUa IOPRUNPK "$file" | head -n 1)
    printf 'x' | dd of="$file" bs=1 seek="${at%%:*}" conv=notrunc status=none
    iopress expand "$file"
    expect_same "$work/expected" "$file"
    expect_absent "$aside"
  done

  # Killed when FILE had all but its first sector behind the prefix, or even
  # that, and there was a second marker: nothing but the first record of the
  # aside is needed.
  make_mapped_ram "$work/odd" --expected "$work/odd-expected" --offset 449 \
    --block pc.ram=2M,dense --content random
  iopress save --image-id $id --chunk-size 64K "$work/odd" "$work/odd-image"
  odd_size=$(stat -c %s "$work/odd-image")
  for call in ftruncate:0 fsync,fdatasync:3; do
    cp "$work/odd-image" "$file"
    strace -qq -o "$work/log" -e "trace=${call%:*}" \
      "$IOPRESS" expand -T serial "$file"
    expect_same "$work/odd-expected" "$file"
    cp "$work/odd-image" "$file"
    last=$(($(wc -l <"$work/log") - ${call#*:}))
    strace -qq -o /dev/null -e "inject=${call%:*}:signal=SIGKILL:when=$last" \
      "$IOPRESS" expand -T serial "$file" || :
    test -f "$aside" || fail "not killed at the end"
    cp "$file" "$work/half"
    printf '\0\377\0\377' |
      dd of="$aside" bs=1 seek=$((odd_size / 2)) conv=notrunc status=none
    cp "$aside" "$work/before"
    iopress expand "$file" 2>"$work/stderr"
    expect_message "^iopress: $aside: .*; it stays"
    expect_same "$work/odd-expected" "$file"
    expect_same "$work/before" "$aside"
    # It is.
    cp "$work/half" "$file"
    printf '\0\377\0\377' |
      dd of="$aside" bs=1 seek=4200 conv=notrunc status=none
    expect_exit 3 iopress expand "$file"
    expect_same "$work/half" "$file"
    rm "$aside"
  done
else
  echo "not tried: strace is not there, or may not trace"
fi

# In use.
cp "$work/image" "$file"
python3 - "$file" "$IOPRESS" <<'PYTHON' || fail "expanded what is locked"
import fcntl, os, struct, subprocess, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))
done = subprocess.run([sys.argv[2], "expand", sys.argv[1]])
sys.exit(done.returncode != 1)
PYTHON
unchanged

# A signal, in the middle: the codec is slow enough.
if [ -f "$plugindir/xz.so" ]; then
  make_mapped_ram "$work/large" --expected "$work/large-expected" \
    --libvirt save --block pc.ram=24M,dense --content text
  iopress save -c xz:0 "$work/large" "$work/large-image"
  for signal in TERM HUP; do
    cp "$work/large-image" "$file"
    "$IOPRESS" expand -T 1 "$file" 2>"$work/stderr" &
    for (( i = 0; i < 500; i++ )); do
      test "$(stat -c %s "$file")" = "$(stat -c %s "$work/large-image")" ||
        break
      sleep 0.01
    done
    # It may have ended by now.
    kill -s $signal $! 2>/dev/null || :
    status=0
    wait $! || status=$?
    test $status -eq 5 || test $status -eq 0 || fail "exit status $status"
    test $status -eq 0 || expect_same "$work/large-image" "$file"
    iopress expand "$file"
    expect_same "$work/large-expected" "$file"
    test "$(cd "$work" && echo file*)" = file || fail "something is left"
  done
fi
