import { enumTable } from "../../../io/enums.js";
import { SIGNAL_OR_NONE } from "../../../linux/signals.js";
import { message, required, type Value } from "../../../schema/message.js";

/** fown_entry.pid_type, as the kernel's enum pid_type numbers them. */
const OWNER_TYPES = enumTable("pid_type", { thread: 0, process: 1, "process group": 2 });

export const FOWN_ENTRY = message(
  "fown_entry",
  "Who gets a signal when something happens on an open file, fcntl(2) F_SETOWN.",
  {
    uid: required(1, "uint32", { doc: "user whose rights count for the signal" }),
    euid: required(2, "uint32", { doc: "effective user whose rights count for the signal" }),
    signum: required(3, "uint32", { doc: "signal, 0 for SIGIO", domain: SIGNAL_OR_NONE }),
    pid_type: required(4, "uint32", {
      doc: "pid is 0 a thread, 1 a process, 2 a process group",
      domain: OWNER_TYPES,
    }),
    pid: required(5, "uint32", { doc: "0 for no owner" }),
  },
);
export type FownEntry = Value<typeof FOWN_ENTRY>;
