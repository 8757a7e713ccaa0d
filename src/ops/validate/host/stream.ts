import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Rule } from "../finding.js";
import { vmasOf } from "../stream/memory.js";
import type { StreamHostContext } from "./context.js";

/** Kernels of these versions had the checkpoint and restart calls. */
const NEWEST_KERNEL_WITH_RESTART = 3;
/** VMA.vma_type, and the flag of VMA_EXTRA that gives it pages. */
const VDSO = 1;
const PAGES_FOLLOW = 1;

/** Rules about this machine for what only a linux-cr stream says. */
export const streamHostRules: readonly Rule<StreamHostContext>[] = [
  {
    id: "KERNEL_RESTART",
    level: "note",
    about:
      "The kernel can restart a stream itself: it is the one that wrote it, with the patches of linux-cr.",
    fix: "crimg restore converts the stream to a CRIU set and restores that.",
    *check({ image, host }) {
      const header = image.each(RECORDS.HEADER).next().value?.value;
      const isOld = Number(host.kernel.split(".")[0]) <= NEWEST_KERNEL_WITH_RESTART;
      const isOwn = host.slim !== undefined && host.slim.problem === undefined;
      if (header === undefined || isOld || isOwn) return;
      yield {
        at: image.at(0),
        what: "this kernel cannot restart the stream; crimg restore converts it",
        expected: `Linux ${header.major}.${header.minor}.${header.patch} with linux-cr`,
        found: `Linux ${host.kernel}`,
      };
    },
  },
  {
    id: "VDSO_PAGES",
    level: "warning",
    about: "The pages of the vDSO are stored: criu finds there what it leads to the vDSO of this kernel.",
    fix: "Restart with the kernel that wrote the stream, or restore with crimg restore --backend slim.",
    *check({ image }) {
      for (const mm of image.reader.objects("MM"))
        for (const [index, { vma_type }] of vmasOf(image, mm)) {
          const flags = image.valueAt(index + 1, RECORDS.VMA_EXTRA)?.flags ?? 0;
          if (vma_type === VDSO && (flags & PAGES_FOLLOW) === 0)
            yield { at: image.at(index), what: "a vDSO without its pages, which criu cannot restore" };
        }
    },
  },
];
