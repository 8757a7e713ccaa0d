import { FormatError } from "../../../io/errors.js";

/** The records that crimg reads; the others are passed over. */
const READ = /^(?:path|linkpath|size|uid|gid|mtime|GNU\.sparse\.[a-z]+)$/;

/** Values of PAX records by key, in their order; a key of an old sparse map stands several times. */
export type PaxRecords = ReadonlyMap<string, readonly Buffer[]>;

/**
 * The records of an extended header, pax(1): `LENGTH KEY=VALUE\n`, LENGTH of all of it in decimal digits.
 * Errors: FormatError INVALID.
 */
export function paxRecords(data: Buffer, file: string, offset: number): PaxRecords {
  const records = new Map<string, Buffer[]>();
  for (let at = 0; at < data.length && data[at] !== 0; ) {
    const fail = (): never => {
      throw new FormatError("INVALID", "invalid PAX record (expected LENGTH KEY=VALUE)", {
        file,
        offset: offset + at,
      });
    };
    const blank = data.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(data.toString("latin1", at, blank));
    const end = at + length;
    const equals = data.indexOf(0x3d, blank);
    if (!Number.isInteger(length) || end > data.length || equals < 0) fail();
    if (data[end - 1] !== 0x0a || equals >= end) fail();
    const key = data.toString("latin1", blank + 1, equals);
    const known = records.get(key);
    const value = data.subarray(equals + 1, end - 1);
    if (known !== undefined) known.push(value);
    else if (READ.test(key)) records.set(key, [value]);
    at = end;
  }
  return records;
}

/** A number of a PAX record, with or without a fraction, cut to whole ones. Errors: FormatError INVALID. */
export function paxNumber(value: Buffer, key: string, file: string, offset: number): number {
  const text = value.toString("latin1");
  const number = /^\d{1,16}(\.\d*)?$/.test(text) ? Math.floor(Number(text)) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new FormatError("INVALID", `invalid PAX ${key} ${JSON.stringify(text)} (expected a number)`, {
    file,
    offset,
  });
}
