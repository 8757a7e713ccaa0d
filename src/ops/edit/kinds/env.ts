import path from "node:path";
import { IMAGES } from "../../../formats/criu/images.js";
import { AddressSpace } from "../../../formats/criu/pages.js";
import { EditError, UnsupportedError, UsageError } from "../../../io/errors.js";
import { MAX_STRING_AREA_BYTES } from "../../../io/limits.js";
import type { Draft } from "../draft.js";
import { type EnvEdit, setVariable } from "../environ.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";

/** `--env PID:KEY=VALUE`: a variable of the environment, in the memory page where it stands. */
export const env: EditKind<EnvEdit, Draft> = {
  name: "env",
  syntax: "PID:KEY=VALUE",
  summary: "change a variable of a task's environment in its memory; VALUE is not longer than the old one",
  parse(text) {
    const [, pid, key, value] = /^(\d{1,10}):([^=]+)=(.*)$/s.exec(text) ?? [];
    if (pid === undefined || key === undefined || value === undefined || text.includes("\0"))
      throw new UsageError(`${JSON.stringify(text)} is not PID:KEY=VALUE`);
    return { pid: Number(pid), key, value };
  },
  lookedFor: ({ pid, key }) => `task ${pid} has no variable ${key} in its environment`,
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const space = AddressSpace.of(draft.set, args.pid);
      const area = space && environmentOf(draft, args.pid, space);
      if (space === undefined || area === undefined) continue;
      setVariable(draft, edit, args, area.bytes, (at, bytes) =>
        writeMemory(draft, edit, space, area.start + BigInt(at), bytes),
      );
    }
  },
};

function environmentOf(
  draft: Draft,
  pid: number,
  space: AddressSpace,
): { readonly start: bigint; readonly bytes: Buffer } | undefined {
  const { mm_env_start: start, mm_env_end: end } = draft.set.required(IMAGES.MM, pid);
  if (end <= start) return undefined;
  if (end - start > BigInt(MAX_STRING_AREA_BYTES))
    throw new EditError(
      `the environment of task ${pid} claims ${end - start} bytes, at most ${MAX_STRING_AREA_BYTES} are read`,
    );
  return { start, bytes: space.read(start, Number(end - start)) };
}

/** Puts bytes into the pages that hold the address. Errors: EDIT, UNSUPPORTED where they are not plainly in this set. */
function writeMemory(draft: Draft, edit: Edit, space: AddressSpace, address: bigint, bytes: Buffer): void {
  const pageSize = BigInt(space.pageSize);
  for (let done = 0; done < bytes.length; ) {
    const at = address + BigInt(done);
    const size = Math.min(bytes.length - done, Number(pageSize - (at % pageSize)));
    const location = space.locate(at);
    if (location.where === "compressed")
      throw new UnsupportedError(
        `the page at 0x${at.toString(16)} is compressed, and crimg does not write compressed pages`,
        {
          file: location.file,
          offset: location.offset,
        },
      );
    if (location.where !== "file" || location.level > 0)
      throw new EditError(
        location.where === "file"
          ? `the page at 0x${at.toString(16)} is in the parent set ${path.dirname(location.file)}, which other sets may share; it is not changed there`
          : `the page at 0x${at.toString(16)} is not stored in this set (${location.where})`,
      );
    draft.patch(edit, path.basename(location.file), location.offset, bytes.subarray(done, done + size));
    done += size;
  }
}
