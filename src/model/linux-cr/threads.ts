import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { Thread } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import { decodeThreadAttributes } from "./attributes.js";
import { controlGroupsOf, decodeControlGroupSet } from "./control-groups.js";
import { decodeCredentials } from "./credentials.js";
import type { StreamReader } from "./reader.js";
import { decodeRegisters, registersOf } from "./registers.js";
import { decodeQueue, decodeSignalSet } from "./signals.js";

/** One TASK with all that is its own; undefined parts are those of a zombie. */
export function linuxCrThread(reader: StreamReader, part: Part, tid: number): Thread {
  const credentials = lazy(() => decodeCredentials(reader, part));
  const registers = lazy(() => registersOf(reader, part));
  return {
    tid,
    comm: reader.text(part, RECORDS.STRING) ?? "",
    get credentials() {
      return credentials();
    },
    get registers() {
      return registers();
    },
    get x86() {
      return reader.image.dialect.arch.family === "x86" ? decodeRegisters(reader, part) : undefined;
    },
    // Of other architectures a stream has one record with all that is stored.
    otherRegisters: new Map(),
    get blocked() {
      const found = reader.find(part, RECORDS.SIGNAL_TASK);
      return found === undefined ? 0n : decodeSignalSet(reader.image, found.value.blocked);
    },
    get pending() {
      // The queue of the process, when this task has it, stands before its own.
      const own = reader.index(part, RECORDS.SIGPENDING, -1);
      return own === undefined ? [] : decodeQueue(reader, own);
    },
    ...decodeThreadAttributes(reader, part),
    get controlGroupSet() {
      return decodeControlGroupSet(reader, part);
    },
    get controlGroups() {
      const id = decodeControlGroupSet(reader, part);
      return id === undefined ? undefined : controlGroupsOf(reader).get(id);
    },
    origin: reader.origin(reader.get(part, RECORDS.TASK).index),
  };
}
