import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Rule } from "../finding.js";
import type { StreamHostContext } from "./context.js";

/** Kernels of these versions had the checkpoint and restart calls. */
const NEWEST_KERNEL_WITH_RESTART = 3;

/** Rules about this machine for what only a linux-cr stream says. */
export const streamHostRules: readonly Rule<StreamHostContext>[] = [
  {
    id: "KERNEL_RESTART",
    level: "note",
    about:
      "The kernel can restart a stream itself: it is the one that wrote it, with the patches of linux-cr.",
    mend: "crimg restore converts the stream to a CRIU set and restores that.",
    *check({ image, host }) {
      const header = image.each(RECORDS.HEADER).next().value?.value;
      if (header === undefined || Number(host.kernel.split(".")[0]) <= NEWEST_KERNEL_WITH_RESTART) return;
      yield {
        at: image.at(0),
        what: "this kernel cannot restart the stream; crimg restore converts it",
        expected: `Linux ${header.major}.${header.minor}.${header.patch} with linux-cr`,
        found: `Linux ${host.kernel}`,
      };
    },
  },
  {
    id: "HOST_NAME",
    level: "note",
    about: "The host has the name that it had: programs may have asked for it.",
    mend: "Restore in a UTS namespace with that name if the program minds: unshare --uts, then hostname.",
    *check({ image, host }) {
      for (const { index, value } of image.each(RECORDS.UTS_NS))
        if (value.nodename !== "" && value.nodename !== host.name)
          yield {
            at: image.at(index, { field: "nodename" }),
            what: "the host has another name",
            expected: value.nodename,
            found: host.name,
          };
    },
  },
];
