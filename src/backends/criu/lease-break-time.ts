import { readFileSync, writeFileSync } from "node:fs";
import { ioError } from "../../io/errors.js";

/** Seconds that the holder of a lease gets once it is being broken, proc(5). */
const LEASE_BREAK_TIME = "/proc/sys/fs/lease-break-time";

/**
 * Sets the time that leases get while criu breaks them again. The kernel reads it at the start of a break, so it may be
 * put back as soon as the tasks run. Gives what puts it back, once. Errors: IO when it may not be written.
 */
export function setLeaseBreakTime(seconds: number): () => void {
  const before = readFileSync(LEASE_BREAK_TIME, "utf8");
  const write = (text: string): void => {
    try {
      writeFileSync(LEASE_BREAK_TIME, text);
    } catch (error) {
      throw ioError(`set it to ${text.trim()}`, LEASE_BREAK_TIME, error);
    }
  };
  write(String(seconds));
  let isSet = true;
  return () => {
    if (isSet) write(before);
    isSet = false;
  };
}
