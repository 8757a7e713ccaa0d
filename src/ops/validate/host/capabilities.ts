import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import {
  CAP_CHECKPOINT_RESTORE,
  CAP_NET_ADMIN,
  CAP_SETGID,
  CAP_SETPCAP,
  CAP_SETUID,
  CAP_SYS_ADMIN,
  CAP_SYS_CHROOT,
  CAP_SYS_TIME,
  capabilitiesIn,
} from "../../../linux/capabilities.js";
import type { Credentials } from "../../../model/credentials.js";
import { type ImageContext, SetContext } from "../context.js";
import type { Place, Rule } from "../finding.js";
import { type HostContext, isForCriu } from "./context.js";
import type { Host } from "./host.js";
import { makesNamespace, placeInTask } from "./image-facts.js";

/** What criu needs capabilities for, a clause. */
interface Need {
  readonly at: Place;
  readonly capabilities: bigint;
  readonly why: string;
}

/** Rules about what whoever restores may do. */
export const hostCapabilityRules: readonly Rule<HostContext>[] = [
  {
    id: "CAPABILITY_MISSING",
    level: "error",
    about: "Whoever restores has the capabilities that criu needs, and all that the tasks are to have.",
    fix: "Restore as root with all capabilities, outside of containers and services that restrict them.",
    *check(context) {
      const { image, host } = context;
      let missing = ~host.capabilities();
      // NOT_ROOT tells more of somebody who has none.
      const isNobody = (~missing & (CAP_SYS_ADMIN | CAP_CHECKPOINT_RESTORE)) === 0n;
      if (isNobody || !isForCriu(context)) return;
      for (const { at, capabilities, why } of [...ofCriu(image), ...ofTasks(image, host)]) {
        const lacking = capabilities & missing;
        if (lacking === 0n) continue;
        missing &= ~lacking;
        yield {
          at,
          what: `criu would lack what it needs ${why}`,
          expected: capabilitiesIn(lacking).join(", "),
          found: "none",
        };
      }
    },
  },
];

/** For its probes of the kernel, and for what it does before it gives rights away. */
function* ofCriu(image: ImageContext): Generator<Need> {
  yield { at: {}, capabilities: CAP_SYS_ADMIN | CAP_NET_ADMIN, why: "to find out what the kernel can" };
  yield { at: {}, capabilities: CAP_SYS_CHROOT, why: "to give tasks their root directories" };
  const [clocks] = image instanceof SetContext ? image.set.ids(IMAGES.TIMENS) : [];
  if (clocks !== undefined)
    yield {
      at: { image: fileNameOf(IMAGES.TIMENS, clocks) },
      capabilities: CAP_SYS_TIME,
      why: "to set the clocks of the tasks",
    };
}

/** For the credentials of threads, criu/pie/restorer.c; in a user namespace of their own criu has all. */
function* ofTasks(image: ImageContext, host: Host): Generator<Need> {
  if (makesNamespace(image, "user")) return;
  for (const { pid, threads } of image.checkpoint.tasks)
    for (const { credentials } of threads)
      if (credentials !== undefined)
        yield* ofThread(credentials, host, placeInTask(image, pid, "thread_core.creds"));
}

function* ofThread(of: Credentials, host: Host, at: Place): Generator<Need> {
  const kept = of.permitted | of.inheritable | of.ambient;
  yield { at, capabilities: kept, why: "to give it to the task" };
  const known = (1n << BigInt((host.sysctl("kernel/cap_last_cap") ?? -1) + 1)) - 1n;
  // What a task cannot gain any more need not leave its bounding set.
  const dropped = known & ~of.bounding & (of.noNewPrivs === true ? of.permitted : known);
  if (dropped !== 0n || of.securebits !== 0)
    yield { at, capabilities: CAP_SETPCAP, why: "to restrict the task as it was" };
  if ([of.uid, of.euid, of.suid, of.fsuid].some((id) => id !== host.uid))
    yield { at, capabilities: CAP_SETUID, why: `to become user ${of.uid}` };
  const isGroups = sorted(of.groups) === sorted(host.groups());
  if (!isGroups || [of.gid, of.egid, of.sgid, of.fsgid].some((id) => id !== host.gid))
    yield { at, capabilities: CAP_SETGID, why: `to become group ${of.gid}, with the other groups` };
}

function sorted(ids: readonly number[]): string {
  return [...ids].sort((a, b) => a - b).join();
}
