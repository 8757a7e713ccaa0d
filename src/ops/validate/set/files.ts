import { posix } from "node:path";
import { fileNameOf } from "../../../formats/criu/detect.js";
import { FILE_TYPES } from "../../../formats/criu/file-types.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { OPEN_FLAGS } from "../../../formats/criu/names.js";
import { FD_TYPES } from "../../../formats/criu/tables/fdinfo.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import { enumName, flagNames } from "../../../io/enums.js";
import { textToBytes } from "../../../io/text.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import { O_TRUNC } from "../../../linux/open-flags.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { SetContext } from "../context.js";
import type { Found, Rule } from "../finding.js";
import { filesByType } from "../references/source.js";
import { scanImages } from "../scan.js";
import { tasksOf } from "../tasks.js";

const FILES = IMAGES.FILES.file;
const AGAIN = "Undo the edit that did it, or copy files.img again from where the set was made.";
/** PATH_MAX of the kernel, without the terminating NUL. */
const MAX_PATH = 4095;
const NO_SEEK = 0xffff_ffff_ffff_ffffn;
const ONLY_AT_OPEN = 0x40 | 0x80 | 0x100 | O_TRUNC | 0x80000;

/** Rules about open files as they are stored. */
export const fileRules: readonly Rule<SetContext>[] = [
  {
    id: "FILE_MEMBER",
    level: "error",
    about: "An entry of files.img has the one member that its type says, with the entry's id.",
    mend: AGAIN,
    *check({ set }) {
      for (const { value, index } of set.image(IMAGES.FILES)?.heldRecords() ?? []) {
        const type = enumName(FD_TYPES, value.type);
        const expected = FILE_TYPES.find((each) => each.type === type)?.member;
        const members = FILE_TYPES.map(({ member }) => member).filter(
          (member) => value[member] !== undefined,
        );
        const at = { image: FILES, record: index };
        if (members.length !== 1 || members[0] !== expected) {
          const found = members.join(", ") || "none";
          yield { at, what: `wrong members for type ${type}`, expected: expected ?? "a known type", found };
          continue;
        }
        const id = (value[expected as "reg"] as { readonly id: number }).id;
        if (id !== value.id)
          yield {
            at: { ...at, field: `${expected}.id` },
            what: "the member has another id than the entry",
            expected: String(value.id),
            found: String(id),
          };
      }
    },
  },
  {
    id: "FILE_DUPLICATE",
    level: "error",
    about: "No two open files have one id, but for a tun descriptor and its device node.",
    mend: AGAIN,
    *check({ checkpoint }) {
      const seen = new Map<string, OpenFile>();
      for (const file of checkpoint.files.all) {
        const isUnion = file.origin.image === FILES;
        const key = isUnion && file.type !== "TUNF" ? String(file.id) : `${file.type}:${file.id}`;
        const other = seen.get(key);
        if (other === undefined) seen.set(key, file);
        else
          yield {
            at: file.origin,
            what: `the id ${file.id} is used twice`,
            found: `record ${other.origin.record}`,
          };
      }
    },
  },
  {
    id: "FILE_PATH",
    level: "error",
    about: "The path of a file is absolute, holds no NUL and has at most 4,095 bytes.",
    mend: "crimg edit --set IMAGE[RECORD].FIELD=PATH gives the right one.",
    *check(context) {
      for (const { file, name } of named(context)) {
        const bytes = textToBytes(name).length;
        const wrong = !name.startsWith("/")
          ? "not absolute"
          : name.includes("\0")
            ? "with a NUL inside"
            : bytes > MAX_PATH
              ? `${bytes} bytes long`
              : undefined;
        if (wrong !== undefined)
          yield {
            at: { ...file.origin, path: name },
            what: `the path is ${wrong}`,
            expected: "an absolute path",
          };
      }
    },
  },
  {
    id: "FILE_PATH_PARENT",
    level: "error",
    about: "No path has a component `..`: criu would open whatever it leads to for the program.",
    mend: "Trust the set no further than its maker; crimg edit --set gives the file another path.",
    *check(context) {
      for (const { file, name } of named(context))
        if (name.split("/").includes(".."))
          yield {
            at: { ...file.origin, path: name },
            what: "the path climbs to a parent directory",
            expected: "a path without ..",
            fix: setCommand(context, file, "name", posix.normalize(name)),
          };
    },
  },
  {
    id: "FILE_PATH_FORM",
    level: "warning",
    about:
      "Paths are written as the kernel writes them: no empty component, no `.`, no slash at the end, no ` (deleted)`.",
    mend: "crimg edit --set IMAGE[RECORD].FIELD=PATH writes the path in the usual form.",
    *check(context) {
      for (const { file, name } of named(context)) {
        const usual = usualForm(name);
        if (usual !== name && !name.split("/").includes(".."))
          yield {
            at: { ...file.origin, path: name },
            what: "an unusual form of a path",
            expected: usual,
            found: name,
            fix: setCommand(context, file, "name", usual),
          };
      }
    },
  },
  {
    id: "FILE_FLAGS",
    level: "warning",
    about: "The flags of a file are those of fcntl(F_GETFL), without the ones that matter at open(2) alone.",
    mend: "crimg edit --set IMAGE[RECORD].reg.flags=NUMBER takes them away; with O_TRUNC restore would empty the file.",
    *check(context) {
      for (const file of context.share(filesByType).get("REG") ?? []) {
        const flags = (file.flags ?? 0) & ONLY_AT_OPEN;
        if (flags === 0) continue;
        yield {
          at: { ...file.origin, path: file.path },
          what: (flags & O_TRUNC) !== 0 ? "restore would empty the file" : "flags that only open(2) takes",
          found: flagNames(OPEN_FLAGS, flags).join(" | "),
          fix: setCommand(context, file, "flags", String(((file.flags ?? 0) & ~ONLY_AT_OPEN) >>> 0)),
          level: (flags & O_TRUNC) !== 0 ? "error" : "warning",
        };
      }
    },
  },
  {
    id: "FILE_POSITION",
    level: "error",
    about: "The offset of a file is one that lseek(2) takes, or all ones for none.",
    mend: "crimg edit --set IMAGE[RECORD].reg.pos=0 starts at the beginning.",
    *check(context) {
      for (const file of context.share(filesByType).get("REG") ?? []) {
        const { pos } = file.record as RegFileEntry;
        if (pos > OFFSET_MAX && pos !== NO_SEEK)
          yield {
            at: { ...file.origin, path: file.path },
            what: "no offset",
            found: `0x${pos.toString(16)}`,
          };
      }
    },
  },
  {
    id: "FILE_UNUSED",
    level: "warning",
    about: "Every file entry is used by a descriptor, a mapping, a task or another entry.",
    mend: "It does no harm; if a descriptor should have it, copy the fdinfo images again.",
    check: unused,
  },
];

function* named(context: SetContext): Generator<{ readonly file: OpenFile; readonly name: string }> {
  for (const file of context.share(filesByType).get("REG") ?? [])
    if (file.path !== undefined) yield { file, name: file.path };
}

/** The command that sets a field of a file's own record. */
function setCommand(context: SetContext, { origin }: OpenFile, field: string, value: string): string {
  const { image, record, field: member } = origin;
  const way = `${image}[${record}].${member === undefined ? "" : `${member}.`}${field}`;
  return context.editCommand("--set", `${way}=${value}`);
}

function usualForm(name: string): string {
  const path = posix.normalize(name.replace(/ \(deleted\)$/, ""));
  return path.length > 1 ? path.replace(/\/$/, "") : path;
}

/** What uses a file may stand in an image that is lost, so only a whole set can tell. */
function isWhole(context: SetContext): boolean {
  const { set } = context;
  const names = new Set(set.files.map(({ name }) => name));
  const tasks = context.share(tasksOf);
  return (
    tasks.length > 0 &&
    context.share(scanImages).every(({ name }) => set.damageOf(name).length === 0) &&
    tasks.every(({ core, ids, mm, fs, dead }) => {
      const hasImages = core !== undefined && ids !== undefined && mm !== undefined && fs !== undefined;
      return dead || (hasImages && names.has(fileNameOf(IMAGES.FDINFO, ids.files_id)));
    })
  );
}

function* unused(context: SetContext): Generator<Found> {
  if (!isWhole(context)) return;
  const { checkpoint, set } = context;
  const used = new Set<OpenFile | undefined>();
  const useId = (id: number | undefined, type?: string) => {
    if (id !== undefined) used.add(checkpoint.files.get(id, type));
  };
  for (const task of checkpoint.tasks) {
    for (const { file } of task.descriptors?.descriptors ?? []) used.add(file);
    for (const { file } of task.mappings) used.add(file);
    used.add(task.exe).add(task.cwd).add(task.root);
  }
  for (const file of checkpoint.files.all) {
    useId(file.record.regf_id as number | undefined, "REG");
    if (file.type === "TUNF") useId(file.id, "REG");
  }
  for (const { value } of set.records(IMAGES.REMAP_FPATH)) {
    useId(value.orig_id, "REG");
    useId(value.remap_id, "REG");
  }
  for (const { value } of set.records(IMAGES.SK_QUEUES))
    for (const { rights } of value.scm) for (const id of rights) useId(id);
  for (const file of checkpoint.files.all)
    if (!used.has(file))
      yield {
        at: { ...file.origin, path: file.path },
        what: `${file.type} file ${file.id} is used by nothing`,
      };
}
