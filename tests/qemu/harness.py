# SPDX-License-Identifier: LGPL-2.1-or-later
# Real guests under QEMU: start, save in the mapped-ram layout, restore, and
# listen to the witness (guest/witness.c) that looks after their memory.

import atexit
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
QEMU_MINIMUM = 9  # the first with mapped-ram
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What a test or the demo found wrong."""


class Ended(Failure):
    """A migration ended before it should have."""


class Skip(Exception):
    """What this machine lacks."""


def qemu_version():
    """QEMU's major version, 0 when there is none."""
    try:
        text = subprocess.run([QEMU, "--version"], stdout=subprocess.PIPE,
                              check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r"version (\d+)\.", text)
    return int(match.group(1)) if match else 0


def emulator():
    """QEMU's absolute path."""
    return shutil.which(QEMU)


def guest_artifacts():
    """Paths of kernel and initramfs, made on the first call."""
    if qemu_version() < QEMU_MINIMUM:
        raise Skip(f"{QEMU} {QEMU_MINIMUM} or newer is not installed")
    directory = os.environ.get("IOPRESS_GUEST_DIR") or os.path.join(
        os.environ.get("abs_top_builddir", os.getcwd()),
        "tests", "qemu", "guest-artifacts")
    build = subprocess.run([os.path.join(HERE, "guest", "build-guest"),
                            directory], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    if build.returncode != 0:
        raise Skip(f"the test guest cannot be made: {build.stdout.strip()}")
    return (os.path.join(directory, "vmlinuz"),
            os.path.join(directory, "initramfs"))


def end_with_parent():
    """Between fork and exec: a killed test leaves no QEMU behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def connect(path, process, timeout=60):
    """Connect to the socket that PROCESS is about to listen on."""
    deadline = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            return connection
        except OSError as error:
            connection.close()
            if process.poll() is not None:
                raise Failure(f"QEMU ended with status "
                              f"{process.returncode}") from error
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


class Lines:
    """Lines of text from a socket, each waited for with a time limit."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def next(self, deadline):
        """The next line without its end, or None when time is up."""
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.connection.settimeout(left)
            try:
                data = self.connection.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise Failure("QEMU closed the connection")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("ascii", "replace").rstrip("\r")


class Qmp:
    """QEMU's control socket; a second one, "asked", is for iopress."""

    def __init__(self, connection):
        self.connection = connection
        self.lines = Lines(connection)
        self.receive()
        self.execute("qmp_capabilities")

    def receive(self, timeout=120):
        line = self.lines.next(time.monotonic() + timeout)
        if line is None:
            raise Failure("QEMU does not answer")
        return json.loads(line)

    def execute(self, command, **arguments):
        self.connection.sendall(self.request(command, arguments))
        return self.answer(command)

    def add_descriptor(self, fdset, descriptor):
        """Give QEMU a copy of DESCRIPTOR; /dev/fdset/FDSET names it there."""
        command = "add-fd"
        socket.send_fds(self.connection, [
            self.request(command, {"fdset-id": fdset})], [descriptor])
        return self.answer(command)

    @staticmethod
    def request(command, arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        return json.dumps(request).encode() + b"\n"

    def answer(self, command):
        while True:
            answer = self.receive()
            if "error" in answer:
                raise Failure(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


class State:
    """One TICK or CHECK line of the witness, which says that all is well."""

    PATTERN = re.compile(r"(TICK|CHECK) (\d+) OK sum=([0-9a-f]{16}) "
                         r"pages=(\d+) dirty=(\d+)$")

    def __init__(self, line):
        match = self.PATTERN.match(line)
        if not match:
            raise Failure(f"the guest says: {line}")
        self.number = int(match[2])
        self.sum = match[3]
        self.pages = int(match[4])
        self.sequence = int(match[5])


class Witness:
    """What a guest says on its second serial port, a connected socket."""

    def __init__(self, port):
        self.port = port
        self.lines = Lines(port)

    def expect(self, start, timeout=120):
        """The next line that begins with START.

        A line may be torn by a save: its first half is lost with the first
        QEMU, and the second half begins with nothing that anyone waits for.
        """
        deadline = time.monotonic() + timeout
        while True:
            line = self.lines.next(deadline)
            if line is None:
                raise Failure(f"no '{start}' from the guest in {timeout} s")
            if "CORRUPT" in line or line.startswith("ERROR"):
                raise Failure(f"the guest says: {line}")
            if line.startswith(start):
                return line

    def tell(self, command, answer, timeout=300):
        self.port.sendall(command.encode() + b"\n")
        return self.expect(answer, timeout)

    def boot(self):
        self.expect("READY", 180)

    def fill(self, mib):
        self.tell(f"fill {mib}", "FILLED")

    def dirty_start(self, mib):
        self.tell(f"dirty start {mib}", "DIRTYING")

    def dirty_stop(self):
        self.tell("dirty stop", "QUIET")

    def check(self):
        """Let the guest look at all its memory now; returns the State."""
        return State(self.tell("check", "CHECK "))

    def ticks(self, count, timeout=120):
        """Wait for COUNT good ticks and return their States."""
        return [State(self.expect("TICK ", timeout)) for _ in range(count)]


class Guest(Witness):
    """A QEMU process with the test guest in it; use it in a with statement."""

    POLL_SECONDS = 0.05         # how often to ask how far a migration is

    def __init__(self, directory, memory=256, cpus=1, incoming=False):
        kernel, initramfs = guest_artifacts()
        self.directory = tempfile.mkdtemp(prefix="guest-", dir=directory)
        self.log_path = os.path.join(self.directory, "log")
        self.direct_io = False
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self.command(kernel, initramfs, memory, cpus, incoming),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=end_with_parent)
        atexit.register(self.kill)
        try:
            self.qmp = Qmp(connect(self.path("qmp"), self.process))
            super().__init__(connect(self.path("port"), self.process))
        except (Failure, OSError):
            self.show_log()
            self.kill()
            raise

    def path(self, name):
        return os.path.join(self.directory, name)

    def command(self, kernel, initramfs, memory, cpus, incoming):
        def server(name):
            return f"socket,id={name},path={self.path(name)}," \
                   "server=on,wait=off"
        command = [
            QEMU, "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-accel", "tcg", "-machine", "pc",
            "-name", "iopress-test,process=iopress-guest",
            "-m", str(memory), "-smp", str(cpus),
            "-kernel", kernel, "-initrd", initramfs,
            "-append", "console=ttyS0 quiet panic=-1 init_on_alloc=0",
            "-chardev", f"file,id=console,path={self.path('console')}",
            "-serial", "chardev:console",
            "-chardev", server("port"), "-serial", "chardev:port",
            "-chardev", server("qmp"), "-mon", "chardev=qmp,mode=control",
            "-chardev", server("asked"), "-mon", "chardev=asked,mode=control"]
        return command + (["-incoming", "defer"] if incoming else [])

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.show_log()
        self.kill()

    def kill(self):
        """End this QEMU, whatever state it is in."""
        atexit.unregister(self.kill)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def show_log(self):
        for name in ("log", "console"):
            try:
                with open(self.path(name), errors="replace") as file:
                    text = file.read()[-2000:]
            except OSError:
                continue
            if text.strip():
                print(f"--- QEMU's {name}:\n{text}", file=sys.stderr)

    # Migration.

    def set_capabilities(self, **capabilities):
        """Switch capabilities on or off, mapped-ram on."""
        capabilities["mapped-ram"] = True
        self.qmp.execute("migrate-set-capabilities", capabilities=[
            {"capability": name, "state": state}
            for name, state in capabilities.items()])

    def set_migration(self, multifd_channels=0, direct_io=False, **parameters):
        self.set_capabilities(multifd=multifd_channels > 0)
        if multifd_channels:
            parameters["multifd-channels"] = multifd_channels
        if direct_io != self.direct_io:
            parameters["direct-io"] = self.direct_io = direct_io
        if parameters:
            self.qmp.execute("migrate-set-parameters", **parameters)

    def migration(self):
        return self.qmp.execute("query-migrate")

    def wait_migration(self, wanted="completed", timeout=300):
        """Poll, as events lag, until the migration has ended as WANTED."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = self.migration()
            status = answer.get("status")
            if status == wanted:
                return answer
            if status in ("completed", "failed", "cancelled"):
                raise Failure(f"migration {status}: "
                              f"{answer.get('error-desc', 'no reason given')}")
            time.sleep(self.POLL_SECONDS)
        raise Failure(f"migration not {wanted} in {timeout} s")

    def start_save(self, path, offset=0, multifd_channels=0, direct_io=False,
                   zero_page_detection=None, **parameters):
        if zero_page_detection:
            parameters["zero-page-detection"] = zero_page_detection
        self.set_migration(multifd_channels, direct_io, **parameters)
        self.qmp.execute("migrate", uri=f"file:{path},offset={offset}")

    def save_mapped_ram(self, path, live=False, **options):
        """Save into PATH; a live save lets the guest run meanwhile.

        Options are those of start_save.  A live save is kept slow until the
        dirty bitmap has been read several times, so that pages are written
        more than once, and then let go.  Where the guest gets too little of
        the processor to write anything, the save may end before that.
        """
        if not live:
            self.qmp.execute("stop")
            self.start_save(path, **options)
            return self.wait_migration()
        self.start_save(path, **options, **{
            "max-bandwidth": 48 << 20, "downtime-limit": 0})
        try:
            self.wait_figure("dirty-sync-count", 4)
        except Ended:
            return self.wait_migration()
        self.qmp.execute("migrate-set-parameters", **{
            "max-bandwidth": 8 << 30, "downtime-limit": 60000})
        return self.wait_migration()

    def wait_figure(self, name, least, timeout=120):
        """Until a running save's figure NAME has come up to LEAST."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = self.migration()
            if answer.get("status") in ("completed", "failed", "cancelled"):
                raise Ended(f"the save is {answer['status']} already")
            if answer.get("ram", {}).get(name, 0) >= least:
                return
            time.sleep(0.05)
        raise Failure(f"{name} has not come up to {least} in {timeout} s")

    def restore(self, path, offset=0, multifd_channels=0, direct_io=False):
        """Load PATH into this QEMU, started with incoming=True, and run it."""
        self.set_migration(multifd_channels, direct_io)
        self.qmp.execute("migrate-incoming",
                         uri=f"file:{path},offset={offset}")
        self.wait_migration()
        self.qmp.execute("cont")


def scratch_directory():
    """A directory that goes away with this process."""
    directory = tempfile.mkdtemp(prefix="iopress-qemu-",
                                 dir=os.environ.get("TMPDIR", "/var/tmp"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def end_on_signals():
    """Let SIGTERM and the like run the atexit functions."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))


def outcome(function):
    """Run FUNCTION; returns the exit status that automake expects."""
    try:
        function()
    except Skip as reason:
        print(f"SKIP: {reason}", file=sys.stderr)
        return 77
    except Failure as reason:
        print(f"FAIL: {reason}", file=sys.stderr)
        return 1
    return 0
