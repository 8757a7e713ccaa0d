import { EditError } from "../../io/errors.js";
import { bytesToText, textToBytes } from "../../io/text.js";
import type { Ledger } from "./ledger.js";
import type { Edit } from "./plan.js";

export interface EnvEdit {
  readonly pid: number;
  readonly key: string;
  readonly value: string;
}

/** Shorter texts stand everywhere in memory. */
const MIN_SCANNED = 4;

/**
 * Changes a variable in the bytes of an environment: `write` gets where in the area it stands, and its new bytes, of the
 * same length. Errors: EDIT for a value that is longer than the old one.
 */
export function setVariable(
  ledger: Ledger,
  edit: Edit,
  { pid, key, value }: EnvEdit,
  area: Buffer,
  write: (at: number, bytes: Buffer) => void,
): void {
  const name = Buffer.concat([textToBytes(key), Buffer.from("=")]);
  for (let at = 0; at < area.length; ) {
    const nul = area.indexOf(0, at);
    const stop = nul === -1 ? area.length : nul;
    const old = area.subarray(at, stop);
    if (old.subarray(0, name.length).equals(name)) {
      const fresh = padded(Buffer.concat([name, textToBytes(value)]), old, pid, key);
      if (fresh.equals(old)) ledger.matched(edit);
      else write(at, fresh);
      const before = bytesToText(old.subarray(name.length));
      if (before.length >= MIN_SCANNED && before !== value) ledger.replaced.set(before, edit);
      ledger.notes.add(
        `a program that has read ${key} already (getenv(3)) goes on with what it read; --scan-memory says where the old value still stands`,
      );
    }
    at = stop + 1;
  }
}

function padded(fresh: Buffer, old: Buffer, pid: number, key: string): Buffer {
  if (fresh.length > old.length) {
    const room = old.length - textToBytes(key).length - 1;
    throw new EditError(
      `the value of ${key} in task ${pid} has ${room} bytes, and there is no room for ${fresh.length - old.length} more: memory cannot grow in an image`,
    );
  }
  return Buffer.concat([fresh, Buffer.alloc(old.length - fresh.length)]);
}
