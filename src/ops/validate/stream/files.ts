import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM, FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { hex } from "../../../io/hex.js";
import { FMODE_READ, FMODE_WRITE, PATH_MAX } from "../../../linux/files.js";
import { O_ACCMODE, O_PATH } from "../../../linux/open-flags.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, recordRule, SET_FIELD, setCommand } from "./record-rule.js";

/** Rules about how open files, paths and texts are stored. */
export const fileRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FILE,
    {
      id: "FILE_ACCESS",
      level: "error",
      about:
        "A file may be read and written (f_mode) as it was opened (f_flags): the kernel compares them at a restart.",
      fix: SET_FIELD,
    },
    function* ({ f_type, f_mode, f_flags }) {
      if (f_type === FILE_TYPE.socket || (f_flags & O_PATH) !== 0) return;
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
  {
    id: "PIPE_KIND",
    level: "error",
    about: "The ends of one pipe are all of a pipe, or all of a fifo with the same path.",
    fix: SET_FIELD,
    *check(context) {
      const first = new Map<number, { readonly type: number; readonly path: string | undefined }>();
      for (const part of context.reader.objects("FILE")) {
        const file = context.reader.find(part, RECORDS.FILE);
        if (
          file === undefined ||
          (file.value.f_type !== FILE_TYPE.pipe && file.value.f_type !== FILE_TYPE.fifo)
        )
          continue;
        const { f_type: type, pipe_objref: pipe = 0 } = file.value;
        const at = context.at(file.index, { field: "pipe_objref" });
        if (pipe <= 0) yield { at, what: "no number of a pipe", expected: "above 0", found: String(pipe) };
        const path = type === FILE_TYPE.fifo ? context.reader.text(part, RECORDS.FILE_NAME) : undefined;
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
    about: "EPOLL_ITEMS belongs to an epoll file, and holds as many items as it says.",
    fix: SET_FIELD,
    *check(context) {
      const files = new Map<number, number>();
      for (const part of context.reader.objects("FILE")) {
        const type = context.reader.find(part, RECORDS.FILE)?.value.f_type;
        if (part.objref !== undefined && type !== undefined) files.set(part.objref, type);
      }
      for (const { index, value } of context.each(RECORDS.EPOLL_ITEMS)) {
        const { epfile_objref: own, num_items: count } = value;
        const type = files.get(own);
        if (type !== undefined && type !== FILE_TYPE.epoll)
          yield {
            at: context.at(index, { field: "epfile_objref" }),
            what: "a file that is no epoll file",
            expected: String(FILE_TYPE.epoll),
            found: String(type),
          };
        const buffer = context.bufferAfter(index);
        const size = buffer === undefined || count === 0 ? 0 : context.stream.payload(buffer).size;
        if (size !== count * EPOLL_ITEM.size) {
          yield {
            at: context.at(index, { field: "num_items" }),
            ...(size % EPOLL_ITEM.size === 0
              ? { fix: setCommand(context, index, "num_items", size / EPOLL_ITEM.size) }
              : { fix: AGAIN }),
            what: "another number of items",
            expected: `${count * EPOLL_ITEM.size} bytes`,
            found: `${size} bytes`,
          };
        }
      }
    },
  },
  recordRule(
    RECORDS.FILE_NAME,
    {
      id: "NAME_END",
      level: "error",
      about: "A path has at most 4096 bytes and ends with its only NUL.",
      fix: "crimg edit --remap-path OLD=NEW gives it another path.",
    },
    function* (_, index, { stream }) {
      const { size } = stream.payload(index);
      if (size > PATH_MAX) {
        yield {
          what: "the path is too long",
          expected: `at most ${PATH_MAX} bytes`,
          found: `${size} bytes`,
        };
        return;
      }
      const nul = stream.bytes(index).indexOf(0);
      if (nul !== size - 1)
        yield {
          path: stream.text(index),
          what: nul === -1 ? "the NUL at the end is missing" : "a NUL inside the path",
          expected: `${size - 1} bytes and a NUL`,
          found: nul === -1 ? "none" : `${nul} bytes`,
        };
    },
  ),
  recordRule(
    RECORDS.STRING,
    {
      id: "STRING_END",
      level: "error",
      about: "A text ends with a NUL.",
      fix: AGAIN,
    },
    function* (_, index, { stream }) {
      const { size } = stream.payload(index);
      if (
        size <= PATH_MAX &&
        size > 0 &&
        stream.bytes(index).at(-1) !== 0 &&
        stream.kind(index - 1) !== RECORDS.ERROR
      )
        yield { what: "the NUL at the end is missing", found: stream.text(index) };
    },
  ),
];
