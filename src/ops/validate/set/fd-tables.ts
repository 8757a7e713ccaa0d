import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { FD_CLOEXEC } from "../../../linux/files.js";
import type { SetContext } from "../context.js";
import { descriptorTables } from "../descriptors.js";
import type { Rule } from "../finding.js";

const AGAIN = "Undo the edit that did it, or copy the fdinfo image again from where the set was made.";

/** Rules about tables of descriptors. */
export const fdTableRules: readonly Rule<SetContext>[] = [
  {
    id: "FD_FILE",
    level: "error",
    about: "A descriptor names an open file of its type.",
    mend: "Copy files.img again from where the set was made; crimg edit --drop-fd PID:N does without the descriptor.",
    *check(context) {
      for (const { pid, table } of context.share(descriptorTables))
        for (const { fd, file, fileId, type, origin } of table.descriptors)
          if (file === undefined)
            yield {
              at: { ...origin, pid, fd },
              what: "the descriptor leads nowhere",
              expected: `an open file of type ${type} with id ${fileId}`,
              found: context.checkpoint.files.get(fileId)?.type ?? "none",
              fix: context.editCommand("--drop-fd", `${pid}:${fd}`),
            };
    },
  },
  {
    id: "FD_DUPLICATE",
    level: "error",
    about: "No descriptor number occurs twice in a table.",
    mend: AGAIN,
    *check(context) {
      for (const { pid, table } of context.share(descriptorTables)) {
        const seen = new Set<number>();
        for (const { fd, origin } of table.descriptors) {
          if (seen.has(fd)) yield { at: { ...origin, pid, fd }, what: "the number occurs twice" };
          seen.add(fd);
        }
      }
    },
  },
  {
    id: "FD_ORDER",
    level: "warning",
    about: "Descriptors ascend by number.",
    mend: "criu writes them so; if another tool wrote the set, make it again with crimg.",
    *check(context) {
      for (const { pid, table } of context.share(descriptorTables)) {
        const { descriptors } = table;
        const wrong = descriptors.find(({ fd }, i) => i > 0 && fd < (descriptors[i - 1]?.fd ?? 0));
        if (wrong !== undefined)
          yield { at: { ...wrong.origin, pid, fd: wrong.fd }, what: "a lower number than the one before" };
      }
    },
  },
  {
    id: "FD_FLAGS",
    level: "warning",
    about: "The flags of a descriptor are FD_CLOEXEC or none.",
    mend: AGAIN,
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
];
