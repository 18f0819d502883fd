#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# The two programs of docs/exec.md do what they are there for.

import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

TOP = os.environ["abs_top_srcdir"]
BUILD = os.environ["abs_top_builddir"]


def fail(text):
    sys.exit(f"FAIL: {text}")


def require(condition, text):
    if not condition:
        fail(text)


def write_programs(folder):
    """The blocks of the document, with the iopress of the build tree."""
    iopress = os.path.join(folder, "iopress")
    with open(iopress, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n"
                   f"abs_top_builddir='{BUILD}'; export abs_top_builddir\n"
                   "PATH=/usr/bin:/bin\n"
                   f"exec '{TOP}/tests/iopress-run' \"$@\"\n")
    os.chmod(iopress, 0o755)
    text = open(f"{TOP}/docs/exec.md", encoding="utf-8").read()
    require(text.count("/usr/bin/iopress") == 3, "the program is not found")
    programs = {}
    for language in ("python", "bash"):
        block = re.search(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
        path = os.path.join(folder, language)
        with open(path, "w", encoding="utf-8") as file:
            file.write(block.group(1).replace("/usr/bin/iopress", iopress))
        programs[language] = path
    return programs


class Files:
    def __init__(self, folder, name, preset="libvirt-save"):
        self.source = os.path.join(folder, name + ".save")
        self.output = os.path.join(folder, name + ".iop")
        self.restored = os.path.join(folder, name + ".restored")
        subprocess.run([sys.executable, f"{TOP}/tests/lib/make_mapped_ram.py",
                        "--preset", preset, self.source], check=True)
        with open(self.source, "rb") as file:
            self.content = file.read()

    def check_packed(self):
        require(not os.path.exists(self.source), "the source is left")
        subprocess.run([os.environ["IOPRESS"], "restore", self.output,
                        self.restored], check=True)
        with open(self.restored, "rb") as file:
            require(file.read() == self.content, "it is another file")

    def check_untouched(self):
        require(not os.path.exists(self.output), "an image is left")
        with open(self.source, "rb") as file:
            require(file.read() == self.content, "the source has changed")


def run(program, files, said=""):
    interpreter = {"python": [sys.executable], "bash": ["bash"]}
    result = subprocess.run(
        [*interpreter[os.path.basename(program)], program, files.source,
         files.output], input=said, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=100)
    print(result.stdout, end="")
    return result.returncode, result.stdout


def main():
    with tempfile.TemporaryDirectory(dir=f"{BUILD}/tests") as folder:
        programs = write_programs(folder)
        for language, program in programs.items():
            files = Files(folder, language)
            status, said = run(program, files, "completed\n")
            require(status == 0, f"{language}: exit status {status}")
            files.check_packed()
            if language == "python":
                require(said.split() == ["done", str(len(files.content))],
                        "no progress, or another size")
            files = Files(folder, language + "-unfinished", "unfinished")
            status, _ = run(program, files, "completed\n")
            require(status != 0, f"{language}: takes what is unfinished")
            files.check_untouched()
        files = Files(folder, "cancelled")
        status, _ = run(programs["bash"], files)
        require(status == 5, f"exit status {status} when cancelled")
        files.check_untouched()


main()
