"""A Python program in a SQLite transaction until SIGUSR1, with the journal of JOURNAL_MODE (WAL if that is not set).

Then it goes on with the transaction, commits, tries another one, and logs how each step went and `done`.

 * log: log
 * criu dump: --file-locks
 * criu restore: --file-locks
"""
import os
import signal
import sqlite3
import sys

os.chdir(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
log = open("log", "a", buffering=1)
db = sqlite3.connect("data.sqlite", isolation_level=None)
db.execute("PRAGMA journal_mode = " + os.environ.get("JOURNAL_MODE", "WAL"))
db.execute("CREATE TABLE rows (number INTEGER)")
db.execute("BEGIN IMMEDIATE")
db.execute("INSERT INTO rows VALUES (1)")
log.write("ready\n")
signal.sigwait([signal.SIGUSR1])
for step in ["INSERT INTO rows VALUES (2)", "COMMIT", "BEGIN IMMEDIATE", "INSERT INTO rows VALUES (3)"]:
    try:
        db.execute(step)
        log.write(step.split()[0] + " ok\n")
    except Exception as error:
        log.write("%s: %s\n" % (step.split()[0], error))
log.write("done\n")
signal.sigwait([signal.SIGUSR1])
