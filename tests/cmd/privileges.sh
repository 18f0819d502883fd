#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A verb keeps no capability that it does not need, and those that it needs.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_root
requires setpriv strace python3
test -z "$VALGRIND" || skip "valgrind makes system calls of its own"
# It cannot look for leaks while somebody else traces it.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
iopress --version -v | grep -q '^privileges are given up: yes' ||
  skip "built without libcap-ng"

# A folder that its owner alone may enter, as libvirt's are QEMU's.
folder=$work/folder
mkdir -m 700 "$folder"
make_raw "$folder/source"
chown -R 65534:65534 "$folder"
chmod 600 "$folder/source"

# The numbers that capabilities(7) have, in their order.
declare -A number=([CHOWN]=0 [DAC_OVERRIDE]=1 [DAC_READ_SEARCH]=2 [FOWNER]=3
                   [FSETID]=4 [SYS_ADMIN]=21 [SYS_RESOURCE]=24 [LEASE]=28
                   [SETFCAP]=31 [MAC_ADMIN]=33)

# held CAPABILITY...: those of them that there are, as strace writes them.
held ()
{
  local name list=

  for name in "$@"; do
    if (( 0x$effective >> number[$name] & 1 )); then
      list+="${list:+|}1<<CAP_$name"
    fi
  done
  echo "${list:-0}"
}
effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
test "$(held DAC_OVERRIDE DAC_READ_SEARCH CHOWN FOWNER)" != 0 ||
  skip "root without capabilities"

# keeps CAPABILITIES VERB [ARGUMENT...]: before anything of the operands is
# opened or a thread started it has those, and no_new_privs.
keeps ()
{
  local wanted

  # One argument a name.
  # shellcheck disable=SC2086
  wanted=$(held $1)
  shift
  rm -f "$folder"/new*
  strace -f -qq -o "$work/calls" \
    -e trace=capset,prctl,open,openat,clone,clone3 "$IOPRESS" "$@" >/dev/null
  sed -n -e '/CLONE_THREAD/q' -e "\\|$folder|q" -e p "$work/calls" \
    >"$work/first"
  grep -q "capset(.*{effective=$wanted, permitted=$wanted, inheritable=0}) = 0" \
    "$work/first" || fail "$1: $(grep capset "$work/calls")"
  grep -q 'prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) *= 0' "$work/first" ||
    fail "$1 may get new privileges"
}

read=DAC_READ_SEARCH
write="DAC_OVERRIDE DAC_READ_SEARCH FOWNER SYS_RESOURCE LEASE"
replace="CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID SYS_ADMIN SYS_RESOURCE
LEASE SETFCAP MAC_ADMIN"
keeps "$write" save --image-id 00112233445566778899aabbccddeeff \
  "$folder/source" "$folder/image"
keeps "$write" restore "$folder/image" "$folder/new"
keeps "$write" repack "$folder/image" "$folder/new"
keeps "$write" recover "$folder/image" "$folder/new"
keeps "$read" save --estimate "$folder/source"
keeps "$read" verify "$folder/image"
keeps "$read" info "$folder/image"
keeps "$read" plugins
keeps "$read" plugin-check --only=values "$plugindir/zstd.so"
exec 9<"$folder/source"
keeps SYS_RESOURCE iohelper "$folder/source" 9

# What replaces a file is its owner's, with all that the file had.
attributes ()
{
  python3 - "$folder/copy" <<'END'
import os, sys
status = os.stat(sys.argv[1])
print(status.st_uid, status.st_gid, oct(status.st_mode))
for name in sorted(os.listxattr(sys.argv[1])):
    print(name, os.getxattr(sys.argv[1], name))
END
}
cp --preserve=all "$folder/source" "$folder/copy"
python3 -c 'import os, sys
os.setxattr(sys.argv[1], "trusted.iopress", b"kept")' "$folder/copy" ||
  echo "no such attributes here"
attributes >"$work/before"
keeps "$replace" save --replace "$folder/copy"
attributes | diff "$work/before" -
keeps "$replace" expand "$folder/copy"
attributes | diff "$work/before" -
expect_same "$folder/source" "$folder/copy"

# The lease that tells whether somebody writes to a file of another.
sleep 60 <>"$folder/copy" &
pid=$!
cleanup_fn kill "$pid"
expect_exit 1 iopress save --discard "$folder/copy" "$folder/new"
expect_message 'another process has it open for writing'

# Off means off, and COMMAND gets what the caller has.
strace -f -qq -o "$work/calls" -e trace=capset,prctl \
  "$IOPRESS" verify --sandbox=off "$folder/image"
! grep 'capset(\|SET_NO_NEW_PRIVS' "$work/calls" || fail "--sandbox=off does not"
status='sed -n "/^CapEff\|^NoNewPrivs/p" /proc/self/status'
sh -c "$status" >"$work/status"
iopress restore --tmpfile "$work" "$folder/image" -- sh -c "$status" |
  diff "$work/status" - || fail "COMMAND got less"

# Where there are few capabilities, as in containers, or none.
as_in_container ()
{
  setpriv --bounding-set="-all$1" "${@:2}"
}
as_in_container ,+dac_override "$IOPRESS" verify "$folder/image"
as_in_container ,+dac_read_search "$IOPRESS" verify "$folder/image"
as_in_container ,+dac_override "$IOPRESS" restore "$folder/image" "$folder/new"
rm "$folder/new"
expect_exit 1 as_in_container '' "$IOPRESS" verify "$folder/image"
cp "$folder/image" "$work/own"
as_in_container '' "$IOPRESS" verify --sandbox=on "$work/own" ||
  expect_exit 1 "$IOPRESS" verify --sandbox=on "$work/own"
