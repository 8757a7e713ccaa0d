import { type CrimgError, isCrimgError } from "../io/errors.js";
import { hex } from "../io/hex.js";
import { MAX_STRING_AREA_BYTES } from "../io/limits.js";
import { bytesToText } from "../io/text.js";
import type { Memory } from "./memory.js";
import type { AddressRange } from "./origin.js";

/** Strings of a task's memory, or why they cannot be read. */
export type MemoryStrings =
  | { readonly strings: readonly string[]; readonly problem?: undefined }
  | { readonly strings: readonly []; readonly problem: string };

/** The NUL-terminated strings in a range of memory: the arguments or the environment of a task. */
export function stringsAt(memory: Memory | undefined, area: AddressRange | undefined): MemoryStrings {
  if (memory === undefined || area === undefined) return { strings: [], problem: "the task has no memory" };
  const size = area.end > area.start ? area.end - area.start : 0n;
  if (size === 0n) return { strings: [] };
  if (size > MAX_STRING_AREA_BYTES)
    return problem(
      `${hex(area.start)}-${hex(area.end)} is too large: ${size} bytes (expected at most ${MAX_STRING_AREA_BYTES})`,
    );
  try {
    const strings = bytesToText(memory.read(area.start, Number(size))).split("\0");
    if (strings.at(-1) === "") strings.pop();
    return { strings };
  } catch (error) {
    if (isCrimgError(error)) return problem((error as CrimgError).message);
    throw error;
  }
}

function problem(text: string): MemoryStrings {
  return { strings: [], problem: text };
}
