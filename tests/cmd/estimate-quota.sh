#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --estimate under a quota, which leaves less than the file system has.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

test -z "$VALGRIND" || skip "another library is preloaded"
inject=$abs_top_builddir/tests/faults/.libs/inject.so
test -f "$inject" || skip "tests/faults/inject.la has not been built"
make_raw "$work/source"
chmod 755 "$work"
chmod 644 "$work/source"

# Root has no quota.
as_user=()
if test "$(id -u)" = 0; then
  requires setpriv
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  "${as_user[@]}" test -r "$work/source" -a -x "$abs_top_builddir/iopress" ||
    skip "another user has no access to $work"
fi

# estimate [OPTION...]
estimate ()
{
  "${as_user[@]}" "$abs_top_builddir/iopress" save --plugin-dir "$plugindir" \
    -c stored --estimate "$@" "$work/source" "$folder/image"
}

# under QUOTA [OPTION...]
under ()
{
  ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0:detect_leaks=0 \
    LD_PRELOAD=$inject IOPRESS_FAULT_QUOTA=$1 estimate "${@:2}"
}

# says TEXT QUOTA
says ()
{
  under "$2" >"$work/report"
  grep -q "^free  *$1\$" "$work/report" ||
    fail "not '$1' under $2: $(cat "$work/report")"
}

folder=$work
for type in 0 1; do
  says '1.0 MiB by quota: it does not fit' $type:2048:0:1024:0
  says '100.0 MiB by quota: it fits' $type:102400:0:0:0
  says '0 B by quota: it does not fit' $type:2048:0:4096:0
  # A soft limit holds when its time is over, and only then.
  says '1.0 MiB by quota: it does not fit' $type:102400:2048:1024:1
  says '99.0 MiB by quota: it fits' $type:102400:512:1024:9999999999
  # No limit, or more than there is.
  says '[0-9.]* .iB: it fits' $type:0:0:5000:0
  says '[0-9.]* .iB: it fits' $type:0:2048:1024:0
  says '[0-9.]* .iB: it fits' $type:9007199254740992:0:0:0
done
under 0:2048:0:1024:0 --json >"$work/report"
grep -q '"available_size": 1048576' "$work/report"
grep -q '"fits": false' "$work/report"
if test "$(id -u)" = 0; then
  as_user=()
  says '[0-9.]* .iB: it fits' 0:2048:0:1024:0
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

# The real thing, where the kernel has it.
test "$(id -u)" = 0 || exit 0
command -v setquota chattr >/dev/null || exit 0
truncate -s 64M "$work/disk"
mkdir "$work/mounted"
mkfs.ext4 -q -O quota,project -E quotatype=usrquota:grpquota:prjquota \
  "$work/disk" 2>/dev/null || exit 0
mount -o loop,usrquota,grpquota,prjquota "$work/disk" "$work/mounted" 2>/dev/null ||
  exit 0
cleanup_fn umount "$work/mounted"

# limited FOLDER WANTED: what it says of a new folder of that name.
limited ()
{
  folder=$work/mounted/$1
  estimate >"$work/report"
  grep -q "^free  *[0-9.]* KiB$2: it does not fit\$" "$work/report" ||
    fail "real quota of a $1: $(cat "$work/report")"
}

mkdir "$work/mounted/user" "$work/mounted/group" "$work/mounted/project"
setquota -u 65534 0 1000 0 0 "$work/mounted"
limited user ' by quota'
setquota -u 65534 0 0 0 0 "$work/mounted"
chgrp 1234 "$work/mounted/group"
chmod g+s "$work/mounted/group"
setquota -g 1234 0 1000 0 0 "$work/mounted"
# Only members may ask for the quota of a group.
as_user=(setpriv --reuid=65534 --regid=65534 --groups=1234)
limited group ' by quota'
# This one the file system knows by itself.
chattr -p 77 +P "$work/mounted/project"
setquota -P 77 0 1000 0 0 "$work/mounted"
limited project ''
