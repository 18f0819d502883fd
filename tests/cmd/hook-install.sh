#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# install-hook: in place, again, away; not while a packed save needs the hook,
# and never over something that it does not know.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/hook-common.sh"

root=$work/root
installed=$root/etc/libvirt/hooks/qemu.d/iopress
mkdir -p "$root/etc/libvirt" "$root/etc/iopress"
rmdir "$saves"
saves=$root/saves
mkdir "$saves"

run ()
{
  sh "$abs_top_srcdir/contrib/libvirt/install-hook" --root "$root" "$@"
}

# The first time, with what has to be done besides.
run >"$work/said"
expect_same "$hook" "$installed"
test -x "$installed"
expect_same "$abs_top_srcdir/contrib/libvirt/libvirt-hook.conf" \
  "$root/etc/iopress/libvirt-hook.conf"
grep -q '^Reload libvirtd' "$work/said"
grep -q 'bypass_cache' "$work/said" && fail "$(cat "$work/said")"
grep -q 'qemu\.conf: set save_image_format = "sparse"' "$work/said"

# Again: an older one is replaced, the configuration is kept.
sed 's,^save_dir.*,save_directory = /saves,' "$settings" \
  >"$root/etc/iopress/libvirt-hook.conf"
cp "$root/etc/iopress/libvirt-hook.conf" "$work/configuration"
echo 'save_image_format = "sparse"' >"$root/etc/libvirt/qemu.conf"
echo '# older' >>"$installed"
run >"$work/said"
expect_same "$hook" "$installed"
expect_same "$work/configuration" "$root/etc/iopress/libvirt-hook.conf"
grep -q -e '^Reload' -e 'save_image' "$work/said" && fail "$(cat "$work/said")"
test "$(ls "$root/etc/libvirt/hooks/qemu.d")" = iopress

# The disk is full, or the installer dies: nothing is left among the hooks that
# libvirt would run, and try in vain.
for dies in 'exit 1' 'kill -KILL $PPID'; do
  mkdir "$work/bin"
  for program in cat cp sync mv; do
    printf '#!/bin/bash\n%s "$@"\n%s\n' \
      "$(command -v $program)" "$dies" >"$work/bin/$program"
    chmod 755 "$work/bin/$program"
    PATH=$work/bin:$PATH run >/dev/null 2>&1 && test $program = cat &&
      fail "it does not notice that $program fails"
    rm "$work/bin/$program"
    test "$(ls -A "$root/etc/libvirt/hooks/qemu.d")" = iopress ||
      fail "$program, $dies: $(ls -lA "$root/etc/libvirt/hooks/qemu.d")"
    expect_same "$hook" "$installed"
  done
  rmdir "$work/bin"
done

# It is on the disk before it has its name, and the name before it is told.
mkdir "$work/bin"
for program in chmod sync mv; do
  # shellcheck disable=SC2016
  printf '#!/bin/bash\necho %s "$@" >>"%s"\nexec %s "$@"\n' $program \
    "$work/steps" "$(command -v $program)" >"$work/bin/$program"
  chmod 755 "$work/bin/$program"
done
PATH=$work/bin:$PATH run >/dev/null
hooks=$root/etc/libvirt/hooks
printf '%s\n' "chmod 755 $hooks/.iopress.new" "sync $hooks/.iopress.new" \
  "mv -f -T $hooks/.iopress.new $installed" "sync $hooks $hooks/qemu.d" |
  diff - "$work/steps" || fail 'not in this order'
rm -r "$work/bin"

# Where iopress is, libvirt may not run it.
mkdir "$root/etc/apparmor.d"
: >"$root/etc/apparmor.d/usr.sbin.libvirtd"
run | grep -q "^AppArmor .* line \"$work/program PUx,\" to /etc"
sed -i 's/^iopress.*/iopress = no-such-program/' \
  "$root/etc/iopress/libvirt-hook.conf"
run | grep -q '^iopress is not found'
echo 'auto_start_bypass_cache = 1' >>"$root/etc/libvirt/qemu.conf"
run >"$work/said"
grep -q 'qemu\.conf: unset auto_start_bypass_cache' "$work/said"
cp "$work/configuration" "$root/etc/iopress/libvirt-hook.conf"

# While packed saves need it, it stays.
make_save 'whole one'
make_save raw LibvirtQemudSave 0 anything
make_save packed LibvirtQemudSave 6 IOPRESS1
make_save 'half expanded' LibvirtQemudSave 6 IOPRUNPK
cp "$saves/whole one.save" "$work/whole"
# Nobody waits for these.
mkfifo "$saves/pipe.save"
ln -s pipe.save "$saves/link.save"
mkdir "$saves/folder.save"
expect_exit 1 run --undo
expect_message '/packed\.save: is packed and could not start any more$'
expect_message '/half expanded\.save: is packed'
test "$(wc -l <"$work/stderr")" -eq 3
expect_same "$hook" "$installed"
expect_no_calls
act_as 'exit 1'
expect_exit 1 run --undo --expand
expect_same "$hook" "$installed"
: >"$calls"
act_as "$act_well"
run --undo --expand
expect_calls expand "$saves/half expanded.save" . expand "$saves/packed.save" .
test ! -e "$installed"
expect_same "$work/whole" "$saves/whole one.save"
run --undo | grep -q 'nothing to undo'

# Packed by hand, without the hook.
make_save packed LibvirtQemudSave 6 IOPRESS1
expect_exit 1 run --undo
expect_message '/packed\.save: is packed'
test ! -e "$installed"
sed -i 's/^iopress.*/iopress = no-such-program/' \
  "$root/etc/iopress/libvirt-hook.conf"
for option in '' --expand; do
  expect_exit 1 run --undo $option
  expect_message '/packed\.save: cannot be looked at: .*no-such-program'
done
cp "$work/configuration" "$root/etc/iopress/libvirt-hook.conf"
run --undo --expand
run --undo | grep -q 'nothing to undo'

# What is being packed is not, then.
run >"$work/said"
# shellcheck disable=SC2016
act_as 'echo >"$calls.packing"; sleep 30; touch "$calls.ended"'
IOPRESS_HOOK_CONFIGURATION=$root/etc/iopress/libvirt-hook.conf
sed -i "s,^save_dir.*,save_directory = $saves," "$IOPRESS_HOOK_CONFIGURATION"
hook 'whole one' release end saved
eventually test -s "$calls.packing" || fail 'it is not being packed'
sed -i "s,^save_dir.*,save_directory = /saves," "$IOPRESS_HOOK_CONFIGURATION"
run --undo
is_free 'whole one' || fail 'it is still being packed'
test ! -e "$calls.ended" || fail 'it has been packed'

# Something else in its place.
echo '#!/bin/sh' >"$installed"
expect_exit 1 run
expect_message 'is something else$'
expect_exit 1 run --undo
expect_message 'is something else$'
test "$(cat "$installed")" = '#!/bin/sh'
rm "$installed"
ln -s "$work/none" "$installed"
expect_exit 1 run
expect_message 'is something else$'
rm "$installed"
mkfifo "$installed"
expect_exit 1 run
expect_message 'is something else$'

for wrong in --expand --unknown --root; do
  expect_exit 2 run $wrong
done
run --help | grep -q '^Usage: install-hook '
