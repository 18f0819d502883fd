#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A virsh for examples: one guest, whose save is the file $SAMPLE and which is
# restored from nothing else; managed saves are in $SAVES.

import filecmp
import os
import shutil
import sys

WITH_VALUE = {"--connect", "--image-format", "--parallel-channels", "--cmd"}


def operands(words):
    """The words that are no options, nor values of options."""
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in WITH_VALUE:
            skip = True
        elif not word.startswith("--") or word == "-":
            found.append(word)
    return found


def loaded(path):
    """What QEMU would say to the file: 0, or 1."""
    return 0 if filecmp.cmp(path, os.environ["SAMPLE"], shallow=False) else 1


def main():
    verb, *rest = operands(sys.argv[1:])
    managed = os.path.join(os.environ["SAVES"], "guest.save")
    answers = {"uri": "qemu:///system", "dominfo": "Max memory:     65536 KiB",
               "help": "    --image-format <string>",
               "qemu-monitor-command":
                   '{"return": {"direct-io": false},"id":"libvirt-9"}',
               "domstate": "running", "save-image-dumpxml": "<domain/>",
               "list": "guest"}
    if verb in answers:
        print(answers[verb])
        return 0
    if verb == "save":
        shutil.copyfile(os.environ["SAMPLE"], rest[-1])
        return 0
    if verb == "managedsave":
        shutil.copyfile(os.environ["SAMPLE"], managed)
        return 0
    if verb == "restore":
        return loaded(rest[0])
    if verb == "start":
        status = loaded(managed)
        if status == 0:
            os.unlink(managed)
        return status
    print(f"no such verb here: {verb}", file=sys.stderr)
    return 1


sys.exit(main())
