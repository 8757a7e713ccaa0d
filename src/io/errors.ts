/** The fixed list of error codes; crimg-conventions(7) documents each. */
export type ErrorCode =
  | "TRUNCATED"
  | "INVALID"
  | "UNSUPPORTED"
  | "MISSING"
  | "TOO_LARGE"
  | "USAGE"
  | "IO"
  | "EDIT"
  | "BACKEND";

/** Where in an image something was found. Offsets count from the start of the outermost file, in bytes. */
export interface ErrorPlace {
  readonly file?: string | undefined;
  readonly offset?: number | undefined;
  /** Record and field, e.g. `files.img[3].reg.name` without the file: `[3].reg.name`. */
  readonly path?: string | undefined;
  readonly cause?: unknown;
}

const BRAND = Symbol.for("crimg.error");

/**
 * Every error that crimg itself raises: one sentence that says what was found and what was expected,
 * with the file, record and byte offset it is about.
 */
export class CrimgError extends Error {
  readonly code: ErrorCode;
  /** What was found, without the place. */
  readonly text: string;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly path: string | undefined;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, text: string, place: ErrorPlace = {}) {
    super(sentence(text, place), place.cause === undefined ? undefined : { cause: place.cause });
    this.name = new.target.name;
    this.code = code;
    this.text = text;
    this.file = place.file;
    this.offset = place.offset;
    this.path = place.path;
  }
}

/** These bytes are not what the format says they must be. */
export class FormatError extends CrimgError {
  constructor(code: "TRUNCATED" | "INVALID" | "TOO_LARGE" | "MISSING", text: string, place?: ErrorPlace) {
    super(code, text, place);
  }
}

/** Right, but nothing that crimg can do. */
export class UnsupportedError extends CrimgError {
  constructor(text: string, place?: ErrorPlace) {
    super("UNSUPPORTED", text, place);
  }
}

/** The caller asked for something that has no meaning. */
export class UsageError extends CrimgError {
  constructor(text: string, place?: ErrorPlace) {
    super("USAGE", text, place);
  }
}

/** An edit that cannot be made. */
export class EditError extends CrimgError {
  constructor(text: string, place?: ErrorPlace) {
    super("EDIT", text, place);
  }
}

/** A restore engine failed. */
export class BackendError extends CrimgError {
  constructor(text: string, place?: ErrorPlace) {
    super("BACKEND", text, place);
  }
}

/** The image is fine but does not have what was asked for (a task, an image file, a record): exit status 1. */
export class NotFoundError extends CrimgError {
  constructor(text: string, place?: ErrorPlace) {
    super("MISSING", text, place);
  }
}

/** True for errors of crimg, also of another copy of the library. */
export function isCrimgError(error: unknown): error is CrimgError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** Turns an error of the operating system into ours: which file, what was tried, errno's name and meaning. */
export function ioError(doing: string, file: string, cause: unknown): CrimgError {
  const errno = (cause as NodeJS.ErrnoException).code ?? "error";
  const why = ERRNO_MEANING[errno] ?? errno;
  const code: ErrorCode = errno === "ENOENT" ? "MISSING" : "IO";
  return new CrimgError(code, `cannot ${doing}: ${why}`, { file, cause });
}

const ERRNO_MEANING: Readonly<Record<string, string>> = {
  EACCES: "permission denied (EACCES)",
  EEXIST: "it exists already (EEXIST)",
  EISDIR: "it is a directory (EISDIR)",
  ELOOP: "too many symbolic links (ELOOP)",
  EMFILE: "too many open files (EMFILE)",
  ENOENT: "no such file or directory (ENOENT)",
  ENOSPC: "no space left on the device (ENOSPC)",
  ENOTDIR: "not a directory (ENOTDIR)",
  EPERM: "operation not permitted (EPERM)",
  EROFS: "read-only file system (EROFS)",
};

function sentence(text: string, place: ErrorPlace): string {
  const where = [
    place.path === undefined ? "" : `in ${place.path}`,
    place.offset === undefined ? "" : `at offset 0x${place.offset.toString(16)}`,
  ].filter(Boolean);
  return `${place.file === undefined ? "" : `${place.file}: `}${text}${where.length ? ` (${where.join(", ")})` : ""}`;
}
