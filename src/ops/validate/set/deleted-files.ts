import { fileNameOf } from "../../../formats/criu/detect.js";
import type { ImageRecord } from "../../../formats/criu/image.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { GhostChunkEntry, GhostFileEntry } from "../../../formats/criu/tables/ghost-file.js";
import { S_IFMT, S_IFREG } from "../../../linux/files.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { tasksByPid } from "../tasks.js";

const LINK = 0;
const PROCESS = 2;
/** Types of st_mode that a ghost may have, stat(2): all but sockets. */
const TYPES = new Set([0o010000, 0o020000, 0o040000, 0o060000, 0o100000, 0o120000]);

/** Rules about files that had been deleted at the dump. */
export const deletedFileRules: readonly Rule<SetContext>[] = [
  {
    id: "GHOST_UNUSED",
    level: "warning",
    about: "A ghost image belongs to a deleted file of remap-fpath.img.",
    mend: "Copy remap-fpath.img again from where the set was made.",
    *check({ set }) {
      const used = new Set(set.records(IMAGES.REMAP_FPATH).map(({ value }) => value.remap_id & 0x7fff_ffff));
      for (const id of set.ids(IMAGES.GHOST_FILE))
        if (!used.has(id))
          yield { at: { image: fileNameOf(IMAGES.GHOST_FILE, id) }, what: "no deleted file uses the ghost" };
    },
  },
  {
    id: "GHOST_MODE",
    level: "error",
    about: "A ghost has the type of a file that can be made.",
    mend: "Copy the ghost image again from where the set was made.",
    *check({ set }) {
      for (const id of set.ids(IMAGES.GHOST_FILE)) {
        const mode = (set.first(IMAGES.GHOST_FILE, id) as GhostFileEntry | undefined)?.mode;
        if (mode !== undefined && !TYPES.has(mode & S_IFMT))
          yield {
            at: { image: fileNameOf(IMAGES.GHOST_FILE, id), record: 0, field: "mode" },
            what: "no type of a file",
            found: `0${mode.toString(8)}`,
          };
      }
    },
  },
  {
    id: "GHOST_CHUNKS",
    level: "error",
    about:
      "The pieces of a ghost ascend, do not overlap and lie inside its size; criu writes each where it says, also in another order.",
    mend: "Copy the ghost image again from where the set was made.",
    *check({ set }) {
      for (const id of set.ids(IMAGES.GHOST_FILE)) {
        const [head, ...chunks] = set.records(IMAGES.GHOST_FILE, id) as readonly ImageRecord<object>[];
        const size = (head?.value as GhostFileEntry | undefined)?.size;
        let end = 0n;
        for (const { value, index } of chunks) {
          const { off, len } = value as GhostChunkEntry;
          if (off < end || (size !== undefined && off + len > size))
            yield {
              at: { image: fileNameOf(IMAGES.GHOST_FILE, id), record: index },
              what:
                off < end
                  ? "a piece overlaps another, or stands out of order"
                  : "a piece lies behind the end of the file",
              expected: off < end ? `an offset of ${end} or above` : `an end at ${size} or below`,
              found: `${off} + ${len}`,
              level: off < end ? "warning" : "error",
            };
          end = off + len;
        }
      }
    },
  },
  {
    id: "GHOST_SIZE",
    level: "error",
    about: "A ghost has the size that the open files of it expect: criu refuses another.",
    mend: "Copy the ghost image again from where the set was made; it has lost its end.",
    *check({ checkpoint }) {
      for (const { ghost, keptIn, fileId, path } of checkpoint.deletedFiles) {
        const size = checkpoint.files.get(fileId, "REG")?.size;
        if (ghost === undefined || size === undefined || (ghost.mode & S_IFMT) !== S_IFREG) continue;
        if (ghost.size !== size)
          yield {
            at: { image: keptIn, path },
            what: "the ghost has another size than the deleted file",
            expected: `${size} bytes`,
            found: `${ghost.size} bytes`,
          };
      }
    },
  },
  {
    id: "LINK_REMAP_CHECKED",
    level: "warning",
    about: "The hard link of a deleted file is not checked for size and mode, as criu stores it.",
    mend: "crimg edit --no-file-check PATH takes size and mode from the entry.",
    *check(context) {
      for (const { value } of context.set.records(IMAGES.REMAP_FPATH)) {
        if (value.remap_type !== LINK) continue;
        const link = context.checkpoint.files.get(value.remap_id, "REG");
        if (link?.size !== undefined && link.path !== undefined)
          yield {
            at: { ...link.origin, path: link.path },
            what: "the link carries a size, which criu does not store there",
            found: `${link.size} bytes`,
            fix: context.editCommand("--no-file-check", link.path),
          };
      }
    },
  },
  {
    id: "REMAP_PROCESS",
    level: "error",
    about: "A path of a process that was gone belongs to none of the set.",
    mend: "Copy remap-fpath.img again from where the set was made.",
    *check(context) {
      const tasks = context.share(tasksByPid);
      for (const { value, index } of context.set.records(IMAGES.REMAP_FPATH))
        if (value.remap_type === PROCESS && tasks.has(value.remap_id))
          yield {
            at: { image: IMAGES.REMAP_FPATH.file, record: index, field: "remap_id" },
            what: "the process is said to be gone, and it is in the tree",
            found: `task ${value.remap_id}`,
          };
    },
  },
];
