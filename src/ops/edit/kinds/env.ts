import path from "node:path";
import { IMAGES } from "../../../formats/criu/images.js";
import { AddressSpace } from "../../../formats/criu/pages.js";
import { EditError, UnsupportedError, UsageError } from "../../../io/errors.js";
import { MAX_STRING_AREA_BYTES } from "../../../io/limits.js";
import { bytesToText, textToBytes } from "../../../io/text.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";

interface EnvEdit {
  readonly pid: number;
  readonly key: string;
  readonly value: string;
}

/** `--env PID:KEY=VALUE`: a variable of the environment, in the memory page where it stands. */
export const env: EditKind<EnvEdit> = {
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
      if (space !== undefined) setVariable(draft, edit, args, space);
    }
  },
};

function setVariable(draft: Draft, edit: Edit, { pid, key, value }: EnvEdit, space: AddressSpace): void {
  const { mm_env_start: start, mm_env_end: end } = draft.set.required(IMAGES.MM, pid);
  if (end <= start) return;
  if (end - start > BigInt(MAX_STRING_AREA_BYTES))
    throw new EditError(
      `the environment of task ${pid} claims ${end - start} bytes, at most ${MAX_STRING_AREA_BYTES} are read`,
    );
  const area = space.read(start, Number(end - start));
  const name = Buffer.concat([textToBytes(key), Buffer.from("=")]);
  for (let at = 0; at < area.length; ) {
    const nul = area.indexOf(0, at);
    const stop = nul === -1 ? area.length : nul;
    const old = area.subarray(at, stop);
    if (old.subarray(0, name.length).equals(name)) {
      const fresh = padded(Buffer.concat([name, textToBytes(value)]), old, pid, key);
      if (fresh.equals(old)) draft.matched(edit);
      else writeMemory(draft, edit, space, start + BigInt(at), fresh);
      const before = bytesToText(old.subarray(name.length));
      if (before.length >= MIN_SCANNED && before !== value) draft.replaced.set(before, edit);
      draft.notes.add(
        `a program that has read ${key} already (getenv(3)) goes on with what it read; --scan-memory says where the old value still stands`,
      );
    }
    at = stop + 1;
  }
}

/** Shorter texts stand everywhere in memory. */
const MIN_SCANNED = 4;

function padded(fresh: Buffer, old: Buffer, pid: number, key: string): Buffer {
  if (fresh.length > old.length) {
    const room = old.length - textToBytes(key).length - 1;
    throw new EditError(
      `the value of ${key} in task ${pid} has ${room} bytes, and there is no room for ${fresh.length - old.length} more: memory cannot grow in an image`,
    );
  }
  return Buffer.concat([fresh, Buffer.alloc(old.length - fresh.length)]);
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
