import type { LinuxCrImage } from "./image.js";
import { EXTENSION_WRITERS, isExtensionId } from "./records/extensions.js";
import { RECORDS } from "./records.js";

/** Number of records by name. */
export type RecordCounts = Readonly<Record<string, number>>;

/** The crimg extension records of an image, which the header files do not have: unversioned (`dialect`) and versioned. */
export interface OwnRecords {
  readonly dialect: RecordCounts;
  /** Undefined without any extension record. */
  readonly extensions: ExtensionFacts | undefined;
}

export interface ExtensionFacts {
  /** Of EXTENSIONS; undefined if missing. */
  readonly version: number | undefined;
  /** The command that wrote them; a number if unknown. */
  readonly writer: string | undefined;
  readonly records: RecordCounts;
  /** Records of later versions, by id. */
  readonly unknown: RecordCounts;
}

/** Counts the crimg extension records of an image; reads only the record index. */
export function ownRecords(image: LinuxCrImage): OwnRecords {
  const dialect = new Map<string, number>();
  const records = new Map<string, number>();
  const unknown = new Map<string, number>();
  let head: number | undefined;
  for (let i = 0; i < image.length; i++) {
    const kind = image.kind(i);
    const id = image.id(i) as number;
    if (kind?.certainty === "our dialect") count(dialect, kind.name);
    else if (kind?.certainty === "our extension") count(records, kind.name);
    else if (isExtensionId(id)) count(unknown, String(id));
    if (kind === RECORDS.EXTENSIONS) head ??= i;
  }
  const { version, writer } = head === undefined ? {} : image.value(head, RECORDS.EXTENSIONS);
  return {
    dialect: Object.fromEntries(dialect),
    extensions:
      records.size + unknown.size === 0
        ? undefined
        : {
            version,
            writer: writer === undefined ? undefined : (EXTENSION_WRITERS[writer] ?? String(writer)),
            records: Object.fromEntries(records),
            unknown: Object.fromEntries(unknown),
          },
  };
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
