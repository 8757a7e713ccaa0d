"""Runs a command as the leader of a session on a new pseudo terminal: on-terminal.py INPUT OUTPUT COMMAND...

What is appended to the file INPUT is typed, what the terminal says goes to the file OUTPUT, until nobody has the terminal
open any more: tasks that the command leaves behind are still on it.
"""
import os
import pty
import select
import sys

typed = open(sys.argv[1], "rb", buffering=0)
said = open(sys.argv[2], "ab", buffering=0)
pid, master = pty.fork()
if pid == 0:
    os.closerange(3, 1024)
    os.execv(sys.argv[3], sys.argv[3:])
while True:
    ready, _, _ = select.select([master], [], [], 0.02)
    if ready:
        try:
            said.write(os.read(master, 4096))
        except OSError:
            break
    keys = typed.read(512)
    if keys:
        os.write(master, keys)
try:
    os.waitpid(pid, 0)
except ChildProcessError:
    pass
