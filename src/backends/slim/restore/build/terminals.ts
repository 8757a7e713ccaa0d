import { AT_FDCWD } from "../../../../linux/files.js";
import { O_CLOEXEC, O_NOCTTY } from "../../../../linux/open-flags.js";
import { TIOCGPGRP, TIOCSCTTY, TIOCSPGRP } from "../../../../linux/tty.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt, call } from "../../sys/syscall.js";
import { cString } from "../files/named.js";
import { withoutStops } from "../job-control.js";
import type { TerminalStep } from "../plan/terminals.js";
import type { Builders } from "./builders.js";

export const TERMINALS: Builders<TerminalStep> = {
  /** The terminal of crimg itself goes over from its session to that of the task: refused before where others are in it. */
  "controlling terminal"(work, { task, terminal }) {
    const { bench, handOver } = work.site(task);
    handOver.lend(work.files.terminals.controlling(terminal), (fd) =>
      bench.call(
        "take its terminal",
        SYS.ioctl,
        fd,
        TIOCSCTTY,
        Number(work.files.terminals.isOutside(terminal)),
      ),
    );
  },
  foreground(work, { task, terminal, group }) {
    const own = work.files.terminals.controlling(terminal);
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(group);
    if (task !== 0) {
      const { bench, handOver } = work.site(task);
      handOver.lend(own, (fd) =>
        bench.call("choose the group in the foreground", SYS.ioctl, fd, TIOCSPGRP, bench.put(bytes)),
      );
      return;
    }
    // In the background, or with another terminal than its own, crimg has nothing to give.
    const now = Buffer.alloc(4);
    if (
      attempt(SYS.ioctl, own, TIOCGPGRP, now) < 0 ||
      now.readInt32LE() !== call("tell its group", SYS.getpgid, 0)
    )
      return;
    withoutStops(() => call("choose the group in the foreground", SYS.ioctl, own, TIOCSPGRP, bytes));
  },
  "open own terminal"(work, { task, objref, flags }) {
    const { bench } = work.site(task);
    const path = bench.put(cString("/dev/tty"));
    const fd = bench.call("open /dev/tty", SYS.openat, AT_FDCWD, path, flags | O_NOCTTY | O_CLOEXEC, 0);
    const pidfd = call(`reach task ${task}`, SYS.pidfd_open, task, 0);
    work.files.adopt(objref, call("take /dev/tty from a task", SYS.pidfd_getfd, pidfd, fd, 0));
    attempt(SYS.close, pidfd);
    bench.call("close a descriptor", SYS.close, fd);
  },
  "finish terminals": (work) => work.files.terminals.finish(),
};
