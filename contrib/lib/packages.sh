# SPDX-License-Identifier: LGPL-2.1-or-later
# What contrib/demo and contrib/check need on a Debian system, installed only
# where it is missing.  Sourced by POSIX shells; every function returns 0 or,
# after saying why on standard error, 1.  Before that, $packages_log names a
# file in a folder where nobody else writes.

: "${packages_log:?}"
: "${packages_newest:=}"
packages_backports=/etc/apt/sources.list.d/iopress-backports.sources

# mapped-ram came with QEMU 9.0, "sparse" save images with libvirt 11.2.
packages_qemu_minimum=1:9.0
packages_libvirt_minimum=11.2

packages_fail ()
{
  echo "packages: $*" >&2
  if test -s "$packages_log"; then
    echo "packages: the end of $packages_log:" >&2
    tail -n 15 "$packages_log" >&2
  fi
  return 1
}

# Runs a command whose output is only of interest when it fails.
packages_quietly ()
{
  echo "+ $*" >>"$packages_log"
  DEBIAN_FRONTEND=noninteractive "$@" >>"$packages_log" 2>&1 </dev/null
}

packages_apt ()
{
  packages_quietly apt-get -q -y -o DPkg::Lock::Timeout=600 \
    -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
}

# The installed version of a package, empty when it is not installed.
packages_installed ()
{
  dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null |
    sed -n 's/^installed //p'
}

packages_candidate ()
{
  LC_ALL=C apt-cache policy "$1" 2>/dev/null |
    sed -n 's/^ *Candidate: //p' | grep -v '^(none)$'
}

packages_missing ()
{
  for packages_name in "$@"; do
    test -n "$(packages_installed "$packages_name")" ||
      printf '%s ' "$packages_name"
  done
}

# Version lists go out of date or were never fetched (containers), so an
# installation that fails is tried again after an update.
packages_apt_updating ()
{
  packages_apt "$@" && return
  for packages_delay in 0 5 20; do
    sleep "$packages_delay"
    packages_apt update || continue
    packages_apt "$@" && return
  done
  packages_fail "apt-get $* failed"
}

packages_install ()
{
  packages_wanted=$(packages_missing "$@")
  test -n "$packages_wanted" || return 0
  if test "$(id -u)" != 0; then
    packages_fail "must be root to install: $packages_wanted"
    return
  fi
  echo "packages: installing $packages_wanted" >&2
  # The names are separate words.
  # shellcheck disable=SC2086
  packages_apt_updating install --no-install-recommends $packages_wanted
}

packages_codename ()
{
  sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"'
}

# Prints the first configured deb822 stanza of suite $1, as suite $2.
packages_stanza_from_deb822 ()
{
  cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed '/^#/d' |
    awk -v suite="$1" -v wanted="$2" '
      function flush(    i) {
        if (deb && named && enabled && !done) {
          for (i = 1; i <= count; i++)
            print lines[i]
          print "Suites: " wanted
          done = 1
        }
        deb = named = count = 0
        enabled = 1
      }
      BEGIN { enabled = 1 }
      /^[ \t]*$/ { flush(); next }
      /^[^ \t]/ { field = tolower($1) }
      field == "types:" { for (i = 1; i <= NF; i++) deb += ($i == "deb") }
      field == "enabled:" && tolower($2) == "no" { enabled = 0 }
      field == "suites:" {
        for (i = 1; i <= NF; i++)
          named += ($i == suite)
        next
      }
      { lines[++count] = $0 }
      END { flush() }'
}

# The same from one-line entries: deb [option=value ...] URI SUITE COMPONENT...
packages_stanza_from_lines ()
{
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    awk -v suite="$1" -v wanted="$2" '
      BEGIN {
        name["signed-by"] = "Signed-By"
        name["arch"] = "Architectures"
        name["trusted"] = "Trusted"
        name["check-valid-until"] = "Check-Valid-Until"
      }
      $1 != "deb" { next }
      {
        options = ""
        if (match($0, /\[[^]]*\]/)) {
          options = substr($0, RSTART + 1, RLENGTH - 2)
          $0 = substr($0, 1, RSTART - 1) substr($0, RSTART + RLENGTH)
        }
        if ($3 != suite || $2 ~ /^cdrom:/)
          next
        print "Types: deb"
        print "URIs: " $2
        print "Suites: " wanted
        $1 = $2 = $3 = ""
        sub(/^ +/, "")
        print "Components: " $0
        count = split(options, option, " ")
        for (i = 1; i <= count; i++) {
          split(option[i], pair, "=")
          if (pair[1] in name)
            print name[pair[1]] ": " pair[2]
        }
        exit
      }'
}

packages_stanza ()
{
  packages_text=$(packages_stanza_from_deb822 "$1" "$2")
  test -n "$packages_text" ||
    packages_text=$(packages_stanza_from_lines "$1" "$2")
  printf '%s\n' "$packages_text" | sed '/^$/d'
}

# Frozen archives serve Release files whose Valid-Until has passed.  Only for
# this one source, and only then, is that date not looked at.
packages_update_backports ()
{
  packages_apt update && return
  if grep -q -i 'Release file for .* is expired' "$packages_log" &&
     ! grep -q '^Check-Valid-Until' "$packages_backports"; then
    echo 'Check-Valid-Until: no' >>"$packages_backports"
    packages_apt update && return
  fi
  packages_fail "apt-get update failed with the backports suite added"
}

packages_add_backports ()
{
  packages_release=$(packages_codename)
  test -s "$packages_backports" && return
  packages_text=$(packages_stanza "$packages_release" \
                                  "$packages_release-backports")
  if test -z "$packages_text"; then
    packages_fail "no source of suite $packages_release is configured," \
                  "from which backports could be derived"
    return
  fi
  printf '%s\n' "$packages_text" >"$packages_backports"
  packages_update_backports
}

# packages_at_least VERSION MINIMUM; an empty version is never enough.
packages_at_least ()
{
  test -n "$1" && dpkg --compare-versions "$1" ge "$2"
}

# packages_newer MINIMUM PACKAGE...: installs the packages, the first at least
# at that version, from the release itself or else from its backports; always
# from backports where packages_newest is set.
packages_newer ()
{
  packages_floor=$1
  shift
  if test -n "$packages_newest"; then
    :
  elif packages_at_least "$(packages_installed "$1")" "$packages_floor"; then
    packages_install "$@"
    return
  fi
  if test "$(id -u)" != 0; then
    packages_fail "must be root to install: $*"
    return
  fi
  if test -z "$packages_newest" &&
     packages_at_least "$(packages_candidate "$1")" "$packages_floor"; then
    packages_install "$@"
    return
  fi
  echo "packages: installing from backports: $*" >&2
  packages_add_backports || return
  packages_apt_updating install --no-install-recommends \
    -t "$(packages_codename)-backports" "$@" || return
  packages_at_least "$(packages_installed "$1")" "$packages_floor" ||
    packages_fail "$1 $packages_floor or newer cannot be had here;" \
                  "installed: $(packages_installed "$1")"
}

# Compiler, autotools and the libraries iopress links with.
packages_build ()
{
  packages_install gcc libc6-dev make autoconf automake libtool pkg-config \
    libaio-dev libzstd-dev liblz4-dev liblzma-dev libxxhash-dev libjson-c-dev \
    libfuse3-dev libseccomp-dev libcap-ng-dev
}

# What the tests use beyond that, real guests apart.
packages_check ()
{
  packages_build && packages_install g++ libcmocka-dev clang libclang-rt-dev \
    valgrind python3 strace zstd lz4 xz-utils libdeflate-dev e2fsprogs \
    xfsprogs btrfs-progs zsh fish tmux python3-jsonschema bindfs sshfs \
    openssh-sftp-server util-linux util-linux-extra mount procps file
}

# QEMU with mapped-ram and what builds the test guest.
packages_guest ()
{
  packages_install gcc libc6-dev cpio gzip python3 &&
    packages_newer "$packages_qemu_minimum" qemu-system-x86 qemu-utils
}

# packages_unstarted COMMAND...: runs it, and no package that it installs starts
# a service.  The tests need none, and in a chroot or container the start fails,
# and the installation with it.
packages_unstarted ()
{
  packages_policy=/usr/sbin/policy-rc.d
  if test "$(id -u)" != 0 || test -e "$packages_policy"; then
    "$@"
    return
  fi
  (
    trap 'rm -f "$packages_policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$packages_policy"
    chmod 755 "$packages_policy"
    "$@"
  )
}

packages_libvirt ()
{
  packages_guest &&
    packages_unstarted packages_newer "$packages_libvirt_minimum" \
      libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients
}

# What contrib/packaging/build and its tests use.
packages_packaging ()
{
  packages_build && packages_install dpkg-dev debhelper lintian fakeroot rpm \
    rpmlint debootstrap apparmor
}

# packages_field STANZA FIELD: its first value.
packages_field ()
{
  printf '%s\n' "$1" | sed -n "s/^$2: *\([^ ]*\).*/\1/p" | head -n 1
}

# packages_debootstrap RELEASE FOLDER [OPTION...]: a small system of that
# release, from the mirror of this one.
packages_debootstrap ()
{
  packages_text=$(packages_stanza "$(packages_codename)" "$1")
  packages_mirror=$(packages_field "$packages_text" URIs)
  packages_keyring=$(packages_field "$packages_text" Signed-By)
  if test -z "$packages_mirror"; then
    packages_fail "no source of $(packages_codename) is configured"
    return
  fi
  eval "$(apt-config shell packages_proxy Acquire::http::Proxy)"
  packages_release=$1
  packages_folder=$2
  shift 2
  packages_quietly env ${packages_proxy:+"http_proxy=$packages_proxy"} \
    debootstrap --variant=minbase \
    ${packages_keyring:+"--keyring=$packages_keyring"} "$@" \
    "$packages_release" "$packages_folder" "$packages_mirror" ||
    packages_fail "debootstrap of $packages_release failed"
}

# packages_sources RELEASE FOLDER: lets the system in FOLDER install from where
# this one does.
packages_sources ()
{
  packages_stanza "$(packages_codename)" "$1" \
    >"$2/etc/apt/sources.list.d/$1.sources" &&
    rm -f "$2/etc/apt/sources.list" &&
    apt-config dump Acquire >"$2/etc/apt/apt.conf.d/50outside"
}

packages_kernel_name ()
{
  LC_ALL=C apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

# packages_unpack_kernel PACKAGE WORK VMLINUZ
packages_unpack_kernel ()
{
  (cd "$2" && packages_apt_updating download "$1") &&
    packages_quietly dpkg -x "$2"/*.deb "$2/root" &&
    cp "$2"/root/boot/vmlinuz-* "$3.part" &&
    mv "$3.part" "$3"
}

# packages_kernel DIRECTORY: leaves DIRECTORY/vmlinuz, a kernel fetched and
# unpacked but not installed.
packages_kernel ()
{
  packages_work=$1/kernel-package
  rm -rf "$packages_work"
  mkdir -p "$packages_work" || return
  test -n "$(packages_kernel_name)" || packages_apt update || :
  packages_name=$(packages_kernel_name)
  if test -z "$packages_name"; then
    packages_fail "apt knows no linux-image-cloud-amd64"
    return
  fi
  if ! packages_unpack_kernel "$packages_name" "$packages_work" "$1/vmlinuz"
  then
    packages_fail "the kernel package could not be fetched and unpacked"
    return
  fi
  rm -rf "$packages_work"
}
