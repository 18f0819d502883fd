# SPDX-License-Identifier: LGPL-2.1-or-later
# Plays libvirtd: opens the files of a save, passes descriptors to QEMU and to
# iopress, tells iopress when QEMU has finished, and rewrites the header; then
# brings the guest back the same way.

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import iopress
from harness import Failure, Guest, Skip, end_with_parent
from roundtrip import libvirt_prefix, require, settle

NOBODY = 65534
FDSET = 1
PREFIX_BYTES = 67981            # of a real save: aligned to nothing
HEADER_BYTES = 92
COOKIE = b"<cookie/>\n\0"
UNFINISHED = libvirt_prefix(PREFIX_BYTES, b"LibvirtQemudPart", COOKIE)
FINISHED = libvirt_prefix(PREFIX_BYTES, b"LibvirtQemudSave", COOKIE)
LEFT_OVER = b"left over from something else\n"
TIMEOUT = 120
CLONE_NEWNS = 0x00020000
PLUGINS = os.path.join(iopress.build_directory(), "plugins", ".libs")

DONE, FAILED, INCOMPLETE, CONSUMED, CANCELLED = 0, 1, 3, 4, 5


def enter_child(descriptors, messages, user):
    """Between fork and exec: DESCRIPTORS get the numbers from 3 on, and
    nothing else stays open.  MESSAGES: where standard error goes, None for
    closed standard streams."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64) for fd in descriptors]
    end = 3
    for fd in high:
        os.dup2(fd, end)
        end += 1
    if messages is not None:
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        os.dup2(os.open(messages, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    else:
        os.closerange(0, 3)
    os.closerange(end, 64)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    end_with_parent()


class Helper:
    """A running iopress, in an empty environment."""

    def __init__(self, verb, arguments, descriptors, messages=None, user=None):
        # Without the wrapper, which is a script and needs an environment.
        command = [os.path.join(iopress.build_directory(), "iopress"), verb,
                   "--plugin-dir", PLUGINS, *arguments]
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                enter_child(descriptors, messages, user)
                os.execve(command[0], command, {})
            finally:
                os._exit(126)
        self.status = None
        self.messages = messages

    def poll(self):
        """The exit status, minus the signal, or None while it runs."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def said(self):
        """Its messages, as far as it had where to put them."""
        if self.messages is None:
            return "with closed standard streams"
        with open(self.messages) as file:
            return file.read().strip()

    def kill(self, number=signal.SIGKILL):
        if self.poll() is None:
            os.kill(self.pid, number)

    def end(self, *wanted):
        """Wait until it ends, and look at its status."""
        deadline = time.monotonic() + TIMEOUT
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.kill()
                raise Failure(f"iopress has not ended in {TIMEOUT} s")
            time.sleep(0.01)
        require(self.status in wanted,
                f"iopress ended with status {self.status} instead of {wanted}"
                f": {self.said()}")
        return self.status

    def expect_waiting(self):
        time.sleep(0.3)
        require(self.poll() is None, f"iopress did not wait, but ended with "
                                     f"status {self.status}")


def read_progress(descriptor, verb, state):
    """What a helper that has ended wrote for programs."""
    with open(descriptor, "rb") as file:
        lines = [json.loads(line) for line in file.read().splitlines()]
    require(lines and lines[-1]["state"] == state,
            f"{verb}: progress ends with {lines[-1:]} instead of {state}")
    for line in lines:
        require(line["verb"] == verb and line["position"] <= line["total"],
                f"progress says {line}")


def digest(path):
    """Of the content and of what shows that somebody touched it; the time of
    the last change comes last."""
    settle(path)
    content = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            content.update(piece)
    found = os.stat(path)
    return content.hexdigest(), found.st_size, found.st_blocks, found.st_mtime_ns


class Save:
    """One save of a guest: its files, and what is done with them.

    OWNER and USER are numbers: who owns the files, and whom iopress runs as.
    ACCESS is how descriptor 3 is open; only O_WRONLY is QEMU's too."""

    options = ["-c", "zstd:1"]

    def __init__(self, directory, name, access=os.O_WRONLY, owner=None,
                 user=None, streams=False, image_directory=None):
        self.directory = os.path.join(directory, name)
        os.mkdir(self.directory)
        self.path = os.path.join(self.directory, "save")
        self.image_path = os.path.join(image_directory or self.directory,
                                       f"{name}.image")
        self.messages = os.path.join(self.directory, "messages")
        self.streams = self.messages if streams else None
        self.user = user
        self.source = self.create(self.path, access, owner, UNFINISHED)
        self.image = self.create(self.image_path, os.O_RDWR, owner, LEFT_OVER)
        self.descriptors = [self.source, self.image]
        self.wait = self.progress = None

    @staticmethod
    def create(path, access, owner, content):
        descriptor = os.open(path, access | os.O_CREAT | os.O_EXCL, 0o600)
        if owner is not None:
            os.fchown(descriptor, owner, owner)
        os.write(descriptor, content)
        return descriptor

    # QEMU.

    def open_for_qemu(self, direct_io):
        """Descriptors that QEMU may write through."""
        access = fcntl.fcntl(self.source, fcntl.F_GETFL) & os.O_ACCMODE
        yield (os.dup(self.source) if access == os.O_WRONLY
               else os.open(self.path, os.O_WRONLY))
        if direct_io:
            yield os.open(self.path, os.O_WRONLY | os.O_DIRECT)

    def start_migration(self, guest, direct_io=False, **options):
        for descriptor in self.open_for_qemu(direct_io):
            guest.qmp.add_descriptor(FDSET, descriptor)
            os.close(descriptor)
        guest.start_save(f"/dev/fdset/{FDSET}", offset=PREFIX_BYTES,
                         direct_io=direct_io, **options)

    @staticmethod
    def end_migration(guest, wanted="completed"):
        """Until it has ended, and then take the files away from QEMU."""
        answer = guest.wait_migration(wanted)
        guest.qmp.execute("remove-fd", **{"fdset-id": FDSET})
        return answer

    def migrate(self, guest, **options):
        """A whole stopped save."""
        guest.qmp.execute("stop")
        self.start_migration(guest, **options)
        self.end_migration(guest)

    # iopress.

    def start_helper(self, *options):
        wait, self.wait = os.pipe()
        self.progress, progress = os.pipe()
        helper = Helper("save", ["--discard", "--wait-fd", "5",
                                 "--progress-fd", "6", *self.options,
                                 *options, "fd:3", "fd:4"],
                        [self.source, self.image, wait, progress],
                        self.streams, self.user)
        os.close(wait)
        os.close(progress)
        return helper

    def tell_completed(self):
        os.write(self.wait, b"\n")

    def give_up(self):
        os.close(self.wait)

    def resume(self, *wanted):
        """Go on with what another helper left."""
        return Helper("save", ["--resume", "fd:3", "fd:4"],
                      [self.source, self.image], self.streams,
                      self.user).end(*wanted)

    def finish(self):
        """What libvirtd does in the end, and what must hold then."""
        self.check_consumed()
        image = os.open(self.image_path, os.O_WRONLY)
        os.pwrite(image, FINISHED[:HEADER_BYTES], 0)
        os.fsync(image)
        os.close(image)
        self.close()
        iopress.verify(self.image_path)

    def close(self):
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []

    def check_consumed(self):
        with open(self.path, "rb") as file:
            try:
                where = file.seek(0, os.SEEK_DATA)
            except OSError as error:
                require(error.errno == errno.ENXIO, f"{self.path}: {error}")
                return
        raise Failure(f"the source still has data at byte {where}")

    def expect_message(self, text):
        """For a save with standard streams."""
        with open(self.messages) as file:
            message = file.read().strip()
        print(message)
        require(text in message, f"no '{text}' in '{message}'")

    def blocks(self):
        return os.stat(self.path).st_blocks * 512

    # And back.

    def restore(self):
        """Into a file without a name; returns its descriptor."""
        try:
            restored = os.open(self.directory, os.O_TMPFILE | os.O_RDWR, 0o600)
        except OSError as error:
            raise Skip(f"{self.directory}: {error.strerror}") from error
        image = os.open(self.image_path, os.O_RDONLY)
        progress, write_end = os.pipe()
        helper = Helper("restore", ["--progress-fd", "5", "fd:3", "fd:4"],
                        [image, restored, write_end], self.streams, self.user)
        os.close(write_end)
        os.close(image)
        helper.end(DONE)
        read_progress(progress, "restore", "done")
        require(os.pread(restored, PREFIX_BYTES, 0) == FINISHED,
                "libvirt's header did not come back")
        os.unlink(self.image_path)
        os.unlink(self.path)
        return restored


def load(guest, restored, direct_io=False, **options):
    """Let GUEST, started for it, take over from the descriptor RESTORED."""
    for flags in [os.O_RDONLY] + [os.O_RDONLY | os.O_DIRECT] * direct_io:
        descriptor = os.open(f"/proc/self/fd/{restored}", flags)
        guest.qmp.add_descriptor(FDSET, descriptor)
        os.close(descriptor)
    os.close(restored)
    guest.restore(f"/dev/fdset/{FDSET}", offset=PREFIX_BYTES,
                  direct_io=direct_io, **options)
    guest.qmp.execute("remove-fd", **{"fdset-id": FDSET})


def check_runs_on(guest, state):
    """Memory as it was in STATE, and time goes on."""
    guest.ticks(1)
    after = guest.check()
    require((after.sum, after.pages) == (state.sum, state.pages),
            "the guest's memory is another one than before the save")
    require(after.sequence >= state.sequence, "the guest went back in time")


def bring_back(save, directory, state, **options):
    """All of the way back, in another QEMU."""
    restored = save.restore()
    with Guest(directory, incoming=True) as guest:
        load(guest, restored, **options)
        check_runs_on(guest, state)


def private_mount(directory, size):
    """Mount a tmpfs of SIZE bytes for this process and its children alone."""
    if os.geteuid() != 0:
        return False
    commands = (["mount", "--make-rprivate", "/"],
                ["mount", "-t", "tmpfs", "-o", f"size={size}", "none",
                 directory])
    return ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0 and all(
        subprocess.run(command).returncode == 0 for command in commands)


def resize(directory, size):
    """Another size for what private_mount has mounted."""
    subprocess.run(["mount", "-o", f"remount,size={size}", directory],
                   check=True)
