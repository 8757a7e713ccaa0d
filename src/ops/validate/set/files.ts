import { fileNameOf } from "../../../formats/criu/detect.js";
import { FILE_TYPES } from "../../../formats/criu/file-types.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { EventpollFileEntry } from "../../../formats/criu/tables/eventpoll.js";
import { FD_TYPES } from "../../../formats/criu/tables/fdinfo.js";
import { enumName } from "../../../io/enums.js";
import { FD_CLOEXEC } from "../../../linux/files.js";
import type { OpenFile } from "../../../model/open-file.js";
import { descriptorsByPid, type SetContext } from "../context.js";
import { descriptorTables } from "../descriptors.js";
import type { Found, Rule } from "../finding.js";
import { scanImages } from "../scan.js";
import { tasksOf } from "../tasks.js";

const FILES = IMAGES.FILES.file;
const AGAIN = "Undo the edit that did it, or copy files.img again from where the set was made.";

/** Rules about how open files and descriptor tables are stored, and what they refer to. */
export const fileRules: readonly Rule<SetContext>[] = [
  {
    id: "FILE_MEMBER",
    level: "error",
    about: "An entry of files.img has the one member that its type says, with the entry's id.",
    fix: AGAIN,
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
    fix: AGAIN,
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
    id: "FILE_UNUSED",
    level: "warning",
    about: "Every file entry is used by a descriptor, a mapping, a task or another entry.",
    fix: "It does no harm; if a descriptor should have it, copy the fdinfo images again.",
    check: unused,
  },
  {
    id: "FD_FILE",
    level: "error",
    about: "A descriptor names an open file of its type.",
    fix: "Copy files.img again from where the set was made; crimg edit --drop-fd PID:N does without the descriptor.",
    *check(context) {
      for (const { pid, table } of context.share(descriptorTables))
        for (const { fd, file, fileId, type, origin } of table.descriptors)
          if (file === undefined)
            yield {
              at: { ...origin, pid, fd },
              what: "descriptor of a missing open file",
              expected: `an open file of type ${type} with id ${fileId}`,
              found: context.checkpoint.files.get(fileId)?.type ?? "none",
              fix: context.editCommand("--drop-fd", `${pid}:${fd}`),
            };
    },
  },
  {
    id: "FD_FLAGS",
    level: "warning",
    about: "The flags of a descriptor are FD_CLOEXEC or none.",
    fix: "crimg edit --set gives it 1 or 0.",
    *check(context) {
      for (const { pid, table } of context.share(descriptorTables))
        for (const { value, index } of context.set.image(IMAGES.FDINFO, table.id)?.heldRecords() ?? [])
          if ((value.flags & ~FD_CLOEXEC) !== 0)
            yield {
              at: {
                image: fileNameOf(IMAGES.FDINFO, table.id),
                record: index,
                field: "flags",
                pid,
                fd: value.fd,
              },
              what: "unknown descriptor flags",
              found: `0x${value.flags.toString(16)}`,
            };
    },
  },
  {
    id: "EPOLL_TARGET",
    level: "error",
    about: "What an epoll descriptor waits for is a descriptor of a task that has it.",
    fix: "crimg edit --drop-fd closes the epoll descriptor; if the watched one was lost, copy the fdinfo image again.",
    *check(context) {
      const byPid = context.share(descriptorsByPid);
      for (const { pid, table } of context.share(descriptorTables))
        for (const { fd, file } of table.descriptors) {
          if (file?.type !== "EVENTPOLL") continue;
          for (const [i, { tfd }] of (file.record as EventpollFileEntry).tfd.entries()) {
            if (byPid.get(pid)?.has(tfd) || isElsewhere(context, file, tfd)) continue;
            yield {
              at: { ...file.origin, field: `${file.origin.field ?? ""}.tfd[${i}]`, pid, fd },
              what: "it waits for a descriptor that is not there",
              expected: `descriptor ${tfd} of task ${pid}`,
              found: "none",
            };
          }
        }
    },
  },
];

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

/** Several tasks may have one epoll file; criu takes the table of one of them. */
function isElsewhere(context: SetContext, file: object, tfd: number): boolean {
  return (
    context
      .share(epollTables)
      .get(file)
      ?.some((numbers) => numbers.has(tfd)) === true
  );
}

/** Descriptor numbers of each table that has an epoll file. */
function epollTables(context: SetContext): ReadonlyMap<object, readonly ReadonlyMap<number, unknown>[]> {
  const tables = new Map<object, ReadonlyMap<number, unknown>[]>();
  const byPid = context.share(descriptorsByPid);
  for (const { pid, table } of context.share(descriptorTables))
    for (const { file } of table.descriptors) {
      if (file?.type !== "EVENTPOLL") continue;
      const numbers = byPid.get(pid);
      if (numbers === undefined) continue;
      const known = tables.get(file);
      if (known === undefined) tables.set(file, [numbers]);
      else known.push(numbers);
    }
  return tables;
}
