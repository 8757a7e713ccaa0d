import { stripVTControlCharacters } from "node:util";
import { isCrimgError } from "../index.js";
import { escapeText } from "./escape.js";

/** An error as it is told to the user; the `error` object of `--json` has these keys. */
export interface Failure {
  /** One of the library's codes, or INTERNAL for a fault of crimg itself. */
  readonly code: string;
  readonly file?: string | undefined;
  readonly offset?: number | undefined;
  /** Record and field. */
  readonly path?: string | undefined;
  /** One sentence, safe for a terminal. */
  readonly message: string;
}

/** What to tell about anything that was thrown. `command` is named in the advice, e.g. `crimg show`. */
export function failureOf(error: unknown, command: string): Failure {
  if (isCrimgError(error)) {
    const { code, file, offset, path, message } = error;
    return { code, file, offset, path, message: escapeText(message) };
  }
  if (isUsage(error)) {
    return { code: "USAGE", message: `${usageSentence(error.message)}; see ${command} --help` };
  }
  if (isSystemError(error)) return { code: "IO", file: error.path, message: escapeText(error.message) };
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const advice = "this is a fault in crimg, please report it (CRIMG_DEBUG=1 shows where)";
  return {
    code: "INTERNAL",
    message: `internal error: ${escapeText(what.split("\n", 1)[0] as string)}; ${advice}`,
  };
}

/** oclif's errors about the command line carry an `oclif` member. */
function isUsage(error: unknown): error is Error {
  return error instanceof Error && "oclif" in error;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "errno" in error;
}

/** oclif writes several lines; crimg tells one sentence, and ends it with its own advice. */
function usageSentence(message: string): string {
  const lines = stripVTControlCharacters(message)
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "));
  const kept = lines.filter((line) => line !== "" && !line.startsWith("See more help"));
  const text = escapeText(kept.join(" ").replace(/\.$/, ""));
  return text.charAt(0).toLowerCase() + text.slice(1);
}
