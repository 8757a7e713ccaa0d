"""A Python program in a SQLite transaction: it writes into one that it never ends until told to.

Every tick inserts a row and reads all of them back. SIGUSR1 makes it commit and begin anew, and log `committed N`.
The exclusive lock is kept between transactions and the journal is kept open, so that SQLite needs its paths no
more: in its other modes it refuses to write when the database is not where it was opened.

 * log: log
 * criu dump: --file-locks
 * criu restore: --file-locks
"""
import os
import signal
import sqlite3
import sys
import time

os.chdir(sys.argv[1])
log = open("log", "a", buffering=1)
db = sqlite3.connect("data.sqlite", isolation_level=None)
db.execute("PRAGMA locking_mode = EXCLUSIVE")
db.execute("PRAGMA journal_mode = TRUNCATE")
db.execute("CREATE TABLE rows (number INTEGER, text TEXT)")
db.execute("BEGIN IMMEDIATE")

asked = 0


def ask(_signal, _frame):
    global asked
    asked += 1


signal.signal(signal.SIGUSR1, ask)
log.write("ready\n")
tick = 0
committed = 0
while True:
    tick += 1
    try:
        db.execute("INSERT INTO rows VALUES (?, ?)", (tick, "row %d" % tick))
        count, total = db.execute("SELECT count(*), sum(number) FROM rows").fetchone()
        assert (count, total) == (tick, tick * (tick + 1) // 2), "%s rows with sum %s" % (count, total)
        if asked > committed:
            db.execute("COMMIT")
            committed += 1
            log.write("committed %d\n" % tick)
            db.execute("BEGIN IMMEDIATE")
        log.write("tick %d ok\n" % tick)
    except Exception as error:
        log.write("tick %d FAIL: %s\n" % (tick, error))
    time.sleep(0.05)
