import { constants } from "node:os";
import { BackendError } from "../../../io/errors.js";

const NAMES = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));

/** The name of an errno, `ESRCH`. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** The kernel refused a call. */
export class KernelError extends BackendError {
  constructor(
    doing: string,
    readonly errno: number,
  ) {
    super(`cannot ${doing}: ${errnoName(errno)}`);
  }
}
