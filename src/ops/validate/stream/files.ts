import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import { FMODE_READ, FMODE_WRITE } from "../../../linux/files.js";
import { O_ACCMODE, O_PATH, O_TRUNC } from "../../../linux/open-flags.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, hex, recordRule } from "./record-rule.js";

const GENERIC = 1;
const PIPE = 2;
const FIFO = 3;
const SOCKET = 4;
const EPOLL = 6;
const EVENTFD = 7;
/** Types of our extension: timerfd, signalfd, memfd, inotify. */
const OURS: ReadonlySet<number> = new Set([1001, 1002, 1003, 1004]);
/** O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC */
const ONLY_AT_OPEN = 0o1700;
const SIGNED_64 = 1n << 63n;
/** Bytes of a pipe until Linux 2.6.35 and by default since: 16 pages. */
const PIPE_BYTES = 65_536;

/** Rules about descriptors and open files. */
export const fileRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FILE,
    {
      id: "FILE_KIND",
      level: "error",
      about: "An open file is of one of the types 1 to 7, or of 1001 to 1004 of our extension.",
      mend: AGAIN,
    },
    function* ({ f_type }) {
      if ((f_type < GENERIC || f_type > EVENTFD) && !OURS.has(f_type))
        yield {
          field: "f_type",
          what: "no type of a file",
          expected: "1 to 7, 1001 to 1004",
          found: String(f_type),
        };
    },
  ),
  recordRule(
    RECORDS.FILE,
    {
      id: "FILE_OPEN_FLAGS",
      level: "error",
      about:
        "A file that is opened by its path has no flags that matter at open(2) alone; O_TRUNC would empty it.",
      mend: "Take the bits 01700 (octal) out of f_flags.",
    },
    function* ({ f_type, f_flags }) {
      const flags = f_flags & ONLY_AT_OPEN;
      if ((f_type === GENERIC || f_type === FIFO) && flags !== 0)
        yield {
          field: "f_flags",
          right: hex((f_flags & ~ONLY_AT_OPEN) >>> 0),
          what: (flags & O_TRUNC) !== 0 ? "a restart would empty the file" : "flags that only open(2) takes",
          expected: hex((f_flags & ~ONLY_AT_OPEN) >>> 0),
          found: hex(f_flags),
        };
    },
  ),
  recordRule(
    RECORDS.FILE,
    {
      id: "FILE_ACCESS",
      level: "error",
      about:
        "A file may be read and written (f_mode) as it was opened (f_flags): the kernel compares them at a restart.",
      mend: AGAIN,
    },
    function* ({ f_type, f_mode, f_flags }) {
      if (f_type === SOCKET || (f_flags & O_PATH) !== 0) return;
      const access = f_flags & O_ACCMODE;
      const expected = access === 0 ? FMODE_READ : access === 1 ? FMODE_WRITE : FMODE_READ | FMODE_WRITE;
      const found = f_mode & (FMODE_READ | FMODE_WRITE);
      // A file opened with access mode 3 can be neither read nor written.
      if (access !== O_ACCMODE && found !== expected)
        yield {
          field: "f_mode",
          right: hex(((f_mode & ~3) | expected) >>> 0),
          what: "another mode than the file was opened with",
          expected: `${expected} in the low bits`,
          found: hex(f_mode),
        };
    },
  ),
  recordRule(
    RECORDS.FILE,
    {
      id: "FILE_OFFSET",
      level: "error",
      about: "The offset of a file is one that lseek(2) takes.",
      mend: AGAIN,
    },
    function* ({ f_type, f_pos }) {
      if (f_type === GENERIC && f_pos >= SIGNED_64)
        yield {
          field: "f_pos",
          right: 0,
          what: "a negative offset",
          expected: "0 or more",
          found: String(BigInt.asIntN(64, f_pos)),
        };
    },
  ),
  {
    id: "FD_NUMBER",
    level: "error",
    about: "The descriptors of a table ascend without repetition from 0 on, as many as FILE_TABLE says.",
    mend: AGAIN,
    *check(context) {
      for (const table of context.reader.objects("FILE_TABLE")) {
        const [record] = table.records;
        const value = context.valueAt(record, RECORDS.FILE_TABLE);
        if (record === undefined || value === undefined) continue;
        if (value.fdt_nfds < 0)
          yield {
            at: context.at(record, { field: "fdt_nfds" }),
            what: "a negative number of descriptors",
            found: String(value.fdt_nfds),
          };
        let last = -1;
        for (const { rule, records } of table.parts) {
          const index = rule === "descriptor" ? records[0] : undefined;
          const descriptor = context.valueAt(index, RECORDS.FILE_DESC);
          if (descriptor === undefined || index === undefined) continue;
          const { fd_descriptor: fd } = descriptor;
          if (fd <= last)
            yield {
              at: context.at(index, { field: "fd_descriptor", fd }),
              what:
                fd < 0
                  ? "no descriptor"
                  : fd === last
                    ? "the descriptor is there twice"
                    : "descriptors do not ascend",
              expected: `above ${last}`,
              found: String(fd),
            };
          last = Math.max(last, fd);
        }
      }
    },
  },
  {
    id: "PIPE_LENGTH",
    level: "warning",
    about: "A pipe holds no more bytes than it has room for: 65,536 unless PIPE_STATE says another number.",
    mend: "The restart can only write as much as the pipe holds; the rest would be lost.",
    *check(context) {
      const capacities = new Map<number, number>();
      for (const part of context.reader.objects("FILE")) {
        const found = context.reader.find(part, RECORDS.PIPE_STATE);
        const { pipe_objref = 0 } = context.reader.find(part, RECORDS.FILE)?.value ?? {};
        if (found !== undefined) capacities.set(pipe_objref, found.value.capacity);
      }
      for (const part of context.reader.objects("FILE")) {
        const buffer = context.reader.index(part, RECORDS.PIPE_BUF);
        if (buffer === undefined) continue;
        const { pipe_objref = 0 } = context.reader.find(part, RECORDS.FILE)?.value ?? {};
        const { size } = context.stream.payload(buffer);
        const room = capacities.get(pipe_objref) ?? PIPE_BYTES;
        if (size > room)
          yield {
            at: context.at(buffer),
            what: "more bytes than the pipe holds",
            expected: `at most ${room}`,
            found: `${size}`,
          };
      }
    },
  },
  {
    id: "PIPE_KIND",
    level: "error",
    about: "The ends of one pipe are all of a pipe, or all of a fifo with the same path.",
    mend: AGAIN,
    *check(context) {
      const first = new Map<number, { readonly type: number; readonly path: string | undefined }>();
      for (const part of context.reader.objects("FILE")) {
        const file = context.reader.find(part, RECORDS.FILE);
        if (file === undefined || (file.value.f_type !== PIPE && file.value.f_type !== FIFO)) continue;
        const { f_type: type, pipe_objref: pipe = 0 } = file.value;
        const at = context.at(file.index, { field: "pipe_objref" });
        if (pipe <= 0) yield { at, what: "no number of a pipe", expected: "above 0", found: String(pipe) };
        const path = type === FIFO ? context.reader.text(part, RECORDS.FILE_NAME) : undefined;
        const known = first.get(pipe);
        if (known === undefined) first.set(pipe, { type, path });
        else if (known.type !== type)
          yield { at, what: "a pipe and a fifo with one number", found: String(pipe) };
        else if (known.path !== path)
          yield {
            at: { ...at, path },
            what: "two paths for one fifo",
            expected: known.path,
            found: path,
            level: "warning",
          };
      }
    },
  },
  {
    id: "EPOLL_ITEMS_OF",
    level: "error",
    about:
      "EPOLL_ITEMS belongs to an epoll file, holds as many items as it says, and none is that file itself.",
    mend: AGAIN,
    *check(context) {
      const files = new Map<number, number>();
      for (const part of context.reader.objects("FILE")) {
        const type = context.reader.find(part, RECORDS.FILE)?.value.f_type;
        if (part.objref !== undefined && type !== undefined) files.set(part.objref, type);
      }
      for (const { index, value } of context.each(RECORDS.EPOLL_ITEMS)) {
        const { epfile_objref: own, num_items: count } = value;
        const type = files.get(own);
        if (type !== undefined && type !== EPOLL)
          yield {
            at: context.at(index, { field: "epfile_objref" }),
            what: "a file that is no epoll file",
            expected: String(EPOLL),
            found: String(type),
          };
        const buffer = context.bufferAfter(index);
        const size = buffer === undefined || count === 0 ? 0 : context.stream.payload(buffer).size;
        if (size !== count * EPOLL_ITEM.size) {
          yield {
            at: context.at(index, { field: "num_items" }),
            what: "another number of items",
            expected: `${count * EPOLL_ITEM.size} bytes`,
            found: `${size} bytes`,
          };
          continue;
        }
        if (buffer === undefined || count === 0) continue;
        for (const [i, { file_objref }] of context.stream.structs(buffer, EPOLL_ITEM).entries())
          if (file_objref === own)
            yield {
              at: context.at(buffer, { field: `[${i}].file_objref` }),
              what: "an epoll file that watches itself",
            };
      }
    },
  },
];
