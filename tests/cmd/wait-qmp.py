#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""save --wait-qmp against a QMP server that plays QEMU, step by step."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

IOPRESS = os.environ["IOPRESS"]
GREETING = {"QMP": {"version": {}, "capabilities": []}}
EVENT = {"event": "MIGRATION", "data": {"status": "active"}}


def serve(connection, script, greeted):
    """Answer query-migrate with the entries of SCRIPT, one after another; an
    entry None closes the connection, a string is sent as it is."""
    stream = connection.makefile("rw", newline="\n")
    if greeted:
        # What the caller asked before, and whose answers nobody has read.
        stream.write(json.dumps(status("completed")) + "\r\n")
        stream.write(json.dumps(dict(status("failed"), id=1)) + "\r\n")
        stream.flush()
    else:
        stream.write(json.dumps(GREETING) + "\r\n")
        stream.flush()
    try:
        for line in stream:
            if not line.strip():
                continue
            request = json.loads(line)
            command = request["execute"]
            if command == "qmp_capabilities":
                answer = ({"error": {"class": "CommandNotFound", "desc": ""}}
                          if greeted else {"return": {}})
            else:
                answer = script.pop(0)
                if answer is None:
                    break
            stream.write(json.dumps(EVENT) + "\r\n")
            if isinstance(answer, str):
                stream.write(answer)
            else:
                answer = dict(answer, id=request["id"])
                stream.write(json.dumps(answer) + "\r\n")
            stream.flush()
    except (BrokenPipeError, ConnectionResetError):
        pass
    connection.close()


def status(name, **more):
    return {"return": dict(status=name, **more)}


def run(folder, script, expected, message, inherited=False, greeted=False):
    source = os.path.join(folder, "source")
    image = os.path.join(folder, "image")
    with open(source, "wb") as file:
        file.write(os.urandom(200000))
    if inherited:
        ours, theirs = socket.socketpair()
        name, descriptors = f"fd:{theirs.fileno()}", (theirs.fileno(),)
        thread = threading.Thread(target=serve, args=(ours, script, greeted))
    else:
        name, descriptors = os.path.join(folder, "qmp"), ()
        server = socket.socket(socket.AF_UNIX)
        server.bind(name)
        server.listen(1)
        thread = threading.Thread(
            target=lambda: serve(server.accept()[0], script, greeted))
    thread.daemon = True
    thread.start()
    result = subprocess.run(
        [IOPRESS, "save", "--wait-qmp", name, source, image],
        capture_output=True, text=True, timeout=60, pass_fds=descriptors)
    if not inherited:
        server.close()
        os.unlink(name)
    assert result.returncode == expected, (script, result)
    assert message in result.stderr, (message, result.stderr)
    assert os.path.exists(image) == (expected == 0), "the image"
    if expected == 0:
        os.unlink(image)
    assert not os.path.exists(image + ".part"), "left over"


def heeds(process, number):
    """Whether it catches that signal; False when it has ended."""
    try:
        with open(f"/proc/{process.pid}/status") as file:
            caught = next(line for line in file if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return False
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def check_stalled(folder):
    """A QEMU that takes no connection, and one that takes it and is silent:
    a signal still ends the wait."""
    name = os.path.join(folder, "stalled")
    server = socket.socket(socket.AF_UNIX)
    server.bind(name)
    server.listen(0)
    waiting = []
    for full in (False, True):
        while full:
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            try:
                waiting[-1].connect(name)
            except BlockingIOError:
                break
        process = subprocess.Popen(
            [IOPRESS, "save", "--wait-qmp", name,
             os.path.join(folder, "source"), os.path.join(folder, "image")],
            stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not heeds(process, signal.SIGTERM):
            time.sleep(0.01)
        time.sleep(0.5)
        assert process.poll() is None, "it did not wait"
        process.terminate()
        _, message = process.communicate(timeout=60)
        assert process.returncode == 5, (process.returncode, message)
        assert "cancelled by a signal" in message, message
    for connection in waiting + [server]:
        connection.close()


def main():
    done = status("completed")
    with tempfile.TemporaryDirectory() as folder:
        run(folder, [done], 0, "")
        run(folder, [{"return": {}}, status("setup"), status("active"),
                     status("device"), done], 0, "")
        run(folder, [done], 0, "", inherited=True)
        run(folder, [status("active"), done], 0, "", inherited=True,
            greeted=True)
        run(folder, [status("active"), status("cancelling"),
                     status("cancelled")], 5, "migration was cancelled")
        run(folder, [status("failed", **{"error-desc": "no space"})], 5,
            "migration failed: no space")
        run(folder, [status("active"), None], 5, "closed the QMP connection")
        run(folder, [None], 5, "closed the QMP connection", inherited=True)
        run(folder, [{"error": {"class": "GenericError", "desc": "busy"}}], 1,
            "does not tell how the migration stands: busy")
        run(folder, ["<html>\r\n"], 1, "what answers is not QEMU")
        run(folder, ["\"" + "x" * (4 << 20)], 1, "what answers is not QEMU")
        run(folder, [status(None), {"return": None}, {"return": 7},
                     {"return": {"status": 3}}, done], 0, "")
        run(folder, [{"error": None}], 1, "no reason given")
        run(folder, [status("failed", **{"error-desc": None})], 5,
            "migration failed")
        check_stalled(folder)
        missing = subprocess.run(
            [IOPRESS, "save", "--wait-qmp", os.path.join(folder, "none"),
             os.path.join(folder, "source"), os.path.join(folder, "image")],
            capture_output=True, text=True, timeout=60)
        assert missing.returncode == 1, missing
        assert "cannot connect to QEMU" in missing.stderr, missing
    return 0


if __name__ == "__main__":
    sys.exit(main())
