import { AT_FDCWD } from "../../../linux/files.js";
import { O_CLOEXEC, O_NOCTTY } from "../../../linux/open-flags.js";
import { TIOCGPGRP, TIOCSCTTY, TIOCSPGRP } from "../../../linux/tty.js";
import type { Appliers } from "../restore/context.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, cString } from "../sys/syscall.js";
import { withoutStops } from "./pairs.js";
import type { TerminalStep } from "./plan.js";

export const TERMINALS: Appliers<TerminalStep> = {
  /** The terminal of crimg itself goes over from its session to that of the task: refused before where others are in it. */
  "controlling terminal"(context, { task, terminal }) {
    const { remote, transfer } = context.task(task);
    transfer.lend(context.files.terminals.controlling(terminal), (fd) =>
      remote.call(
        "set its controlling terminal",
        SYS.ioctl,
        fd,
        TIOCSCTTY,
        Number(context.files.terminals.isExternal(terminal)),
      ),
    );
  },
  foreground(context, { task, terminal, group }) {
    const own = context.files.terminals.controlling(terminal);
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(group);
    if (task !== 0) {
      const { remote, transfer } = context.task(task);
      transfer.lend(own, (fd) =>
        remote.call("set the foreground process group", SYS.ioctl, fd, TIOCSPGRP, remote.put(bytes)),
      );
      return;
    }
    // In the background, or with another terminal than its own, crimg has nothing to give.
    const now = Buffer.alloc(4);
    if (
      attempt(SYS.ioctl, own, TIOCGPGRP, now) < 0 ||
      now.readInt32LE() !== call("read the process group of crimg", SYS.getpgid, 0)
    )
      return;
    withoutStops(() => call("set the foreground process group", SYS.ioctl, own, TIOCSPGRP, bytes));
  },
  "open own terminal"(context, { task, objref, flags }) {
    const { remote } = context.task(task);
    const path = remote.put(cString("/dev/tty"));
    const fd = remote.call("open /dev/tty", SYS.openat, AT_FDCWD, path, flags | O_NOCTTY | O_CLOEXEC, 0);
    const pidfd = call(`reach task ${task}`, SYS.pidfd_open, task, 0);
    context.files.adopt(objref, call("take /dev/tty from a task", SYS.pidfd_getfd, pidfd, fd, 0));
    attempt(SYS.close, pidfd);
    remote.call("close a descriptor", SYS.close, fd);
  },
  "finish terminals": (context) => context.files.terminals.finish(),
};
