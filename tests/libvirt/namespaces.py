# SPDX-License-Identifier: LGPL-2.1-or-later
# Namespaces of a test's own: what it mounts, what it starts and which
# addresses it listens at is seen by nobody else, and ends with it.

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

from harness import Skip, end_on_signals, end_with_parent, outcome

CLONE_NEWNS, CLONE_NEWIPC = 0x00020000, 0x08000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000


def unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(*arguments):
    result = subprocess.run(["mount", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise Skip(f"mount {' '.join(arguments)}: {result.stdout.strip()}")


def mount_empty(path, options="mode=755"):
    """Let an empty tmpfs stand at PATH."""
    mount("-t", "tmpfs", "-o", options, "none", path)


def mounted_types(path):
    """The types of the file systems mounted at PATH, one on another."""
    with open("/proc/self/mountinfo") as file:
        entries = [line.partition(" - ") for line in file]
    return [tail.split()[0] for head, _, tail in entries
            if head.split()[4] == path]


def is_seen_by(process, path):
    """Whether what is mounted at PATH is mounted there for PROCESS, too."""
    return os.stat(f"/proc/{process}/root{path}").st_dev == \
        os.stat(path).st_dev


def make_mounts_private(directory, outsider):
    """Let no mount of this namespace reach that of the process OUTSIDER.

    In a chroot, / need not be a mount, and then nothing can be said about it.
    """
    subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.PIPE)
    probe = os.path.join(directory, "probe")
    os.mkdir(probe)
    mount_empty(probe)
    seen = is_seen_by(outsider, probe)
    subprocess.run(["umount", probe], check=True)
    if seen:
        raise Skip("mounts made here would be seen by the whole machine")


def mount_new_folder(directory, path):
    """Let a new folder in DIRECTORY, on a real file system, stand at PATH."""
    folder = os.path.join(directory, path.strip("/").replace("/", "-"))
    os.mkdir(folder, 0o755)
    os.makedirs(path, exist_ok=True)
    mount("--bind", folder, path)


def mount_copy(directory, path):
    """Let a copy of the folder PATH, made in DIRECTORY, stand there."""
    folder = os.path.join(directory, path.strip("/").replace("/", "-"))
    shutil.copytree(path, folder, symlinks=True)
    mount("--bind", folder, path)


def flush():
    sys.stdout.flush()
    sys.stderr.flush()


def fork(function):
    """A child that runs FUNCTION and ends with the status it returns."""
    flush()
    child = os.fork()
    if child != 0:
        return child
    status = 1
    try:
        end_with_parent()
        status = function()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        flush()
        os._exit(status)


def exit_status(wait_status):
    """As a shell tells it."""
    code = os.waitstatus_to_exitcode(wait_status)
    return code if code >= 0 else 128 - code


def take_processes_in(function):
    """The first process of a PID namespace: what others leave behind comes to
    it, as a QEMU that libvirtd has started, and must not stay a zombie."""
    test = fork(lambda: outcome(function))
    while True:
        child, status = os.wait()
        if child == test:
            return exit_status(status)


def unshare_all():
    try:
        unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET)
    except OSError as error:
        raise Skip(f"no namespaces can be made here: {error}") from error


def separate(function):
    """The next child is the first process of its PID namespace."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    status = outcome(unshare_all)
    if status != 0:
        return status
    first = fork(lambda: take_processes_in(function))
    return exit_status(os.waitpid(first, 0)[1])


def run(function, directory):
    """Run FUNCTION in namespaces of its own; returns its exit status, which
    is what outcome makes of it.  DIRECTORY is an empty one."""
    outsider = os.getpid()

    def begin():
        make_mounts_private(directory, outsider)
        mount("-t", "proc", "none", "/proc")
        end_on_signals()
        function()

    child = fork(lambda: separate(begin))
    try:
        return exit_status(os.waitpid(child, 0)[1])
    finally:
        end_child(child)


def end_child(child, patience=5):
    """A signal to the whole group lets the test tell where it was."""
    deadline = time.monotonic() + patience
    try:
        while os.waitpid(child, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.05)
    except ChildProcessError:
        pass                    # it has ended


def is_private():
    """Whether this process is below take_processes_in."""
    return os.getpid() != 1 and os.getppid() == 1 and \
        os.readlink("/proc/1/ns/pid") == os.readlink("/proc/self/ns/pid")


def end_all_processes():
    """Kill everything in this PID namespace but the test itself."""
    if not is_private():
        raise RuntimeError("not in a PID namespace of its own")
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
