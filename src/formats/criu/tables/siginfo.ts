import { MAX_PENDING_SIGNALS } from "../../../io/limits.js";
import { message, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const SIGINFO_ENTRY = message("siginfo_entry", "One queued signal.", {
  siginfo: required(1, "bytes", { doc: "the kernel's siginfo_t, 128 bytes" }),
});
export type SiginfoEntry = Value<typeof SIGINFO_ENTRY>;

export const SIGNAL_QUEUE_ENTRY = message("signal_queue_entry", "Pending signals, in order of arrival.", {
  signals: repeated(1, SIGINFO_ENTRY, { most: MAX_PENDING_SIGNALS }),
});
export type SignalQueueEntry = Value<typeof SIGNAL_QUEUE_ENTRY>;

export const SIGNALFD_ENTRY = message("signalfd_entry", "A signalfd.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  flags: required(2, "uint32", { show: { as: "hex" } }),
  fown: required(3, FOWN_ENTRY),
  sigmask: required(4, "uint64", { doc: "signals that it receives, signal 1 is bit 0", show: { as: "hex" } }),
});
export type SignalfdEntry = Value<typeof SIGNALFD_ENTRY>;
