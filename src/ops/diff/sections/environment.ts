import { isCrimgError } from "../../../io/errors.js";
import { MAX_STRING_AREA_BYTES } from "../../../io/limits.js";
import { bytesToText } from "../../../io/text.js";
import type { Memory } from "../../../model/memory.js";
import type { AddressRange } from "../../../model/origin.js";
import type { Item, Section } from "../section.js";

/** More are compared as one text: 4 MiB may hold two million of them. */
const MAX_VARIABLES = 16 * 1024;
const NOTHING = Buffer.alloc(0);
const BLANK = 0x20;

/** Command line and environment, from the memory of each task. */
export const ENVIRONMENT: Section = {
  name: "env",
  *items(side) {
    for (const task of side.tasks()) {
      const memory = task.memory();
      const key = side.taskKey(task.pid);
      const argv = stringArea(memory, task.mm?.argv);
      if (argv !== undefined)
        yield { key: `${key} argv`, label: `command line of ${task.pid}`, fields: { argv: joined(argv) } };
      const environ = stringArea(memory, task.mm?.environ) ?? NOTHING;
      if (countOf(environ) > MAX_VARIABLES)
        yield {
          key: `${key} environ`,
          label: `environment of ${task.pid}`,
          fields: { environ: joined(environ) },
        };
      else
        for (const entry of bytesToText(environ).split("\0"))
          if (entry !== "") yield variable(key, task.pid, entry);
    }
  },
};

function variable(key: string, pid: number, entry: string): Item {
  const [name = ""] = entry.split("=", 1);
  return {
    key: `${key} ${name}`,
    label: `${name} of ${pid}`,
    fields: { value: entry.slice(name.length + 1) },
  };
}

/** The strings of a memory range, each with its NUL; undefined if its memory is not in the image. */
function stringArea(memory: Memory | undefined, area: AddressRange | undefined): Buffer | undefined {
  if (memory === undefined || area === undefined || area.end <= area.start) return undefined;
  if (area.end - area.start > BigInt(MAX_STRING_AREA_BYTES)) return undefined;
  try {
    return memory.read(area.start, Number(area.end - area.start));
  } catch (error) {
    if (isCrimgError(error) && error.code !== "UNSUPPORTED") return undefined;
    throw error;
  }
}

/** The strings as one text, each after a blank; they are joined as bytes, for they may be two million. */
function joined(strings: Buffer): string {
  const text = Buffer.allocUnsafe(strings.length);
  let size = 0;
  for (const byte of strings)
    if (byte !== 0) text[size++] = byte;
    else if (size > 0 && text[size - 1] !== 0) text[size++] = 0;
  const end = size > 0 && text[size - 1] === 0 ? size - 1 : size;
  for (let i = 0; i < end; i++) if (text[i] === 0) text[i] = BLANK;
  return bytesToText(text.subarray(0, end));
}

function countOf(strings: Buffer): number {
  let count = 0;
  for (const byte of strings) if (byte === 0) count++;
  return count;
}
