#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress-virsh: guests are saved into an image and restored from it, and a
# guest whose save fails, or is broken off, is not lost.

import os
import re
import signal
import subprocess
import time

from libvirtd import Libvirtd, main, require  # finds the other
import iopress
import namespaces

SCRIPT = os.path.join(os.environ["abs_top_srcdir"], "contrib", "libvirt",
                      "iopress-virsh")
# The built iopress; it finds a full disk when FILL names a file for that.
IOPRESS = """#!/bin/sh
case $* in
  *--discard*.sparse*) test -z "$FILL" || dd if=/dev/zero of="$FILL" 2>/dev/null ;;
esac
exec "$IOPRESS" "$@"
"""
FINISH = re.compile("^iopress-virsh: finish with: (.*)$", re.MULTILINE)


def put_iopress_into_path(directory):
    folder = os.path.join(directory, "bin")
    os.mkdir(folder)
    with open(os.path.join(folder, "iopress"), "w") as file:
        file.write(IOPRESS)
    os.chmod(file.name, 0o755)
    os.environ["PATH"] = folder + ":" + os.environ["PATH"]


def iopress_virsh(status, *arguments, **environment):
    """Run it; returns standard output and error together."""
    result = subprocess.run(["bash", SCRIPT, *arguments], text=True,
                            env=dict(os.environ, **environment),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=300)
    print(result.stdout, flush=True)
    require(result.returncode == status, f"iopress-virsh {arguments}: "
            f"status {result.returncode} instead of {status}")
    return result.stdout


def require_only(path, others=()):
    folder, name = os.path.split(path)
    there = sorted(os.listdir(folder))
    require(there == sorted([name, *others]), f"in {folder} are {there}")


def check_round_trip(guest, path, save_options=(), restore_options=(),
                     state="running"):
    iopress_virsh(0, "save", guest.name, path, *save_options)
    require_only(path)
    require(guest.domain_state() == "shut off", "the guest runs")
    iopress.verify(path)
    guest.libvirtd.virsh_refuses("restore", path)
    iopress_virsh(0, "restore", path, *restore_options)
    require_only(path)
    require(guest.domain_state() == state, f"is {guest.domain_state()}")
    guest.attach()
    if state == "paused":
        guest.resume()
    guest.check_memory()
    os.unlink(path)


def finish(text):
    """Do what the message says."""
    match = FINISH.search(text)
    require(match, f"no command in: {text}")
    subprocess.run(["bash", "-e", "-c", match.group(1)], check=True)


def check_back(guest, path):
    iopress_virsh(0, "restore", path)
    guest.attach()
    guest.check_memory()


def used(folder):
    status = os.statvfs(folder)
    return status.f_blocks - status.f_bfree


def check_full_disk(guest, folder):
    """First there is no room for the save file, then none for the image."""
    path = os.path.join(folder, "image")
    namespaces.mount_empty(folder, "size=4M")
    text = iopress_virsh(1, "save", guest.name, path)
    require("No space left" in text, "another failure")
    require(guest.domain_state() == "running", "the guest does not run")
    require(os.listdir(folder) == [], f"left: {os.listdir(folder)}")
    guest.check_memory()
    subprocess.run(["mount", "-o", "remount,size=256M", folder], check=True)
    filler = os.path.join(folder, "filler")
    text = iopress_virsh(4, "save", guest.name, path, FILL=filler)
    require("No space left" in text, "another failure")
    require(guest.domain_state() == "shut off", "the guest runs")
    os.unlink(filler)
    finish(text)
    os.unlink(path + ".lock")
    require_only(path)
    check_back(guest, path)
    os.unlink(path)
    # QEMU keeps what it has loaded open.
    require(used(folder) == 0, f"{used(folder)} blocks are in use")
    subprocess.run(["umount", "--lazy", folder], check=True)


def kill_while_packing(guest, path):
    """Kill the script and iopress once iopress has begun to write."""
    process = subprocess.Popen(["bash", SCRIPT, "save", "-c", "xz:1", "-T1",
                                guest.name, path], start_new_session=True)
    while process.poll() is None:
        part = path + ".part"
        if os.path.exists(part) and os.stat(part).st_size > 0:
            break
        time.sleep(0.02)
    require(process.poll() is None, "the save has ended before it was killed")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run(["flock", path + ".lock", "true"], check=True)


def check_kill(guest, path):
    kill_while_packing(guest, path)
    require(guest.domain_state() == "shut off", "the guest runs")
    text = iopress_virsh(1, "save", guest.name, path)
    finish(text)
    check_back(guest, path)


def check_direct_io(guest, folder, path):
    """What libvirt leaves set in QEMU, which would crash in the save then."""
    small = os.path.join(folder, "small")
    os.mkdir(small)
    namespaces.mount_empty(small, "size=4M")
    text = iopress_virsh(1, "save", "--bypass-cache", guest.name,
                         os.path.join(small, "image"))
    require("No space left" in text, "another failure")
    require(guest.domain_state() == "running", "the guest does not run")
    guest.save(path, "--image-format", "sparse")
    guest.restore(path, "--bypass-cache")
    os.unlink(path)
    guest.check_memory()
    subprocess.run(["umount", small], check=True)
    os.rmdir(small)
    check_round_trip(guest, path)


def check(directory):
    put_iopress_into_path(directory)
    folder = os.path.join(directory, "images")
    os.mkdir(folder)
    path = os.path.join(folder, "the 1st 'image'")
    with Libvirtd(directory) as libvirtd:
        guest = libvirtd.boot_guest("witness")
        check_round_trip(guest, path)
        check_round_trip(guest, path, ["--paused"], state="paused")
        check_round_trip(guest, path, [], ["--paused"], state="paused")
        check_full_disk(guest, folder)
        check_kill(guest, path)
        os.unlink(path)
        check_direct_io(guest, folder, path)
        check_round_trip(guest, path, ["-c", "lz4", "--bypass-cache",
                                       "--parallel-channels", "2"],
                         ["--bypass-cache", "--parallel-channels=3",
                          "--tmpdir", directory])
        check_round_trip(guest, path)


main(check)
