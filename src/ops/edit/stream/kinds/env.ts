import type { Part } from "../../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { EditError } from "../../../../io/errors.js";
import { MAX_STRING_AREA_BYTES } from "../../../../io/limits.js";
import { PAGE_SIZE } from "../../../../linux/mman.js";
import { type EnvEdit, setVariable } from "../../environ.js";
import type { Parsed } from "../../kind.js";
import type { StreamDraft } from "../draft.js";
import { locate } from "../memory.js";
import { objectOf } from "../tasks.js";

/** A variable in the saved pages of the stack, where the kernel put it. */
export function planEnv(edits: readonly Parsed<EnvEdit>[], draft: StreamDraft): void {
  for (const { edit, args } of edits) {
    const mm = objectOf(draft, args.pid, "mm_objref", "MM");
    if (mm === undefined) continue;
    const { env_start: start, env_end: end } = draft.reader.get(mm, RECORDS.MM).value;
    if (end <= start) continue;
    if (end - start > BigInt(MAX_STRING_AREA_BYTES))
      throw new EditError(
        `the environment of task ${args.pid} claims ${end - start} bytes, at most ${MAX_STRING_AREA_BYTES} are read`,
      );
    setVariable(draft, edit, args, readArea(draft, mm, start, Number(end - start)), (at, bytes) => {
      for (let done = 0; done < bytes.length; ) {
        const address = start + BigInt(at + done);
        const saved = locate(draft, mm, address, bytes.length - done);
        if (saved === undefined)
          throw new EditError(`the page at 0x${address.toString(16)} is not saved in this stream`);
        draft.patch(edit, saved.record, saved.offset, bytes.subarray(done, done + saved.size));
        done += saved.size;
      }
    });
  }
}

/** What is saved of an area; pages that are not read as zeroes. */
function readArea(draft: StreamDraft, mm: Part, start: bigint, size: number): Buffer {
  const area = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const address = start + BigInt(at);
    const saved = locate(draft, mm, address, size - at);
    if (saved !== undefined) draft.image.source.read(saved.offset, saved.size).copy(area, at);
    at += saved?.size ?? PAGE_SIZE - Number(address % BigInt(PAGE_SIZE));
  }
  return area;
}
