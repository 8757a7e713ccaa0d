# Python imports this module at its start when PYTHONPATH names this directory (see test/helpers/crit.ts). It then
# runs crit's own main once for each job of a list, which saves a start of Python each time, and ends.
import contextlib
import json
import os
import sys


def batch(jobs):
    from crit.__main__ import main

    for args, output in jobs:
        sys.argv = ["crit", *args]
        try:
            with open(output, "w") as out, contextlib.redirect_stdout(out):
                main()
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and not error.code:
                continue
            with open(output + ".error", "w") as out:
                out.write(f"{type(error).__name__}: {error}")


if "CRIMG_CRIT_JOBS" in os.environ:
    with open(os.environ["CRIMG_CRIT_JOBS"]) as file:
        batch(json.load(file))
    sys.stdout.flush()
    os._exit(0)
