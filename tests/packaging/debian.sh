#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Debian packages: built, accepted by lintian, and installed, upgraded,
# removed and purged in a system of their own.  libvirt is a stand-in there, with
# an iohelper: what dpkg does with that is what matters.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires_root
requires dpkg-buildpackage dh lintian debootstrap python3 unshare
test -z "$VALGRIND" || skip 'what is tested is not the program'
packages_log=$work/packages.log
. "$abs_top_srcdir/contrib/lib/packages.sh"

root=$work/root
debs=$work/debs
mkdir "$debs"

# What the program is linked with, and nothing else.
libraries=libaio1,libfuse3-3,libjson-c5,liblz4-1,liblzma5,libseccomp2
libraries+=,libcap-ng0,libxxhash0,libzstd1
case $(packages_codename) in
  bookworm) ;;
  *) libraries=${libraries/libaio1/libaio1t64}
     libraries=${libraries/libfuse3-3/libfuse3-4} ;;
esac
packages_debootstrap "$(packages_codename)" "$root" --include="$libraries" &
bootstrap=$!
cleanup_fn wait
TMPDIR=$work DEB_BUILD_OPTIONS=nocheck \
  "$abs_top_srcdir/contrib/packaging/build" deb "$debs" >"$work/build.log" 2>&1 ||
  fail "they cannot be built: $(tail -n 40 "$work/build.log")"
wait "$bootstrap" || skip "no system can be made: $(tail "$packages_log")"

# make_libvirt VERSION: packs a libvirt that has nothing but an iohelper.
make_libvirt ()
{
  local tree=$work/libvirt-$1

  mkdir -p "$tree/DEBIAN" "$tree/usr/lib/libvirt"
  printf '%s\n' 'Package: libvirt-daemon-common' "Version: $1" \
    'Maintainer: nobody' 'Architecture: all' 'Description: none' \
    >"$tree/DEBIAN/control"
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nprintf "Usage: %%s FILENAME FD" "$0"\n# %s\n' "$1" \
    >"$tree/usr/lib/libvirt/libvirt_iohelper"
  chmod 755 "$tree/usr/lib/libvirt/libvirt_iohelper"
  dpkg-deb --root-owner-group -b "$tree" "$root/debs/libvirt-$1.deb" >/dev/null
}

# make_next DEB: the same as a later version, its program and hook changed.
make_next ()
{
  local tree=$work/next version file

  version=$(dpkg-deb -f "$1" Version)
  rm -rf "$tree"
  dpkg-deb -R "$1" "$tree"
  sed -i "s/${version//./\\.}/&.1/" "$tree/DEBIAN/control"
  for file in "$tree/usr/bin/iopress" "$tree"/usr/share/iopress/libvirt/*-hook
  do
    test ! -e "$file" || echo '# later version' >>"$file"
  done
  dpkg-deb -b "$tree" "$root/debs/next/" >/dev/null
}

mkdir -p "$root/debs/next" "$root/debs/first"
cp "$debs"/*.deb "$root/debs/first/"
rm "$root"/debs/first/*dbgsym*
for deb in "$root"/debs/first/*.deb; do
  make_next "$deb"
done
make_libvirt 11.3.0
make_libvirt 11.4.0
python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" \
  --preset libvirt-save "$root/debs/sample"

# in_chroot WHAT: runs the commands that come in.
in_chroot ()
{
  cat "$abs_top_srcdir/tests/packaging/chroot.sh" - >"$root/debs/commands"
  "$abs_top_srcdir/contrib/lib/in-chroot" "$root" bash /debs/commands \
    >"$work/said" 2>&1 || fail "$1: $(cat "$work/said")"
  echo "$1: $SECONDS s"
}

in_chroot 'installed and run' <<'END'
dpkg -i libvirt-11.3.0.deb first/*.deb
expect_installed 11.3.0
dpkg-query -W -f '${Conffiles}' iopress-libvirt |
  grep -q '^ /etc/iopress/libvirt-hook.conf '
iopress plugins | grep -q zstd
for codec in stored zstd lz4:3 xz; do
  iopress save --force -c $codec sample image
  iopress verify image
  iopress restore --force image restored
  cmp sample restored
done
test -f /usr/include/iopress-plugin.h
test -f /usr/share/man/man1/iopress.1.gz || test ! -e /usr/share/man/man1
END

in_chroot 'upgrades' <<'END'
dpkg -i libvirt-11.4.0.deb
expect_installed 11.4.0
echo '# edited' >>/etc/iopress/libvirt-hook.conf
dpkg --force-confold -i next/*.deb
expect_installed 11.4.0
grep -q '^# later version' $hook
tail -n 1 /etc/iopress/libvirt-hook.conf | grep -q edited
dpkg -i first/*.deb
expect_installed 11.4.0
refused grep -q '^# later version' $hook
END

in_chroot 'no removal while a save is packed' <<'END'
mkdir -p $saves
cp sample $saves/guest.save
iopress save --replace $saves/guest.save
cp $saves/guest.save packed
for packages in iopress-libvirt 'iopress-libvirt iopress' \
                '--force-depends iopress'; do
  for action in --remove --purge; do
    refused dpkg $action $packages
    expect_installed 11.4.0
    cmp packed $saves/guest.save
    iopress verify $saves/guest.save
  done
done
END

in_chroot 'removal once it is expanded' <<'END'
/usr/share/iopress/libvirt/install-hook --undo --expand
cmp sample $saves/guest.save
cp packed $saves/other.iop
dpkg --remove iopress-libvirt
expect_removed 11.4.0
cmp sample $saves/guest.save
test -f /etc/iopress/libvirt-hook.conf
dpkg -i first/*.deb
expect_installed 11.4.0
dpkg --purge iopress-libvirt iopress iopress-dev
expect_removed 11.4.0
test ! -e /etc/iopress
cmp sample $saves/guest.save
cmp packed $saves/other.iop
refused command -v iopress
END

in_chroot 'libvirt goes first, and comes back' <<'END'
dpkg -i first/*.deb
dpkg --force-depends --remove libvirt-daemon-common
test ! -e $helper.distrib
dpkg -i libvirt-11.3.0.deb
expect_installed 11.3.0
dpkg --force-depends --remove libvirt-daemon-common
dpkg --remove iopress-libvirt
test ! -e $helper
test -z "$(dpkg-divert --list $helper)"
dpkg -i libvirt-11.3.0.deb
cmp_helper 11.3.0 $helper
END

# A kernel that knows of FUSE, and lets it be used.
if ! "$abs_top_srcdir/contrib/lib/in-chroot" "$root" \
       sh -c ': <>/dev/fuse' 2>/dev/null; then
  echo "not tried: the mount, /dev/fuse cannot be opened"
  exit 0
fi
in_chroot 'no removal while what is packed is mounted over' <<'END'
dpkg -i first/*.deb
rm $saves/*
mount -t iopress none $saves
cp sample $saves/guest.save
refused dpkg --purge iopress-libvirt iopress
expect_installed 11.3.0
cmp sample $saves/guest.save
umount $saves
refused dpkg --purge iopress-libvirt iopress
expect_installed 11.3.0
/usr/share/iopress/libvirt/install-hook --undo --expand
cmp sample $saves/guest.save
dpkg --purge iopress-libvirt iopress
expect_removed 11.3.0
cmp sample $saves/guest.save
END
