# SPDX-License-Identifier: LGPL-2.1-or-later
# A libvirtd of a test's own, with real guests.
#
#   def check(directory):
#       with Libvirtd(directory) as libvirtd:
#           guest = libvirtd.boot_guest("witness")
#           guest.save("/path")
#           guest.restore("/path")
#           guest.check_memory()
#
#   main(check)
#
# main runs the check in namespaces (namespaces.py), where /etc/libvirt,
# /var/lib/libvirt, /usr/lib/libvirt and /run are private: files stand at
# their usual paths, and the libvirt of the machine never sees them.

import os
import re
import shutil
import subprocess
import sys
import time

sys.path[1:1] = [os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "qemu")]

import harness
import iopress
import namespaces
from guest import Guest
from harness import Failure, Skip

TIMEOUT = 300                   # seconds that one virsh may take
MINIMUM = (11, 2)               # the first with the sparse format
CONFIGURATION = "/etc/libvirt"
STATE = "/var/lib/libvirt"
RUNTIME = "/run/libvirt"
LOGS = "/var/log/libvirt"
HELPERS = "/usr/lib/libvirt"
ORIGINAL_IOHELPER = os.path.join(HELPERS, "libvirt_iohelper.original")

DAEMON_SETTINGS = {
    "auth_unix_ro": "none",
    "auth_unix_rw": "none",
    "log_outputs": f"2:file:{LOGS}/libvirtd.log",
}
QEMU_SETTINGS = {
    "stdio_handler": "file",
    "security_driver": "none",
    "user": "root",
    "group": "root",
    "dynamic_ownership": 0,
    "cgroup_controllers": [],
    "namespaces": [],           # which fail in a chroot
}


def setting(value):
    """VALUE as libvirt's configuration files want it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(setting, value)) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


def write_settings(name, settings):
    with open(os.path.join(CONFIGURATION, name), "w") as file:
        for key, value in settings.items():
            file.write(f"{key} = {setting(value)}\n")


def put_program(source, path):
    """An executable copy of SOURCE at PATH, at once."""
    shutil.copyfile(source, path + ".new")
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)


def text_of(path, limit=4000):
    """The end of a log."""
    try:
        with open(path, errors="replace") as file:
            return file.read()[-limit:].strip()
    except OSError:
        return ""


class Libvirtd:
    """A running libvirtd; use it in a with statement.  It may end and start
    again: what belongs to libvirt is on the disk in DIRECTORY."""

    iohelper = os.path.join(HELPERS, "libvirt_iohelper")
    hooks = os.path.join(CONFIGURATION, "hooks")
    save_dir = os.path.join(STATE, "qemu", "save")  # of managed saves

    def __init__(self, directory, **settings):
        self.directory = directory
        self.settings = dict(QEMU_SETTINGS, **settings)
        self.guests = []
        self.process = None
        prepare(directory)
        shutil.copy2(self.iohelper, ORIGINAL_IOHELPER)
        write_settings("libvirtd.conf", DAEMON_SETTINGS)
        self.conf()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, Skip):
            self.show_logs()
        self.kill()

    # The daemon.

    def start(self):
        os.makedirs(RUNTIME, exist_ok=True)
        with open(os.path.join(LOGS, "stderr.log"), "ab") as log:
            self.process = subprocess.Popen(
                ["libvirtd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=harness.end_with_parent, cwd="/")
        deadline = time.monotonic() + 60
        while self.try_virsh("list").returncode != 0:
            if self.process.poll() is not None:
                raise Failure("libvirtd ended with status "
                              f"{self.process.returncode}")
            if time.monotonic() > deadline:
                raise Failure("libvirtd does not answer")
            time.sleep(0.1)

    def stop(self):
        """End the daemon as its init script would; guests run on."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired as error:
            raise Failure("libvirtd does not end") from error
        self.process = None

    def restart(self):
        """Start it after kill, or stop and start it; guests run on."""
        if self.process is not None:
            self.stop()
        self.start()

    def kill(self):
        """The host dies: so does every process that the test has started,
        whatever it is, and /run is lost."""
        namespaces.end_all_processes()
        if self.process is not None:
            self.process.wait()
            self.process = None
        shutil.rmtree(RUNTIME, ignore_errors=True)

    def conf(self, **settings):
        """Change qemu.conf; a running libvirtd is restarted."""
        self.settings.update(settings)
        write_settings("qemu.conf", self.settings)
        if self.process is not None:
            self.restart()

    def install_hook(self, program, name="iopress"):
        """Put PROGRAM into hooks/qemu.d.  libvirtd looks for hooks when it
        starts, so a running one is restarted."""
        folder = os.path.join(self.hooks, "qemu.d")
        os.makedirs(folder, exist_ok=True)
        put_program(program, os.path.join(folder, name))
        if self.process is not None:
            self.restart()

    def use_iohelper(self, program):
        """Let PROGRAM, or iopress, be what libvirtd starts as iohelper."""
        put_program(program, self.iohelper)

    def use_original_iohelper(self):
        put_program(ORIGINAL_IOHELPER, self.iohelper)

    def show_logs(self):
        for path in [os.path.join(LOGS, "stderr.log"),
                     os.path.join(LOGS, "libvirtd.log"),
                     *(path for guest in self.guests
                       for path in guest.logs())]:
            text = text_of(path)
            if text:
                print(f"--- {path}:\n{text}", file=sys.stderr)

    # Its client.

    def try_virsh(self, *arguments, **environment):
        """Run virsh; returns the finished process, output as text."""
        return subprocess.run(
            ["virsh", "-q", "-c", "qemu:///system", *arguments], text=True,
            env=dict(os.environ, LC_ALL="C", **environment),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=TIMEOUT)

    def virsh(self, *arguments, **environment):
        """A virsh that has to work; returns its standard output."""
        result = self.try_virsh(*arguments, **environment)
        if result.returncode != 0:
            raise Failure(f"virsh {' '.join(arguments)}: "
                          f"{result.stderr.strip()}")
        return result.stdout

    def virsh_refuses(self, *arguments, **environment):
        """A virsh that has to fail; returns its standard error."""
        result = self.try_virsh(*arguments, **environment)
        if result.returncode == 0:
            raise Failure(f"virsh {' '.join(arguments)} should have failed")
        return result.stderr

    # Guests.

    def define_guest(self, name, memory=128):
        """A guest of MEMORY MiB that has not been started."""
        guest = Guest(self, name, memory)
        self.guests.append(guest)
        return guest

    def boot_guest(self, name, memory=128, fill=40):
        """A running guest with FILL MiB of known memory."""
        guest = self.define_guest(name, memory)
        guest.boot()
        guest.fill(fill)
        return guest


def prepare(directory):
    """The private folders of libvirt."""
    for path in (CONFIGURATION, STATE, LOGS, "/var/cache/libvirt"):
        namespaces.mount_new_folder(directory, path)
    namespaces.mount_copy(directory, HELPERS)
    namespaces.mount_empty("/run")
    if os.path.isdir("/sys/fs/cgroup"):
        namespaces.mount_empty("/sys/fs/cgroup")
    os.makedirs(Libvirtd.hooks)
    os.makedirs(Libvirtd.save_dir)


def require(condition, message):
    if not condition:
        raise Failure(message)


def version():
    """libvirtd's version as numbers, () when there is none."""
    try:
        text = subprocess.run(["libvirtd", "--version"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    except (OSError, subprocess.CalledProcessError):
        return ()
    match = re.search(r"(\d+)\.(\d+)", text)
    return tuple(map(int, match.groups())) if match else ()


def require_programs():
    if os.geteuid() != 0:
        raise Skip("must be root")
    if version() < MINIMUM:
        raise Skip("libvirtd %d.%d or newer is not installed" % MINIMUM)
    if shutil.which("virsh") is None:
        raise Skip("virsh is not installed")
    if not os.path.exists(Libvirtd.iohelper):
        raise Skip(f"{Libvirtd.iohelper} is not there")
    iopress.program()


def require_needs():
    require_programs()
    harness.guest_artifacts()


def machine_state():
    """What a test must leave alone on the machine, as it is now."""
    return [(path, os.lstat(path).st_mtime_ns, sorted(os.listdir(path)))
            for folder in (CONFIGURATION, HELPERS)
            for path, _, _ in os.walk(folder)]


def main(check, needs=require_needs):
    """Run CHECK (directory) in namespaces of its own, if NEEDS () finds what
    that needs, and end with the status that automake expects."""
    harness.end_on_signals()
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    status = harness.outcome(needs)
    if status == 0:
        directory = harness.scratch_directory()
        before = machine_state()
        status = namespaces.run(lambda: check(directory), directory)
        if machine_state() != before:
            print("FAIL: the libvirt of the machine was changed",
                  file=sys.stderr)
            status = 1
    sys.exit(status)
