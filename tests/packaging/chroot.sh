# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Stands before each of the scripts that debian.sh runs in its chroot.

set -e -x -o pipefail
shopt -s inherit_errexit
cd /debs
helper=/usr/lib/libvirt/libvirt_iohelper
hook=/etc/libvirt/hooks/qemu.d/iopress
# shellcheck disable=SC2034  # for the scripts
saves=/var/lib/libvirt/qemu/save

# refused COMMAND...: it fails.
refused ()
{
  if "$@"; then
    echo "not refused: $*"
    exit 1
  fi
}

# cmp_helper VERSION FILE: libvirt's own.
cmp_helper ()
{
  dpkg-deb --fsys-tarfile "libvirt-$1.deb" |
    tar -xOf - "./usr/lib/libvirt/libvirt_iohelper" | cmp - "$2"
}

# expect_installed VERSION: of libvirt.
expect_installed ()
{
  cmp /usr/bin/iopress $helper
  cmp_helper "$1" $helper.distrib
  test "$(dpkg-divert --listpackage $helper)" = iopress-libvirt
  cmp /usr/share/iopress/libvirt/iopress-hook $hook
  test -x $hook
  echo data | env -i $helper NAME 5 5>/debs/file
  test "$(cat /debs/file)" = data
  test "$(dpkg-query -W -f '${db:Status-Status}' iopress-libvirt)" = installed
  test -z "$(dpkg --audit)"
}

expect_removed ()
{
  cmp_helper "$1" $helper
  test ! -e $helper.distrib
  test -z "$(dpkg-divert --list $helper)"
  test ! -e $hook
}

