#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What may be all there is of a source is never begun anew, cut or written over:
# not by --resume, whatever has become of image and source, and not by packing
# what is left of a source once more.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/discard/common.sh"

requires python3
requires_codec zstd

cd "$work"
size=2000000
options=(--chunk-size 64K -c stored)
noise a $size 1
noise b $size 2

# pack SOURCE IMAGE [OPTION...]: from a copy of SOURCE, s.
pack ()
{
  rm -f s "$2" "$2.part"
  cp "$1" s
  expect_exit 0 iopress save "${options[@]}" "${@:3}" s "$2"
}

# What is refused names a way that loses nothing.
to_recover ()
{
  expect_message '; .*iopress recover saves what is whole'
}

# A finished image with a bad record, its source one hole: by every name, with
# what helped before, and with zeros in the place of the holes.
head -c $size /dev/zero >zeros
truncate -s $size hole
for at in 5000 1000000 1990000; do
  pack a image --discard
  spoil image $at
  expect_exit 3 iopress verify image
  if grep -q resume stderr; then
    fail "verify sends to --resume"
  fi
  to_recover
  for source in s zeros hole; do
    for more in "" --force --discard; do
      # shellcheck disable=SC2086
      untouched image $source -- 3 iopress save --resume $more $source image
      to_recover
    done
    untouched image $source -- 3 iopress save --resume fd:3 fd:4 \
      3<>$source 4<>image
    to_recover
  done
  cp image new.part
  untouched new.part s -- 3 iopress save --resume s new
  to_recover
  rm new.part
done
expect_exit 3 iopress recover image saved
rm -f saved

# Another guest's save of the same size, and the image's own source, too.
for at in 5000 1000000; do
  for discard in "" --discard; do
    # shellcheck disable=SC2086
    pack a image $discard
    spoil image $at
    cp image new.part
    for source in b a; do
      cp $source s
      untouched s image -- 3 iopress save --resume s image
      expect_message 'image: is a finished image, and damaged; '
      untouched s image -- 3 iopress save --resume fd:3 fd:4 3<>s 4<>image
      untouched s new.part -- 3 iopress save --resume s new
    done
    rm new.part
  done
done

# Its index, or its footer.  A file without footer may be unfinished, but not under
# the final name.
pack a image --discard
last=$(stat -c %s image)
for at in $((last - 200)) $((last - 50)) $((last - 3)); do
  pack a image --discard
  spoil image "$at"
  for source in s a; do
    untouched image -- 3 iopress save --resume $source image
    to_recover
  done
  # All of the records are there and the source is not: nothing can be made of it.
  untouched s image -- 3 iopress save --resume fd:3 fd:4 3<>s 4<>image
done

# What a run left unfinished: the last records are whole, the first is not.
unfinished ()
{
  rm -f image new new.part
  # shellcheck disable=SC2086
  pack a image $1
  head -c 1500000 image >new.part
  cp a s
}
for discard in "" --discard; do
  unfinished "$discard"
  spoil new.part 5000
  for source in b hole zeros; do
    untouched $source new.part -- 3 iopress save --resume $source new
    to_recover
    untouched $source new.part -- 3 iopress save --resume fd:3 fd:4 \
      3<>$source 4<>new.part
  done
  # Its marker is lost, and its head is there again.
  python3 -c 'import sys
data = open("a", "rb").read()
open("s", "wb").write(data[:4096] + bytes(800000) + data[804096:])'
  untouched s new.part -- 3 iopress save --resume s new
  expect_message 's: is not the source of new.part: bytes'
  # What is proven to have all that goes is gone on with.
  cp a s
  expect_exit 0 iopress save --resume s new
  expect_exit 0 iopress restore --force new r
  expect_same a r
  unfinished "$discard"
  spoil new.part 700000
  expect_exit 0 iopress save --resume s new
  expect_exit 0 iopress restore --force new r
  expect_same a r

  # Under the final name it is no file for --resume, until it has the right one.
  unfinished "$discard"
  mv new.part new
  untouched s new -- 3 iopress save --resume s new
  expect_message 'unfinished under the name .*; .*OUTPUT.part'
  mv new new.part
  expect_exit 0 iopress save --resume s new
  expect_exit 0 iopress restore --force new r
  expect_same a r

  # Without its file header nobody knows whose records these are.
  unfinished "$discard"
  spoil new.part 40
  untouched s new.part -- 3 iopress save --resume s new
  to_recover
  dd if=/dev/zero of=new.part bs=4096 count=1 conv=notrunc status=none
  untouched s new.part -- 3 iopress save --resume s new
  untouched s new.part -- 3 iopress save --resume fd:3 fd:4 3<>s 4<>new.part
done
echo precious >new.part
untouched s new.part -- 3 iopress save --resume s new
# But where no record can have been written yet, none is lost.
: >new.part
expect_exit 0 iopress save --resume s new
expect_exit 0 iopress verify new
rm new
truncate -s 4M new.part
expect_exit 0 iopress save --resume s new
expect_exit 0 iopress verify new
rm new

# A marker that says more than the image has, or that cannot be read.
half ()
{
  local status=0

  rm -f s image image.part
  cp a s
  (ulimit -f 1024; iopress save --discard --discard-batch 128K \
     "${options[@]}" s image 2>stderr) || status=$?
  test $status = 4 || fail "exit status $status: $(cat stderr)"
}
half
cp --sparse=always s half
cp image.part half.part
spoil image.part 5000
untouched s image.part -- 3 iopress save --resume s image
to_recover
cp half.part image.part
cp half s
spoil s 50
untouched s image.part -- 3 iopress save --resume s image
expect_message 's: was partly moved .* marker .* damaged; '
untouched s -- 3 iopress save s other
expect_message 's: was partly moved .* marker .* damaged; '
# One that says less: the source has the rest.
cp half s
python3 - <<'end'
data = open("image.part", "rb").read()
open("image.part", "wb").write(data + bytes(100) + data[200000:900000])
end
expect_exit 0 iopress save --resume s image
expect_exit 0 iopress restore --force image r
expect_same a r
# Something was appended to it: no advice to cut what may be another file.
cp half s
cp half.part new.part
echo more >>s
untouched s new.part -- 3 iopress save --resume s new
expect_message '2000005 bytes'
if grep -q truncate stderr; then
  fail "--resume advises to cut the source"
fi

# The source is consumed, or was never filled: it takes no image's place.
rm -f new new.part
pack a image --discard
: >nothing
for source in s hole zeros nothing; do
  for more in "" --discard "--format raw" "-c stored" --exact "-T serial"; do
    # shellcheck disable=SC2086
    untouched image -- 3 iopress save --force $more $source image
    expect_message "$source: holds nothing: .*; look for its image"
    # shellcheck disable=SC2086
    untouched image -- 3 iopress save $more fd:3 fd:4 3<>$source 4<>image
  done
  untouched image -- 3 iopress save $source - 1<>image
  untouched image -- 3 iopress save --force fd:3 image 3<$source
  # Nor a left-over one's, also not that of what is not recognised any more.
  for damage in none head; do
    head -c 1000000 image >new.part
    test $damage = none || spoil new.part 40
    untouched new.part -- 3 iopress save $source new
    untouched new.part -- 3 iopress save --force $source new
  done
  rm new.part
done
# Nor does one that somebody has written a byte to since.
python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --libvirt save \
  --block pc.ram=2M,random guest
cp guest kept
iopress save --discard guest packed
printf x | dd of=guest bs=1 seek=70000 conv=notrunc status=none
untouched packed -- 3 iopress save --force guest packed
expect_message "guest: is no save, .* that packed has; keep that image"
untouched packed -- 3 iopress save guest fd:4 4<>packed
# But another save of the same size does.
iopress save --force kept packed
iopress restore --force packed r
expect_same kept r
rm guest kept packed r
cp hole new
head -c 1000000 image >new.part
untouched new new.part -- 3 iopress save --replace new
rm new new.part
# Another name it may have.
for source in hole zeros nothing; do
  expect_exit 0 iopress save $source new
  rm new
  : >new
  expect_exit 0 iopress save fd:3 fd:4 3<$source 4<>new
  expect_exit 0 iopress restore --force new r
  expect_same $source r
  rm new
done

# Half of an only copy, named as OUTPUT or open as its descriptor, makes room for
# nothing.
half
cp --sparse=always s half
mv image.part begun
rm -f half.part
cp half magic
spoil magic 3
cp half rest
spoil rest 50
cp b other
pack b B
to_output ()
{
  iopress "${@:2}" 1<>"$1"
}
for taken in half magic rest begun; do
  case $taken in
    begun) hint='iopress save --resume goes on with it' ;;
    *) hint='keep it: the rest of it is in an image; move it away' ;;
  esac
  for verb in "recover B" "restore B" "save other" "save --discard other"; do
    # shellcheck disable=SC2086
    untouched $taken other B -- 1 iopress ${verb/ / --force } $taken
    expect_message "$taken: left over .*: File exists; $hint"
    # shellcheck disable=SC2086
    untouched $taken other B -- 1 iopress ${verb% *} fd:3 fd:4 \
      3<>${verb##* } 4<>$taken
    expect_message "fd:4: left over .*: File exists; $hint"
  done
  # Standard output is a descriptor, too.
  untouched $taken B -- 1 to_output $taken restore B -
  expect_message "standard output: left over .*: File exists; $hint"
  untouched $taken B -- 1 to_output $taken recover B -
  untouched $taken other -- 1 to_output $taken save other -
done
# Also when the descriptor is for writing only.
write_only ()
{
  python3 -c 'import os, sys
os.dup2(os.open(sys.argv[1], os.O_WRONLY), 4)
os.execv(sys.argv[2], sys.argv[2:])' "$1" "$IOPRESS" "${@:2}"
}
untouched half -- 1 write_only half restore B fd:4
untouched begun -- 1 write_only begun restore B fd:4
# What cannot be looked at may be that.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  as_nobody ()
  {
    setpriv --reuid=nobody --clear-groups "$IOPRESS" "$@"
  }
  as_nobody_write_only ()
  {
    python3 -c 'import os, sys
os.dup2(os.open(sys.argv[1], os.O_WRONLY), 4)
os.dup2(4, 1)
os.execvp("setpriv", ["setpriv", "--reuid=nobody", "--clear-groups",
                      *sys.argv[2:]])' "$1" "$IOPRESS" "${@:2}"
  }
  chmod 711 "$work"
  mkdir theirs
  chmod 777 theirs
  cp --sparse=always half begun theirs
  chmod 600 theirs/*
  chmod 644 a B
  for taken in half begun; do
    for output in fd:4 -; do
      untouched theirs/$taken -- 2 as_nobody_write_only theirs/$taken \
        restore "$PWD/B" $output
      expect_message ': is not open for reading and .*: move it away, or let it'
    done
    untouched theirs/$taken -- 1 as_nobody restore --force "$PWD/B" \
      "$PWD/theirs/$taken"
    expect_message "theirs/$taken: .*Permission denied; .*: move it away"
  done
  # An empty one has nothing to lose, and what can be read is looked at.
  : >theirs/new
  expect_exit 0 as_nobody_write_only theirs/new restore "$PWD/B" fd:4
  expect_same b theirs/new
  chmod 644 theirs/*
  untouched theirs/half -- 1 as_nobody restore --force "$PWD/B" \
    "$PWD/theirs/half"
  expect_message "theirs/half: left over .*: File exists"
  rm -r theirs
fi
untouched half begun -- 1 iopress recover --force begun half
untouched half begun -- 1 iopress recover fd:3 fd:4 3<begun 4<>half
test ! -e half.part && test ! -e begun.part || fail "a .part is left"
cp half new
cp begun new.part
untouched half new new.part -- 4 iopress save --resume --force half new
expect_message "new: left over .*; nothing is lost: move that file away"
rm new new.part
# A finished image, or any other file, does.
for taken in B other; do
  cp $taken new
  expect_exit 0 iopress save --force a new
  expect_exit 0 iopress restore --force new r
  expect_same a r
  cp $taken new
  expect_exit 0 iopress save fd:3 fd:4 3<a 4<>new
  expect_exit 0 iopress restore --force new r
  expect_same a r
done
rm new

# Giving up empties a descriptor, unless that has a guest or a part of one.
pack a image --discard
last=$(stat -c %s image)
cp image no-header
spoil no-header 40
cp image no-footer
spoil no-footer $((last - 3))
head -c 300000 image | tail -c +5000 >records
python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --preset libvirt-save \
  whole
sync whole
for taken in image no-header no-footer records begun half magic rest whole; do
  for source in s a half missing; do
    untouched $taken -- 5 iopress save --wait-fd 5 $source fd:4 4<>$taken \
      5</dev/null
  done
done
cp b new
expect_exit 5 iopress save --wait-fd 5 a fd:4 4<>new 5</dev/null
test ! -s new || fail "the descriptor's file was not emptied"
