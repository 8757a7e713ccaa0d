/** What /proc and sock_diag tell of tasks and this host, as plain values: no image, no tracing, nothing is changed. */

import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { bytesToText } from "../../../io/text.js";

/** A file of /proc as text. Errors: BackendError when the task is gone or the file may not be read. */
export function readProc(pid: number | string, name: string): string {
  return bytesToText(procBytes(pid, name));
}

/** The same as bytes: /proc prints some values without any encoding. */
export function procBytes(pid: number | string, name: string): Buffer {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const gone = code === "ENOENT" || code === "ESRCH";
    throw new BackendError(
      gone ? `task ${pid} is gone` : `cannot read /proc/${pid}/${name}: ${code ?? String(error)}`,
      { cause: error },
    );
  }
}

/** `Name: value` lines by their names. */
export function keyedLines(text: string): Map<string, string> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()] as const];
    }),
  );
}

/** Numbers of the entries of a directory of /proc, ascending. Errors: BackendError. */
export function procNumbers(pid: number, name: string): number[] {
  try {
    return fs
      .readdirSync(`/proc/${pid}/${name}`)
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    throw new BackendError(`task ${pid} is gone, or its ${name} may not be read`, { cause: error });
  }
}

/** Where a link of /proc leads. Errors: BackendError when the task is gone. */
export function procLink(pid: number | string, name: string): string {
  try {
    return bytesToText(fs.readlinkSync(`/proc/${pid}/${name}`, "buffer"));
  } catch (error) {
    throw new BackendError(`cannot read the link /proc/${pid}/${name}`, { cause: error });
  }
}
