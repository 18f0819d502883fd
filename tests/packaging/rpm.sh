#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The RPM packages: rpmlint accepts the spec and what rpmbuild makes of it, and
# every file that is installed is in one of them.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires rpmbuild rpmlint rpm
test -z "$VALGRIND" || skip 'what is tested is not the program'

rpms=$work/rpms
mkdir "$rpms"
TMPDIR=$work DEB_BUILD_OPTIONS=nocheck \
  "$abs_top_srcdir/contrib/packaging/build" rpm "$rpms" >"$work/log" 2>&1 ||
  fail "they cannot be built: $(tail -n 40 "$work/log")"

# holds PACKAGE FILE: whether the package has it.
holds ()
{
  rpm -qlp "$rpms"/iopress-"$1"[0-9]*.x86_64.rpm >"$work/files" 2>/dev/null
  grep -q -x "$2" "$work/files" || fail "iopress-$1 has no $2"
}

test "$(uname -m)" = x86_64 || exit 0
holds '' /usr/bin/iopress
holds '' '/usr/lib.*/iopress/plugins/zstd.so'
holds devel- /usr/include/iopress-plugin.h
holds libvirt- /usr/share/iopress/libvirt/install-iohelper
holds libvirt- /usr/lib/systemd/system/var-lib-libvirt-qemu-save.mount
