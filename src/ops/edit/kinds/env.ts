import { EditError, UsageError } from "../../../io/errors.js";
import { MAX_STRING_AREA_BYTES } from "../../../io/limits.js";
import { bytesToText, textToBytes } from "../../../io/text.js";
import type { Memory } from "../../../model/memory.js";
import type { Editor } from "../editor.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { assertPlain } from "../stored-page.js";

interface EnvEdit {
  readonly pid: number;
  readonly key: string;
  readonly value: string;
}

/** Shorter texts stand everywhere in memory. */
const MIN_SCANNED = 4;

/** `--env PID:KEY=VALUE`: a variable of the environment, in the memory page where it stands. */
export const env: EditKind<EnvEdit> = {
  name: "env",
  syntax: "PID:KEY=VALUE",
  summary: "change a variable of a task's environment in its memory; VALUE is not longer than the old one",
  parse(text) {
    const [, pid, key, value] = /^(\d{1,10}):([^=]+)=(.*)$/s.exec(text) ?? [];
    if (pid === undefined || key === undefined || value === undefined || text.includes("\0"))
      throw new UsageError(`invalid ${JSON.stringify(text)} (expected PID:KEY=VALUE)`);
    return { pid: Number(pid), key, value };
  },
  lookedFor: ({ pid, key }) => `task ${pid} has no variable ${key} in its environment`,
  plan(edits, editor) {
    for (const { edit, args } of edits) {
      const task = editor.checkpoint.task(args.pid);
      const { start, end } = task?.mm?.environ ?? { start: 0n, end: 0n };
      const memory = end > start ? task?.memory() : undefined;
      if (memory === undefined) continue;
      if (end - start > BigInt(MAX_STRING_AREA_BYTES))
        throw new EditError(
          `the environment of task ${args.pid} claims ${end - start} bytes, at most ${MAX_STRING_AREA_BYTES} are read`,
        );
      setVariable(editor, edit, args, { memory, start, bytes: memory.read(start, Number(end - start)) });
    }
  },
};

interface Environment {
  readonly memory: Memory;
  readonly start: bigint;
  readonly bytes: Buffer;
}

/** Errors: EDIT for a value that is longer than the old one. */
function setVariable(editor: Editor, edit: Edit, args: EnvEdit, { memory, start, bytes }: Environment): void {
  const { pid, key, value } = args;
  const name = Buffer.concat([textToBytes(key), Buffer.from("=")]);
  for (let at = 0; at < bytes.length; ) {
    const nul = bytes.indexOf(0, at);
    const stop = nul === -1 ? bytes.length : nul;
    const old = bytes.subarray(at, stop);
    if (old.subarray(0, name.length).equals(name)) {
      const fresh = padded(Buffer.concat([name, textToBytes(value)]), old, pid, key);
      if (fresh.equals(old)) editor.matched(edit);
      else writeMemory(editor, edit, memory, start + BigInt(at), fresh);
      const before = bytesToText(old.subarray(name.length));
      changeStored(editor, edit, args, `${key}=${before}`);
      if (before.length >= MIN_SCANNED && before !== value) editor.replaced.set(before, edit);
      editor.notes.add(
        `a program that has read ${key} already (getenv(3)) goes on with what it read; --scan-memory says where the old value still stands`,
      );
    }
    at = stop + 1;
  }
}

/** What the engine starts in the container has the same environment as the first task. */
function changeStored(editor: Editor, edit: Edit, { pid, key, value }: EnvEdit, before: string): void {
  if (editor.checkpoint.task(pid)?.ppid !== 0) return;
  editor.changeFacts("environment", (fact) =>
    fact.value === before ? { edit, value: `${key}=${value}` } : undefined,
  );
}

function padded(fresh: Buffer, old: Buffer, pid: number, key: string): Buffer {
  if (fresh.length > old.length) {
    const room = old.length - textToBytes(key).length - 1;
    throw new EditError(
      `the value of ${key} in task ${pid} has ${room} bytes, and there is no room for ${fresh.length - old.length} more: memory cannot grow in an image`,
    );
  }
  return Buffer.concat([fresh, Buffer.alloc(old.length - fresh.length)]);
}

/** Puts bytes into the pages that hold the address. Errors: EDIT, UNSUPPORTED where they are not plainly in this image. */
function writeMemory(editor: Editor, edit: Edit, memory: Memory, from: bigint, bytes: Buffer): void {
  const end = from + BigInt(bytes.length);
  for (const run of memory.runs(from, end)) {
    const start = run.address > from ? run.address : from;
    const behind = run.address + BigInt(run.pages * memory.pageSize);
    const at = Number(start - from);
    const piece = bytes.subarray(at, at + Number((behind < end ? behind : end) - start));
    const page = `the page at 0x${start.toString(16)}`;
    if (run.where !== "file" && run.where !== "compressed")
      throw new EditError(`${page} is not stored in this image (${run.where})`);
    assertPlain({ ...run, isCompressed: run.where === "compressed" }, page);
    editor.patchFile(edit, run.file, run.offset + Number(start - run.address), piece);
  }
}
