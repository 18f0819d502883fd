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

# Into a root of its own, where they are as they were made; and out again.
test "$(id -u)" = 0 || exit 0
root=$work/root
rpm_there ()
{
  rpm --root "$root" --nodeps --noscripts "$@" >"$work/log" 2>&1 ||
    fail "rpm $*: $(tail -n 20 "$work/log")"
}

mkdir "$root"
mapfile -t packages < <(find "$rpms" -name 'iopress*.x86_64.rpm' \
  ! -name '*debug*')
test ${#packages[@]} -eq 3 || fail "packages: ${packages[*]}"
rpm_there -i "${packages[@]}"
rpm_there -V iopress iopress-devel iopress-libvirt
"$root/usr/bin/iopress" --version | grep -q "^iopress " ||
  fail "what is installed does not run"
rpm_there -e iopress iopress-devel iopress-libvirt
find "$root" -name '*iopress*' >"$work/left"
test ! -s "$work/left" || fail "left: $(cat "$work/left")"
