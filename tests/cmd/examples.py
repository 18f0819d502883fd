#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every example with a prompt in the man pages, and every block of commands in
# the documents, does what it says: it is run as printed, in a folder of its own
# that stands for the root, with stand-ins for virsh, ssh and QEMU, and with the
# files there that it begins with.

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

TOP = os.environ["abs_top_srcdir"]
BUILD = os.environ["abs_top_builddir"]
IMAGES = {"guest.iop", "IMAGE", "damaged.iop", "old.iop", "OUTPUT", "a.iop",
          "b.iop"}
SOURCES = {"guest.save", "SOURCE", "FILE.sparse", "disk.raw"}
FOLDERS = {"/backup": "backup", "/larger": "larger", "/var/tmp": "tmp",
           "/var/lib/libvirt/qemu/save": "saves", "/srv/saves": "srv",
           "/etc/libvirt": "etc/libvirt"}
SHARE = "/usr/share/iopress/libvirt/"
STUBS = {"systemctl", "setsebool", "ausearch", "jq", "mount", "umount",
         "apt-get"}
WRITERS = {"save", "restore", "recover", "repack"}


def man_blocks(path):
    """The literal displays of a man page that have a prompt."""
    text = open(path, encoding="utf-8").read()
    for block in re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", text,
                            re.M):
        block = block.replace("\\e", "\\").replace("\\(dq", '"')
        if re.search(r"^[#$] ", block, re.M):
            yield re.sub(r"^[#$] ", "", block, flags=re.M)


def markdown_blocks(path):
    """The blocks that are marked as commands."""
    text = open(path, encoding="utf-8").read()
    yield from re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)


def blocks():
    for path in sorted(glob.glob(f"{TOP}/docs/*.[1-8]") +
                       glob.glob(f"{TOP}/plugins/*/*.7")):
        for block in man_blocks(path):
            yield os.path.basename(path), block
    for name in ("README.md", "docs/cookbook.md"):
        if os.path.exists(f"{TOP}/{name}"):
            for block in markdown_blocks(f"{TOP}/{name}"):
                yield name, block


def commands(block):
    """The words of each simple command, roughly."""
    for part in re.split(r"&&|\|\||[|;\n]", block.replace("\\\n", " ")):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            words = part.split()
        if words:
            yield words


def writes(words, name):
    """Whether this command makes the file."""
    if any(word == ">" + name or word.endswith(">" + name) for word in words):
        return True
    if words[0] in ("virsh", "iopress-virsh") and "save" in words:
        return words[-1] == name
    if words[0] != "iopress" or words[1] not in WRITERS:
        return False
    return words[-1] == name and "--resume" not in words and \
        "--replace" not in words and "--estimate" not in words


def needed(block):
    """The files that are read before anything has made them."""
    found = {}
    for words in commands(block):
        for word in words:
            name = re.split("[>=]", word)[-1]
            if os.path.basename(name) in IMAGES | SOURCES:
                if name not in found and f"{name}:made" not in found:
                    found[f"{name}:made" if writes(words, name) else name] = 1
    return [name for name in found if not name.endswith(":made")]


class Sandbox:
    def __init__(self, folder):
        self.folder = folder
        self.sample = os.path.join(folder, "sample")
        self.image = os.path.join(folder, "image")
        self.bin = os.path.join(folder, "bin")
        os.mkdir(self.bin)
        subprocess.run([sys.executable, f"{TOP}/tests/lib/make_mapped_ram.py",
                        "--preset", "libvirt-save", self.sample], check=True)
        subprocess.run([os.environ["IOPRESS"], "save", self.sample,
                        self.image], check=True)
        # That something is missing is no failure of recover.
        self.script("iopress", f'''"{os.environ["IOPRESS"]}" "$@"
status=$?
test "$1-$status" != recover-3 || exit 0
exit $status''')
        self.script("iopress-virsh", f'exec "{TOP}/contrib/libvirt/'
                    'iopress-virsh" "$@"')
        self.script("iopress-extract", f'exec "{TOP}/contrib/iopress-extract" '
                    '"$@"')
        self.script("virsh", f'exec "{sys.executable}" '
                    f'"{TOP}/tests/lib/stand_in_virsh.py" "$@"')
        self.script("ssh", 'shift; cd "$REMOTE" && exec sh -c "$*"')
        self.script("s3", 'cd "$REMOTE" || exit 1\n'
                    'case $1 in put) cat >"$2" ;; get) cat "$2" ;; esac')
        self.script("qemu-system-x86_64", 'for word; do case $word in fd=*,*) '
                    'word=${word#fd=}; head -c 16 "/dev/fd/${word%,*}" | '
                    'grep -q ^Libvirt; exit ;; esac; done; exit 1')
        for name in STUBS:
            self.script(name, 'test -t 0 || test "${0##*/}" != jq || '
                        'cat >/dev/null')

    def script(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    def prepare(self, root, names):
        for folder in [*FOLDERS.values(), "remote", "helper"]:
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        for name in names:
            kind = self.image if os.path.basename(name) in IMAGES and \
                os.path.basename(name) != "OUTPUT" else self.sample
            if os.path.basename(name) != "OUTPUT":
                shutil.copyfile(kind, os.path.join(root, name))
        shutil.copyfile(self.image, os.path.join(root, "remote/guest.iop"))

    def local(self, block, root):
        """The block with paths below ROOT."""
        paths = {path: os.path.join(root, folder)
                 for path, folder in FOLDERS.items()}
        paths[SHARE + "install-hook"] = \
            f"sh {TOP}/contrib/libvirt/install-hook --root {root}"
        paths[SHARE + "install-iohelper"] = \
            f"sh {TOP}/contrib/libvirt/install-iohelper --iopress " \
            f"{BUILD}/iopress --libvirt-helper {root}/helper/libvirt_iohelper"
        block = re.sub("(" + "|".join(map(re.escape, paths)) + r")(?=[/\s]|$)",
                       lambda match: paths[match.group(1)], block)
        # Placeholders that are numbers or left out.
        return re.sub(r"=N\b", "=65536", block).replace(" ... ", " ")

    def run(self, number, where, block):
        root = os.path.join(self.folder, str(number))
        os.mkdir(root)
        self.prepare(root, [])
        text = self.local(block, root)
        self.prepare(root, needed(text))
        if ".part" in block:
            with open(self.image, "rb") as image, \
                 open(os.path.join(root, "OUTPUT.part"), "wb") as part:
                part.write(image.read()[:-200])
        helper = os.path.join(root, "helper/libvirt_iohelper")
        with open(helper, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nprintf "Usage: %s FILENAME FD" "$0"\n')
        os.chmod(helper, 0o755)
        environment = dict(os.environ, PATH=self.bin + ":" + os.environ["PATH"],
                           SAMPLE=self.sample,
                           SAVES=os.path.join(root, "saves"),
                           REMOTE=os.path.join(root, "remote"))
        result = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", text], cwd=root,
            env=environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        shutil.rmtree(root)
        if result.returncode == 0:
            return True
        print(f"FAIL: {where}: exit status {result.returncode} of\n{block}"
              f"{result.stdout}")
        return False


def main():
    with tempfile.TemporaryDirectory(dir=f"{BUILD}/tests") as folder:
        sandbox = Sandbox(folder)
        good = [sandbox.run(number, where, block)
                for number, (where, block) in enumerate(blocks())]
    print(f"{len(good)} examples, {good.count(False)} failed")
    # Fewer than there once were: they are not found any more.
    if len(good) < 30 or not all(good):
        sys.exit(1)


main()
