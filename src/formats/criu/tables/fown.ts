import { enumTable } from "../../../io/enums.js";
import { SIGNAL_OR_NONE } from "../../../linux/signals.js";
import { message, required, type Value } from "../../../schema/message.js";

/** fown_entry.pid_type, numbered as enum pid_type, include/linux/pid_types.h. */
const OWNER_TYPES = enumTable("pid_type", { thread: 0, process: 1, "process group": 2 });

export const FOWN_ENTRY = message(
  "fown_entry",
  "Receiver of the signals of an open file, fcntl(2) F_SETOWN.",
  {
    uid: required(1, "uint32", { doc: "uid for the permission check of the signal" }),
    euid: required(2, "uint32", { doc: "effective uid for the permission check of the signal" }),
    signum: required(3, "uint32", { doc: "signal, 0 for SIGIO", domain: SIGNAL_OR_NONE }),
    pid_type: required(4, "uint32", {
      doc: "type of pid: 0 thread, 1 process, 2 process group",
      domain: ({ pid }) => (pid === 0 ? undefined : OWNER_TYPES),
    }),
    pid: required(5, "uint32", { doc: "0 for no owner" }),
  },
);
export type FownEntry = Value<typeof FOWN_ENTRY>;
