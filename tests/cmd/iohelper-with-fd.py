#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""iohelper-with-fd.py FLAGS FILE FD COMMAND...: opens FILE as the words of
FLAGS say (read, write or update; direct, append, truncate, offset=N), as
descriptor FD, and runs COMMAND, with SIGPIPE and SIGXFSZ ignored when
$IGNORE_SIGNALS is set.  Where FD stands afterwards goes to the file $POSITION.
Ends with COMMAND's status, 128 + N after signal N, or 77 when the file system
refuses O_DIRECT."""

import errno
import os
import signal
import subprocess
import sys

FLAGS = {
    "read": os.O_RDONLY,
    "write": os.O_WRONLY | os.O_CREAT,
    "update": os.O_RDWR | os.O_CREAT,
    "direct": os.O_DIRECT,
    "append": os.O_APPEND,
    "truncate": os.O_TRUNC,
}


def open_file(words, path):
    flags, offset = 0, 0
    for word in words.split(","):
        if word.startswith("offset="):
            offset = int(word[7:])
        else:
            flags |= FLAGS[word]
    try:
        file = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        print("SKIP: no O_DIRECT here", file=sys.stderr)
        sys.exit(77)
    os.lseek(file, offset, os.SEEK_SET)
    return file


def main():
    words, path, fd, *command = sys.argv[1:]
    kept = open_file(words, path)
    os.dup2(kept, int(fd))
    handler = signal.SIG_IGN if "IGNORE_SIGNALS" in os.environ \
        else signal.SIG_DFL
    signal.signal(signal.SIGPIPE, handler)
    signal.signal(signal.SIGXFSZ, handler)
    status = subprocess.run(command, pass_fds=(int(fd),), check=False,
                            restore_signals=False).returncode
    if os.environ.get("POSITION"):
        with open(os.environ["POSITION"], "w", encoding="ascii") as file:
            file.write(f"{os.lseek(kept, 0, os.SEEK_CUR)}\n")
    sys.exit(status if status >= 0 else 128 - status)


main()
