import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { tasksByPid } from "../tasks.js";

const LINK = 0;
const PROCESS = 2;

/** Rules about files that had been deleted at the dump. */
export const deletedFileRules: readonly Rule<SetContext>[] = [
  {
    id: "GHOST_UNUSED",
    level: "warning",
    about: "A ghost image belongs to a deleted file of remap-fpath.img.",
    fix: "Copy remap-fpath.img again from where the set was made.",
    *check({ set }) {
      const used = new Set(set.records(IMAGES.REMAP_FPATH).map(({ value }) => value.remap_id & 0x7fff_ffff));
      for (const id of set.ids(IMAGES.GHOST_FILE))
        if (!used.has(id))
          yield { at: { image: fileNameOf(IMAGES.GHOST_FILE, id) }, what: "no deleted file uses the ghost" };
    },
  },
  {
    id: "LINK_REMAP_CHECKED",
    level: "warning",
    about: "The hard link of a deleted file is not checked for size and mode, as criu stores it.",
    fix: "crimg edit --no-file-check PATH takes size and mode from the entry.",
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
    fix: "Copy remap-fpath.img again from where the set was made.",
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
