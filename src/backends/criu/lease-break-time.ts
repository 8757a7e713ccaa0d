import { readFileSync, writeFileSync } from "node:fs";
import { ioError } from "../../io/errors.js";

/** Seconds that a lease holder has to release a breaking lease, proc_sys_fs(5). */
const LEASE_BREAK_TIME = "/proc/sys/fs/lease-break-time";

/**
 * Sets the lease break time while criu breaks leases again. The kernel reads it at the start of a break, so it may be
 * reset as soon as the tasks run. Returns a function that resets it, once. Errors: IO if not permitted.
 */
export function setLeaseBreakTime(seconds: number): () => void {
  const before = readFileSync(LEASE_BREAK_TIME, "utf8");
  const write = (text: string): void => {
    try {
      writeFileSync(LEASE_BREAK_TIME, text);
    } catch (error) {
      throw ioError(`write ${text.trim()}`, LEASE_BREAK_TIME, error);
    }
  };
  write(String(seconds));
  let isSet = true;
  return () => {
    if (isSet) write(before);
    isSet = false;
  };
}
