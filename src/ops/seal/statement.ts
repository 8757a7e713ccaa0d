/** The in-toto statement of a seal, github.com/in-toto/attestation spec/v1/statement.md. */

import { createHash } from "node:crypto";
import { FormatError } from "../../io/errors.js";
import { countOf, listOf, matching, textOf } from "../../io/parsed-json.js";
import { assertSmall } from "./envelope.js";
import type { SealedFile, SealedPart } from "./sealed-file.js";

const STATEMENT = "https://in-toto.io/Statement/v1";
const PREDICATE = "urn:crimg:seal:v1";

export interface Seal {
  readonly files: readonly SealedFile[];
  /** SHA-256 of the lines `SHA-256  NAME`, as sha256sum(1) prints them of all files. */
  readonly whole: string;
  readonly time: string;
  readonly tool: string;
  readonly command: string;
  /** SHA-256 of the file of the seal before this one. */
  readonly previous: string | undefined;
}

export function wholeOf(files: readonly Pick<SealedFile, "name" | "sha256">[]): string {
  const hash = createHash("sha256");
  for (const { name, sha256 } of files) hash.update(`${sha256}  ${name}\n`);
  return hash.digest("hex");
}

export function encodeStatement({ files, ...predicate }: Seal): Buffer {
  return Buffer.from(
    JSON.stringify({
      _type: STATEMENT,
      subject: files.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
      predicateType: PREDICATE,
      predicate: { ...predicate, files: files.map(({ sha256: _, ...file }) => file) },
    }),
  );
}

/** Each part checked: a seal is a stranger's. Errors: FormatError TOO_LARGE, INVALID. */
export function decodeStatement(payload: Buffer, file: string): Seal {
  assertSmall(payload, file);
  try {
    const { _type, subject, predicateType, predicate } = JSON.parse(payload.toString("utf8"));
    if (_type !== STATEMENT || predicateType !== PREDICATE) throw new TypeError("another statement");
    const { time, tool, command, previous, whole } = predicate;
    const files = listOf(predicate.files).map((each, i) => parseFile(each, listOf(subject)[i]));
    if (files.length !== subject.length || wholeOf(files) !== whole)
      throw new TypeError("another list of files");
    return {
      ...{ files, whole, time: textOf(time), tool: textOf(tool), command: textOf(command) },
      previous: previous === undefined ? undefined : matching(previous, SHA256),
    };
  } catch (cause) {
    throw new FormatError("INVALID", "the seal is damaged, or of another tool", { file, cause });
  }
}

const SHA256 = /^[0-9a-f]{64}$/;
const PART = /^[0-9a-f]{16}$/;

function parseFile(value: unknown, subject: unknown): SealedFile {
  const { name, size, firstRecord, records, together, parts } = value as Record<string, unknown>;
  const { name: named, digest } = subject as {
    readonly name: unknown;
    readonly digest: { readonly sha256: unknown };
  };
  if (named !== name) throw new TypeError("another file");
  let before = 0;
  const checked = listOf(parts).map((part): SealedPart => {
    const [end, digits] = listOf(part);
    if (countOf(end) < before) throw new TypeError("parts out of order");
    before = end as number;
    return [before, matching(digits, PART)];
  });
  return {
    ...{ name: textOf(name), size: countOf(size), sha256: matching(digest.sha256, SHA256) },
    ...{
      firstRecord: countOf(firstRecord),
      records: countOf(records),
      together: countOf(together),
      parts: checked,
    },
  };
}
