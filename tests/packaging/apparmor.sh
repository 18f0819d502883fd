#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The rules for AppArmor fit into the profile of libvirtd.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

PATH=$PATH:/usr/sbin:/sbin
requires apparmor_parser
profile=/etc/apparmor.d/usr.sbin.libvirtd
test -f "$profile" || skip "there is no $profile"

# compiled RULES: the profile with these as its local additions.
compiled ()
{
  sed "s,include if exists <local/usr.sbin.libvirtd>,include \"$1\"," \
    "$profile" >"$work/profile"
  grep -q -F "include \"$1\"" "$work/profile" ||
    skip "$profile includes no local additions"
  apparmor_parser --skip-kernel-load --skip-cache --stdout "$work/profile" \
    2>"$work/stderr"
}

compiled "$abs_top_srcdir/contrib/packaging/apparmor" >"$work/with" ||
  fail "it is not accepted: $(cat "$work/stderr")"
: >"$work/none"
compiled "$work/none" >"$work/without"
! cmp -s "$work/with" "$work/without" || fail "it makes no difference"
echo 'no rule' >"$work/wrong"
! compiled "$work/wrong" >/dev/null || fail "anything is accepted"
