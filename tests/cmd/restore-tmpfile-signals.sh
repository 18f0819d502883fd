#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# restore --tmpfile and signals: before COMMAND, while it runs, and SIGKILL.
# What stands in quotes and braces is for COMMAND.
# shellcheck disable=SC2016,SC1083

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
make_raw "$work/source"
iopress save -c stored "$work/source" "$work/image"
mkdir "$work/folder"
program=$abs_top_builddir/iopress

# start COMMAND...: restores and runs it in the background, pid in $pid.  bash
# lets background jobs ignore SIGINT.
start ()
{
  rm -f "$work/run"
  env --default-signal=INT,QUIT "$program" restore --plugin-dir "$plugindir" \
    --tmpfile "$work/folder" "${image:-$work/image}" -- "$@" \
    <&0 2>"$work/stderr" &
  pid=$!
}

# await COMMAND...: until it succeeds.
await ()
{
  eventually "$@" 2>/dev/null || fail "in vain: $*"
}

# expect_status STATUS: of what start has started.
expect_status ()
{
  local status=0

  wait $pid || status=$?
  test $status -eq "$1" ||
    fail "status $status instead of $1: $(cat "$work/stderr")"
  test -z "$(ls -A "$work/folder")" ||
    fail "left over: $(ls -A "$work/folder")"
}

has_temporary ()
{
  readlink "/proc/$pid/fd"/* | grep -q "$work/folder/#"
}

# While it restores, from a pipe that has stalled.
mkfifo "$work/fifo"
exec 6<>"$work/fifo"
for signal in TERM INT HUP KILL; do
  head -c 800000 "$work/image" >&6 &
  image=- start touch "$work/run" <"$work/fifo"
  await has_temporary
  kill -s $signal $pid
  expect_status $(( $(test $signal = KILL && echo 137 || echo 5) ))
  test $signal = KILL || expect_message 'cancelled by'
  expect_absent "$work/run"
  kill $! 2>/dev/null || :
  dd if="$work/fifo" of=/dev/null iflag=nonblock bs=64K status=none \
    2>/dev/null || :
done

# While COMMAND runs: passed on, each of them, and no end of iopress.
cat >"$work/counts.py" <<'PYTHON'
import signal, sys

marks, number = sys.argv[1], signal.Signals[f"SIG{sys.argv[2]}"]
signal.pthread_sigmask(signal.SIG_BLOCK, [number])
for text in "ready", "once", "twice":
    with open(marks, "w") as file:
        file.write(text)
    signal.sigwait([number])
sys.exit(9)
PYTHON
for signal in TERM INT HUP QUIT; do
  start python3 "$work/counts.py" "$work/run" $signal
  for text in ready once twice; do
    await grep -q $text "$work/run"
    kill -s $signal $pid
  done
  expect_status 9
  test ! -s "$work/stderr" || fail "says $(cat "$work/stderr")"
done
# One that ends COMMAND.
start bash -c 'echo ready >"$1"; exec sleep 60' bash "$work/run"
await test -s "$work/run"
kill -s TERM $pid
expect_status 143
# One that is ignored from the start is ignored by both.
rm -f "$work/run"
(
  trap '' HUP
  exec "$program" restore --plugin-dir "$plugindir" --tmpfile "$work/folder" \
    "$work/image" -- bash -c 'echo ready >"$1"; sleep 0.5; exit 8' bash \
    "$work/run"
) &
pid=$!
await test -s "$work/run"
kill -s HUP $pid
expect_status 8

# iopress is killed: COMMAND has its descriptor, and then it is gone, too.
start bash -c 'echo ready >"$1"; read -r <"$2"
               cmp "$3" /dev/fd/"$4" && echo same >"$1"' \
  bash "$work/run" "$work/fifo" "$work/source" {fd}
await test -s "$work/run"
kill -s KILL $pid
expect_status 137
echo >&6
await grep -q same "$work/run"

# A key that interrupts goes to both from the terminal: COMMAND gets it once.
cat >"$work/terminal.py" <<'PYTHON'
import os, pty, signal, sys, time

marks, arguments = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(arguments[0], arguments)


def marked(text):
    for _ in range(200):
        if os.path.exists(marks):
            with open(marks) as file:
                if text in file.read():
                    return
        time.sleep(0.05)
    raise SystemExit(f"no {text} in {marks}")


marked("ready")
os.write(terminal, b"\x03")
marked("got")
time.sleep(0.3)
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
with open(marks) as file:
    text = file.read()
if os.waitstatus_to_exitcode(status) != 6 or text != "ready\ngot\n":
    raise SystemExit(f"status {status}: {text}")
PYTHON
rm -f "$work/run"
python3 "$work/terminal.py" "$work/run" "$program" restore \
  --plugin-dir "$plugindir" --tmpfile "$work/folder" "$work/image" -- \
  bash -c 'trap "echo got >>$1" INT; trap "exit 6" TERM; echo ready >"$1"
           while :; do sleep 0.05; done' bash "$work/run" ||
  fail "signals from a terminal"
# But where the terminal does not reach it, iopress does.
rm -f "$work/run"
python3 "$work/terminal.py" "$work/run" "$program" restore \
  --plugin-dir "$plugindir" --tmpfile "$work/folder" "$work/image" -- \
  setsid bash -c 'trap "echo got >>$1" INT; trap "exit 6" TERM
                  echo ready >"$1"
                  while :; do sleep 0.05; done' bash "$work/run" ||
  fail "signals to another session"
