import { stripVTControlCharacters } from "node:util";
import { type CrimgError, isCrimgError, NotFoundError } from "../index.js";
import { escapeText } from "./escape.js";
import { EXIT } from "./exit-codes.js";
import { JSON_SCHEMA } from "./json.js";
import { styled } from "./line.js";
import { ClosedPipe, writeAnswer, writeLines } from "./output.js";
import { type ColorChoice, styleFor } from "./style.js";

/** An error as reported to the user: the `error` object of `--json`. */
export interface Failure {
  /** One of the library's codes, or INTERNAL for a bug in crimg. */
  readonly code: string;
  readonly file?: string | undefined;
  readonly offset?: number | undefined;
  /** Record and field. */
  readonly path?: string | undefined;
  /** One sentence, safe for a terminal. */
  readonly message: string;
}

export interface FailureContext {
  /** As typed, e.g. `crimg show`. */
  readonly command: string;
  /** Whether to write the error to stdout as JSON: requested, and no part of an answer was written yet. */
  readonly json: boolean;
  readonly color: ColorChoice;
}

/**
 * Ends a command that threw: one sentence on stderr, exit code 2 (1 for NotFoundError), and with `--json`
 * `{schema, command, error}` on stdout. Silent if the reader of stdout is gone: the exit
 * code is then that of the answer.
 */
export function reportFailure(error: unknown, { command, json, color }: FailureContext): void {
  if (error instanceof ClosedPipe) {
    process.exitCode ??= EXIT.ok;
    return;
  }
  process.exitCode = error instanceof NotFoundError ? EXIT.no : EXIT.trouble;
  const failure = failureOf(error, command);
  const answer = { schema: JSON_SCHEMA, command: command.split(" ").slice(1).join(" "), error: failure };
  try {
    if (json) writeAnswer(answer);
    writeLines(2, [styled`${styleFor(2, color)("error", "error:")} ${failure.message}`]);
    if (process.env.CRIMG_DEBUG === "1" && error instanceof Error)
      writeLines(2, error.stack?.split("\n") ?? []);
  } catch (closed) {
    if (!(closed instanceof ClosedPipe)) throw closed;
  }
}

/** Whether a command line, which may not parse, has `--json`. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? undefined : end).includes("--json");
}

/** The `damage` of a `--json` answer: parts of the image that could not be read; nothing if there are none. */
export function damageJson(damage: readonly CrimgError[]): { readonly damage?: readonly Failure[] } {
  return damage.length === 0 ? {} : { damage: damage.map(crimgFailure) };
}

function crimgFailure({ code, file, offset, path, message }: CrimgError): Failure {
  return { code, file, offset, path, message: escapeText(message) };
}

/** The error to report for any thrown value. `command` is named in the advice, e.g. `crimg show`. */
function failureOf(error: unknown, command: string): Failure {
  if (isCrimgError(error)) return crimgFailure(error);
  if (isUsage(error)) {
    return { code: "USAGE", message: `${usageSentence(error.message)}; see ${command} --help` };
  }
  if (isSystemError(error)) return { code: "IO", file: error.path, message: escapeText(error.message) };
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const advice = "this is a bug in crimg, please report it (CRIMG_DEBUG=1 shows where)";
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

/** `NEW (image to compare it with)`, from a name and its description. */
function argumentOf(line: string): string {
  const [name, ...description] = line.split(" ");
  return description.length === 0 ? line : `${name} (${description.join(" ")})`;
}

/** oclif writes several lines; crimg reports one sentence with its own advice. */
function usageSentence(message: string): string {
  const lines = stripVTControlCharacters(message)
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "));
  const kept = lines.filter((line) => line !== "" && !/^(See more help|Note: |Alternatively, )/.test(line));
  if (/^Missing \d+ required args?:$/.test(kept[0] ?? ""))
    return escapeText(`missing ${kept.slice(1).map(argumentOf).join(" and ")}`);
  const text = escapeText(kept.join(" ").replace(/\.$/, ""));
  return text.charAt(0).toLowerCase() + text.slice(1);
}
