#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# install-iohelper: in place, again, back; with dpkg and without; never over
# something that it does not know.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

install=$abs_top_srcdir/contrib/libvirt/install-iohelper
program=$abs_top_builddir/iopress
helper=$work/libvirt_iohelper

# A stand-in for libvirt's.
make_original ()
{
  rm -f "$helper" "$helper".*
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nprintf "Usage: %%s FILENAME FD" "$0"\n# %s\n' "$1" \
    >"$helper"
  chmod 755 "$helper"
  cp "$helper" "$work/original"
}

run ()
{
  sh "$install" --libvirt-helper "$helper" --iopress "$program" "$@"
}

expect_installed ()
{
  expect_same "$program" "$helper"
  expect_same "$work/original" "$helper.distrib"
  : >"$work/file"
  env -i "$helper" NAME 5 <<<data 5>"$work/file"
  echo data | cmp - "$work/file"
  expect_only libvirt_iohelper libvirt_iohelper.distrib
}

expect_original ()
{
  expect_same "$work/original" "$helper"
  expect_only libvirt_iohelper
}

# expect_only NAME...: nothing else is there.
expect_only ()
{
  test "$(cd "$work" && echo libvirt_iohelper*)" = "$*" ||
    fail "there are $(cd "$work" && echo libvirt_iohelper*)"
}

# all_ways: from the original to the original.
all_ways ()
{
  run --undo | grep -q 'nothing to undo'
  expect_original
  run
  expect_installed
  run | grep -q 'already'
  expect_installed
  # An older iopress.
  cp "$program" "$work/older"
  echo >>"$work/older"
  cp "$work/older" "$helper"
  run
  expect_installed
  run --undo
  expect_original
  # Interrupted after the first step, either way.
  ln "$helper" "$helper.distrib"
  run
  expect_installed
  run --undo
  ln "$helper" "$helper.distrib"
  run --undo
  expect_original
}

# Nobody's file.  That dpkg is there must not matter.
make_original 1
all_ways

expect_exit 2 run --other
expect_exit 2 sh "$install" --iopress
expect_exit 1 run --libvirt-helper libvirt_iohelper
expect_message 'must begin with /'
expect_exit 1 run --libvirt-helper "$work/none"
expect_exit 1 run --iopress "$work/none"
expect_exit 1 run --iopress /bin/sh
expect_message '/bin/sh: is not iopress'
expect_original

# Each file is on the disk before it gets its name, and each name before the
# next step.
mkdir "$work/bin"
for step in ln cp chmod sync mv rm; do
  # shellcheck disable=SC2016
  printf '#!/bin/bash\necho %s "$@" >>"%s"\nexec %s "$@"\n' $step \
    "$work/steps" "$(command -v $step)" >"$work/bin/$step"
  chmod 755 "$work/bin/$step"
done

# expect_steps STEP...: of the installer with the last arguments, in short.
expect_steps ()
{
  sed -e '/^rm .*-new$/d' -e "s,$helper,HELPER,g" -e "s,$work\$,FOLDER," \
    "$work/steps" | diff <(printf '%s\n' "$@") - || fail 'not in this order'
  rm "$work/steps"
}

PATH=$work/bin:$PATH run
expect_steps "ln HELPER HELPER.distrib" "sync HELPER.distrib" "sync FOLDER" \
  "cp $program HELPER.iopress-new" "chmod 755 HELPER.iopress-new" \
  "sync HELPER.iopress-new" "mv -f -T HELPER.iopress-new HELPER" "sync FOLDER"
PATH=$work/bin:$PATH run
expect_steps "sync HELPER" "sync FOLDER"
PATH=$work/bin:$PATH run --undo
expect_steps "sync HELPER.distrib" "mv -f -T HELPER.distrib HELPER" \
  "sync FOLDER"
ln "$helper" "$helper.distrib"
PATH=$work/bin:$PATH run --undo
expect_steps "sync HELPER" "rm -f HELPER.distrib" "sync FOLDER"
expect_original
rm -r "$work/bin"

# Things that are not known.
echo other >"$helper.distrib"
expect_exit 1 run
expect_message 'distrib: stands there'
expect_exit 1 run --undo
expect_message 'is neither iopress nor'
rm "$helper.distrib"
expect_original
run
rm "$helper.distrib"
expect_exit 1 run
expect_exit 1 run --undo
expect_message 'the original is missing'
expect_same "$program" "$helper"
for other in 'exit 0' 'echo Usage: FILENAME FD'; do
  make_original 2
  printf '#!/bin/sh\n%s\n' "$other" >"$helper"
  expect_exit 1 run
  expect_message "is not libvirt's iohelper"
done
make_original 3
mv "$helper" "$helper.real"
ln -s libvirt_iohelper.real "$helper"
expect_exit 1 run
expect_message 'is no ordinary executable file'
make_original 4
run
rm "$helper"
ln -s "$work/none" "$helper"
expect_exit 1 run --undo
expect_message 'is neither iopress nor'
test -L "$helper"
rm "$helper"
mkfifo "$helper"
expect_exit 1 run --undo
expect_message 'is neither iopress nor'
rm "$helper"
run --undo
expect_original

# As rpm does it: an update of libvirt in the place of iopress.
make_original 5
run
make_original_over ()
{
  cp "$helper.distrib" "$work/old"
  sed "s/^# .*/# $1/" "$work/old" >"$work/original"
  cp "$work/original" "$helper"
}
make_original_over 6
run
expect_installed
make_original_over 7
run --undo
expect_original

# An update after which the helper is called otherwise.
make_original 8
run
printf '#!/bin/sh\necho Usage: other\n' >"$helper.distrib"
expect_exit 1 run
expect_message 'is not called as libvirt.s iohelper was'
expect_same "$program" "$helper"

# A file of dpkg's, in a database of its own.
command -v dpkg-divert >/dev/null || exit 0
DPKG_ADMINDIR=$work/dpkg
export DPKG_ADMINDIR
mkdir -p "$DPKG_ADMINDIR"/{info,updates,triggers}
: >"$DPKG_ADMINDIR/available"
printf '%s\n' 'Package: some-libvirt' 'Status: install ok installed' \
  'Maintainer: nobody' 'Architecture: all' 'Version: 1' 'Description: none' \
  >"$DPKG_ADMINDIR/status"
printf '%s\n' /. "$helper" >"$DPKG_ADMINDIR/info/some-libvirt.list"
dpkg-query -S "$helper" >/dev/null || skip "dpkg takes no other database"

make_original 4
all_ways
test -z "$(dpkg-divert --list)" || fail "a diversion is left"
run
dpkg-divert --list | grep -q -F "local diversion of $helper to $helper.distrib"
run --undo
dpkg-divert --quiet --package other --no-rename --divert "$helper.other" \
  --add "$helper"
expect_exit 1 run
expect_message 'diverted already'
expect_exit 1 run --undo
expect_original

# In the name of a package.
dpkg-divert --quiet --package other --no-rename --divert "$helper.other" \
  --remove "$helper"
run --package some-iopress
expect_installed
test "$(dpkg-divert --listpackage "$helper")" = some-iopress
expect_exit 1 run --undo
expect_message 'diverted already, to: some-iopress'
run --package some-iopress | grep -q already
run --undo --package some-iopress
expect_original
test -z "$(dpkg-divert --list)"

# dpkg has removed libvirt, and with it what stood beside; or just that.
run --package some-iopress
rm "$helper.distrib"
expect_exit 1 run --undo --package some-iopress
expect_message 'the original is missing'
expect_same "$program" "$helper"
echo /. >"$DPKG_ADMINDIR/info/some-libvirt.list"
run --undo --package some-iopress
test ! -e "$helper"
test -z "$(dpkg-divert --list)"
