"""A program on a terminal of its own: what comes on the screen is answered as it is told, line by line of JSON on stdin.

usage: terminal.py PROGRAM ARGUMENT...   < [{"after": "text on the screen", "send": "keys"}, ...]
Writes {"code": exit status or null, "signal": number or null, "screen": everything that was written} to stdout.
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

answers = json.load(sys.stdin)
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))

screen, seen = "", 0
deadline = time.time() + 90
while True:
    ready, _, _ = select.select([master], [], [], 0.1)
    if ready:
        try:
            data = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        screen += data.decode("utf-8", "replace")
    if answers and answers[0]["after"] in screen[seen:]:
        seen += screen[seen:].index(answers[0]["after"]) + len(answers[0]["after"])
        time.sleep(answers[0].get("wait", 0.2))
        os.write(master, answers.pop(0)["send"].encode())
    if time.time() > deadline:
        os.kill(pid, 9)
        screen += "\n(the test's patience ended)"
        break
_, status = os.waitpid(pid, 0)
json.dump(
    {
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "screen": screen,
        "unanswered": len(answers),
    },
    sys.stdout,
)
