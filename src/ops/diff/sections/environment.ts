import { isCrimgError } from "../../../io/errors.js";
import { MAX_STRING_AREA_BYTES } from "../../../io/limits.js";
import { bytesToText } from "../../../io/text.js";
import type { Memory } from "../../../model/memory.js";
import type { AddressRange } from "../../../model/origin.js";
import type { Item, Section } from "../section.js";

/** More are compared as one text: 4 MiB may hold two million of them. */
const MAX_VARIABLES = 16 * 1024;

/** Command line and environment, from the memory of each task. */
export const ENVIRONMENT: Section = {
  name: "env",
  *items(side) {
    for (const task of side.tasks()) {
      const memory = task.memory();
      const key = side.taskKey(task.pid);
      const argv = strings(memory, task.mm?.argv);
      if (argv !== undefined)
        yield { key: `${key} argv`, label: `command line of ${task.pid}`, fields: { argv: argv.join(" ") } };
      const environ = strings(memory, task.mm?.environ) ?? [];
      if (environ.length > MAX_VARIABLES)
        yield {
          key: `${key} environ`,
          label: `environment of ${task.pid}`,
          fields: { environ: environ.join(" ") },
        };
      else for (const entry of environ) yield variable(key, task.pid, entry);
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

/** The NUL-terminated strings of a memory range; undefined if its memory is not in the image. */
function strings(memory: Memory | undefined, area: AddressRange | undefined): string[] | undefined {
  if (memory === undefined || area === undefined || area.end <= area.start) return undefined;
  if (area.end - area.start > BigInt(MAX_STRING_AREA_BYTES)) return undefined;
  try {
    const text = bytesToText(memory.read(area.start, Number(area.end - area.start)));
    return text.split("\0").filter((part) => part !== "");
  } catch (error) {
    if (isCrimgError(error) && error.code !== "UNSUPPORTED") return undefined;
    throw error;
  }
}
