# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes a real guest's memory for contrib/bench: a guest under QEMU's
# emulation runs this machine's own Python until its memory is full of page
# cache, a database, and what an interpreter leaves behind; then QEMU saves it
# in the mapped-ram layout.

import os
import shutil
import subprocess
import sys
import sysconfig

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "qemu"))

import harness

from bench_run import Failure

INIT = os.path.join(HERE, "bench-guest-init.py")
FILL_SECONDS_MAX = 7200
GUEST_MIB_MIN = 512
LOADED_LIBRARIES = ("/usr/lib", "/lib")


class Guest(harness.Guest):
    """The kernel has no random numbers so early, and Python wants some; what
    the kernel does not know on its command line is init's environment."""

    def command(self, *arguments):
        words = super().command(*arguments)
        words[words.index("-append") + 1] += " PYTHONHASHSEED=0"
        return words


def libraries_of(path):
    """The shared libraries that PATH needs, as ldd says."""
    result = subprocess.run(["ldd", path], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=False)
    words = result.stdout.split()
    return {word for word in words if word.startswith("/")}


def add(root, path):
    """Copy one file to the same place below ROOT."""
    target = root + path
    if not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(path, target)


def copy_programs(root):
    """Python with its modules, the libraries of both, all real programs."""
    python = os.path.realpath(sys.executable)
    modules = sysconfig.get_path("stdlib")
    shutil.copytree(modules, root + modules, symlinks=True,
                    ignore=shutil.ignore_patterns(
                        "test", "__pycache__", "*-packages", "config-*"))
    add(root, python)
    wanted = libraries_of(python)
    for folder, _, names in os.walk(os.path.join(modules, "lib-dynload")):
        for name in names:
            wanted |= libraries_of(os.path.join(folder, name))
    # A virtual system library has no file.
    for path in filter(os.path.exists, wanted):
        add(root, path)
    return python


def copy_ballast(root, size):
    """Other shared libraries: initramfs files are page cache."""
    for folder in LOADED_LIBRARIES:
        for place, _, names in os.walk(folder):
            for name in sorted(names):
                path = os.path.join(place, name)
                if os.path.islink(path) or ".so" not in name or \
                   not os.path.isfile(path):
                    continue
                if os.path.getsize(path) <= size:
                    add(root, path)
                    size -= os.path.getsize(path)


def make_initramfs(folder, ballast):
    root = os.path.join(folder, "root")
    shutil.rmtree(root, ignore_errors=True)
    for name in ("dev", "proc", "data", "tmp"):
        os.makedirs(os.path.join(root, name))
    python = copy_programs(root)
    copy_ballast(root, ballast)
    with open(INIT, encoding="utf-8") as file:
        script = file.read()
    with open(os.path.join(root, "init"), "w", encoding="utf-8") as file:
        file.write(f"#!{python}\n{script}")
    os.chmod(os.path.join(root, "init"), 0o755)
    initramfs = os.path.join(folder, "initramfs-bench")
    subprocess.run(f"find . | cpio --quiet -o -H newc -R 0:0 >'{initramfs}'",
                   shell=True, cwd=root, check=True)
    shutil.rmtree(root)
    return initramfs


def make(path, mib, folder):
    """Leave the memory of a guest of MIB in PATH, a mapped-ram file."""
    if mib < GUEST_MIB_MIN:
        raise Failure(f"a guest needs {GUEST_MIB_MIN} MiB at least")
    os.environ.setdefault("IOPRESS_GUEST_DIR", os.path.join(folder, "guest"))
    harness.end_on_signals()
    try:
        kernel, _ = harness.guest_artifacts()
        # While it boots, the guest holds the archive and what is in it.
        initramfs = make_initramfs(folder, mib // 8 << 20)
        harness.guest_artifacts = lambda: (kernel, initramfs)
        with Guest(folder, memory=mib) as guest:
            guest.expect("READY", 1800)
            guest.tell(f"fill {mib}", "FILLED", FILL_SECONDS_MAX)
            guest.save_mapped_ram(path + ".part")
    except (harness.Failure, harness.Skip, OSError,
            subprocess.CalledProcessError) as error:
        raise Failure(f"no guest: {error}") from error
    os.rename(path + ".part", path)
