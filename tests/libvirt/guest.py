# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest of libvirtd.py, with the witness of ../qemu/guest in it.

import os
import subprocess
import time
import uuid

import harness
from harness import Failure, Witness

# TCG, so that it runs everywhere.
DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initramfs}</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 init_on_alloc=0</cmdline>
  </os>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path='{console}' append='on'/>
      <target port='0'/>
    </serial>
    <serial type='unix'>
      <source mode='bind' path='{port}'/>
      <target port='1'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""


class Serial:
    """What a guest says on a port, taken in at once, whoever waits for it.

    QEMU must always be able to send: a transmitter that waits for its reader
    while the guest is saved is stuck for ever in the guest restored from it,
    as nobody is connected when that begins.
    """

    def __init__(self, connection, path):
        self.file = open(path, "wb+", buffering=0)
        # Ends with QEMU or with the namespace.  Not with its parent: the kernel
        # takes the thread for that, and some tests start guests in threads.
        self.process = subprocess.Popen(["cat"], stdin=connection,
                                        stdout=self.file)
        self.position = 0

    def text(self):
        """All that the guest has said here."""
        size = os.fstat(self.file.fileno()).st_size
        return os.pread(self.file.fileno(), size, 0).decode("ascii", "replace")

    def skip(self):
        """Forget the lines that nobody has waited for."""
        self.position = self.text().rfind("\n") + 1

    def next(self, deadline):
        """The next line without its end, or None when time is up."""
        while True:
            ended = self.process.poll() is not None
            text = self.text()
            end = text.find("\n", self.position)
            if end != -1:
                line = text[self.position:end].rstrip("\r")
                self.position = end + 1
                return line
            if ended:
                raise Failure("QEMU closed the connection")
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)


class Guest(Witness):
    """A guest that libvirtd knows; its memory is as it was at the last fill,
    and check_memory finds out whether it still is."""

    def __init__(self, libvirtd, name, memory):
        self.libvirtd = libvirtd
        self.name = name
        self.state = None
        self.port_path = os.path.join(libvirtd.directory, f"{name}.port")
        self.console = os.path.join(libvirtd.directory, f"{name}.console")
        path = os.path.join(libvirtd.directory, f"{name}.xml")
        kernel, initramfs = harness.guest_artifacts()
        with open(path, "w") as file:
            file.write(DOMAIN.format(
                name=name, uuid=uuid.uuid4(), memory=memory, kernel=kernel,
                initramfs=initramfs, emulator=harness.emulator(),
                console=self.console, port=self.port_path))
        libvirtd.virsh("define", path)

    def logs(self):
        return [f"/var/log/libvirt/qemu/{self.name}.log", self.console]

    def attach(self):
        """Listen to a guest that has just been started or restored."""
        self.port = harness.connect(self.port_path, self.libvirtd.process)
        self.lines = Serial(self.port, self.port_path + ".log")

    def serial(self):
        """What the witness has said since attach."""
        return self.lines.text()

    # Life.

    def boot(self):
        """Start it afresh and wait until the witness is ready."""
        self.libvirtd.virsh("start", self.name, "--paused", "--force-boot")
        self.attach()
        self.libvirtd.virsh("resume", self.name)
        super().boot()

    def start(self, *options):
        """Start it as it was saved by managed_save."""
        self.libvirtd.virsh("start", self.name, *options)
        self.attach()

    def managed_save(self, *options):
        self.libvirtd.virsh("managedsave", self.name, *options)

    def save(self, path, *options):
        self.libvirtd.virsh("save", self.name, path, *options)

    def restore(self, path, *options):
        self.libvirtd.virsh("restore", path, *options)
        self.attach()

    def suspend(self):
        self.libvirtd.virsh("suspend", self.name)

    def resume(self):
        self.libvirtd.virsh("resume", self.name)

    def destroy(self):
        self.libvirtd.virsh("destroy", self.name)

    def domain_state(self):
        """"running", "paused", "shut off" ..."""
        return self.libvirtd.virsh("domstate", self.name).strip()

    # The witness.

    def fill(self, mib):
        """Fill MIB more with known pages."""
        super().fill(mib)
        self.state = self.check()

    def wait_for_ticks(self, count=2):
        """Until the witness has looked at everything COUNT times more."""
        self.lines.skip()
        return self.ticks(count)

    def check_memory(self):
        """The guest runs on, and its memory is as it was before."""
        ticks = self.wait_for_ticks()
        now = self.check()
        if any(state.sum != self.state.sum for state in ticks + [now]):
            raise Failure(f"{self.name}: the checksum is another one than "
                          "before the save")
        if now.pages != self.state.pages:
            raise Failure(f"{self.name} has lost pages")
        if now.sequence < self.state.sequence or \
                now.number <= self.state.number:
            raise Failure(f"{self.name} went back in time")
        self.state = now
