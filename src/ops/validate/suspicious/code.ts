import path from "node:path";
import { hex } from "../../../io/hex.js";
import { VM_EXEC, VM_WRITE } from "../../../linux/mman.js";
import type { Task } from "../../../model/checkpoint.js";
import { type Mapping, mappingAt } from "../../../model/mapping.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { ImageContext } from "../context.js";
import type { Found, Rule, RuleFacts } from "../finding.js";

const LOOK =
  "crimg memory --map writes it to a file for a closer look; crimg core opens the task in a debugger.";
/** Where packages put libraries. */
const SYSTEM = /^\/(?:lib(?:32|64|x32)?|usr|nix\/store|gnu\/store|snap)\//;
/** Where everybody may write, or where nobody looks. */
const UNUSUAL = /^\/(?:tmp|var\/tmp|dev|run|proc)\/|\/\./;

/** Rules about what tasks run. */
export const codeRules: readonly Rule<ImageContext>[] = [
  codeRule(
    {
      id: "SUSPICIOUS_WRITABLE_CODE",
      level: "warning",
      about: "No memory is writable and executable at once.",
      fix: LOOK,
    },
    function* ({ mappings }) {
      for (const mapping of mappings)
        if ((mapping.flags & VM_WRITE) !== 0n && (mapping.flags & VM_EXEC) !== 0n)
          yield { mapping, what: "memory is writable and executable", found: mapping.permissions };
    },
  ),
  codeRule(
    {
      id: "SUSPICIOUS_MAPPED_CODE",
      level: "warning",
      about: "Executable memory shows no deleted file and no memfd.",
      fix: LOOK,
    },
    function* ({ mappings }) {
      for (const mapping of mappings) {
        const gone = goneText(mapping.file) ?? (mapping.kind === "memfd" ? "a memfd" : undefined);
        if ((mapping.flags & VM_EXEC) !== 0n && gone !== undefined)
          yield { mapping, what: `executable memory shows ${gone}`, found: mapping.name };
      }
    },
  ),
  codeRule(
    {
      id: "SUSPICIOUS_LIBRARY",
      level: "warning",
      about:
        "Executable memory shows the executable, or files of system directories or beside the executable.",
      fix: "crimg extract and crimg memory show what the task runs; compare the file with that of its package.",
    },
    function* ({ mappings, exe }) {
      const own = ownDirectories(exe);
      const seen = new Set<string>();
      for (const mapping of mappings) {
        const { file, flags } = mapping;
        if ((flags & VM_EXEC) === 0n || file?.path === undefined || isSame(file, exe) || goneText(file))
          continue;
        if (SYSTEM.test(file.path) || own.some((directory) => file.path?.startsWith(directory))) continue;
        if (!seen.has(file.path))
          yield { mapping, what: "code is mapped from outside the system directories", found: file.path };
        seen.add(file.path);
      }
    },
  ),
  {
    id: "SUSPICIOUS_EXECUTABLE",
    level: "warning",
    about: "The executable of a task is a file that is still there, and no memfd.",
    fix: "crimg extract writes a deleted file that the image holds.",
    *check(context) {
      for (const { pid, exe } of tasksWithMemory(context)) {
        const gone = goneText(exe);
        if (exe !== undefined && gone !== undefined)
          yield {
            at: context.placeOf(exe.origin, { pid }),
            what: `the executable is ${gone}`,
            found: exe.label,
          };
      }
    },
  },
  {
    id: "SUSPICIOUS_EXE_MAPPING",
    level: "warning",
    about: "The executable that a task names (/proc/PID/exe) is the file that its code is mapped from.",
    fix: LOOK,
    *check(context) {
      for (const { pid, exe, mm, mappings } of tasksWithMemory(context)) {
        if (exe === undefined || mm === undefined) continue;
        const code = mappingAt(mappings, mm.code.start)?.file;
        const isMapped =
          code === undefined ? mappings.some(({ file }) => isSame(file, exe)) : isSame(code, exe);
        if (!isMapped)
          yield {
            at: context.placeOf(mm.origin, { pid }),
            what: "the executable is not what is mapped",
            expected: exe.label,
            found: code?.label ?? "no mapping of it",
          };
      }
    },
  },
];

interface FoundMapping extends Omit<Found, "at"> {
  readonly mapping: Mapping;
}

function codeRule(facts: RuleFacts, find: (task: Task) => Iterable<FoundMapping>): Rule<ImageContext> {
  return {
    ...facts,
    *check(context) {
      for (const task of tasksWithMemory(context))
        for (const { mapping, what, ...found } of find(task))
          yield {
            ...found,
            at: context.placeOf(mapping.origin, { pid: task.pid }),
            what: `${what}, ${hex(mapping.start)}-${hex(mapping.end)}`,
          };
    },
  };
}

/** Each address space once. */
function tasksWithMemory({ checkpoint }: ImageContext): readonly Task[] {
  return checkpoint.tasks.filter(({ mm, pid, memoryOf }) => mm !== undefined && memoryOf === pid);
}

/** What a file is that is in no directory; undefined for others. */
function goneText(file: OpenFile | undefined): string | undefined {
  if (file === undefined) return undefined;
  if (file.type === "MEMFD" || /^\/?memfd:/.test(file.path ?? file.label)) return "a memfd";
  const isDeleted = file.deleted !== undefined || file.path?.endsWith(" (deleted)");
  return isDeleted ? "a deleted file" : undefined;
}

function isSame(file: OpenFile | undefined, other: OpenFile | undefined): boolean {
  if (file === undefined || other === undefined) return false;
  return (
    (file.id === other.id && file.type === other.type) ||
    (file.path !== undefined && file.path === other.path)
  );
}

/** The directory of the executable and the one above, as bin/ and lib/ of one program have it. */
function ownDirectories(exe: OpenFile | undefined): string[] {
  if (exe?.path === undefined || UNUSUAL.test(exe.path)) return [];
  const own = path.dirname(exe.path);
  return [own, path.dirname(own)].filter((each) => each.split("/").length > 2).map((each) => `${each}/`);
}
