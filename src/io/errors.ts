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

/** A location in an image. Offsets are in bytes from the start of the outermost file. */
export interface ErrorPlace {
  readonly file?: string | undefined;
  readonly offset?: number | undefined;
  /** Record and field, e.g. `files.img[3].reg.name` without the file: `[3].reg.name`. */
  readonly path?: string | undefined;
  readonly cause?: unknown;
}

const BRAND = Symbol.for("crimg.error");

/**
 * Every error that crimg itself raises: one sentence with what was found and what was expected, and the file, record
 * and byte offset.
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

/** The bytes violate the format. */
export class FormatError extends CrimgError {
  constructor(code: "TRUNCATED" | "INVALID" | "TOO_LARGE" | "MISSING", text: string, place?: ErrorPlace) {
    super(code, text, place);
  }
}

/** Valid, but not supported by crimg. */
export class UnsupportedError extends CrimgError {
  constructor(text: string, place?: ErrorPlace) {
    super("UNSUPPORTED", text, place);
  }
}

/** The request of the caller is invalid. */
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

/** The image is valid but has no such task, image file or record: exit status 1. */
export class NotFoundError extends CrimgError {
  constructor(text: string, place?: ErrorPlace) {
    super("MISSING", text, place);
  }
}

/** True for errors of crimg, including those of another copy of the library. */
export function isCrimgError(error: unknown): error is CrimgError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** Converts an error of the operating system: the file, what was tried, errno's name and meaning. */
export function ioError(doing: string, file: string, cause: unknown): CrimgError {
  const errno = (cause as NodeJS.ErrnoException).code ?? "error";
  const why = ERRNO_MEANING[errno] ?? errno;
  const code: ErrorCode = errno === "ENOENT" ? "MISSING" : "IO";
  return new CrimgError(code, `cannot ${doing}: ${why}`, { file, cause });
}

const ERRNO_MEANING: Readonly<Record<string, string>> = {
  EACCES: "permission denied (EACCES)",
  EEXIST: "file exists (EEXIST)",
  EISDIR: "is a directory (EISDIR)",
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
