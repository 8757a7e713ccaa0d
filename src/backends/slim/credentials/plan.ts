import { CAPABILITIES, capabilitiesIn } from "../../../linux/capabilities.js";
import type { Host } from "../restore/host.js";
import { type Image, liveProcesses } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import type { ImageProcess, ImageThread } from "../tasks/image.js";

/** What a thread may do, credentials(7): nothing that needs more may come after. */
export type CredentialStep = StepBase & { readonly kind: "credentials"; readonly thread: ImageThread };

/** Other threads before the leader of each process. */
export function credentialSteps(image: Image): CredentialStep[] {
  return liveProcesses(image).flatMap(({ process: { ids, threads } }) =>
    [...threads.slice(1), ...threads.slice(0, 1)].map((thread) => ({
      kind: "credentials",
      task: ids.pid,
      thread,
      what: `become user ${thread.credentials.uid}, group ${thread.credentials.gid} in thread ${thread.tid}`,
    })),
  );
}

const RESOURCES: Readonly<Record<number, string>> = {
  0: "processor time",
  1: "file size",
  2: "data size",
  3: "stack size",
  4: "core size",
  5: "resident size",
  6: "processes",
  7: "open files",
  8: "locked memory",
  9: "address space",
  10: "file locks",
  11: "pending signals",
  12: "message queue bytes",
  13: "nice priority",
  14: "real-time priority",
  15: "real-time timeout",
};

/** What a restart needs a capability for: the capability by name, and what for as a clause. */
interface Need {
  readonly capability: string;
  readonly what: string;
}

/** Capabilities that crimg lacks and the image needs, a sentence for each with the first task that needs it. */
export function unsupportedCapabilities(image: Image, host: Host): string[] {
  const told = new Set<string>();
  return liveProcesses(image).flatMap(({ process }) =>
    [
      ...process.threads.flatMap((thread) => needsOf(thread, host)),
      ...limitNeeds(process.limits, host),
    ].flatMap(({ capability, what }) => {
      const [number] = [...CAPABILITIES.names].find(([, name]) => name === capability) ?? [];
      const has = number !== undefined && ((host.capabilities >> BigInt(number)) & 1n) === 1n;
      if (has || told.has(capability)) return [];
      told.add(capability);
      return [`crimg lacks the capability ${capability}, which task ${process.ids.pid} needs ${what}`];
    }),
  );
}

function needsOf({ tid, credentials }: ImageThread, host: Host): Need[] {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups } = credentials;
  const sorted = (list: readonly number[]): string => [...new Set(list)].sort((a, b) => a - b).join();
  const isOther = (own: number, ids: readonly number[]): boolean => ids.some((id) => id !== own);
  const own = host.capabilities;
  const needs: Need[] = [];
  if (isOther(host.uid, [uid, euid, suid, fsuid]))
    needs.push({ capability: "CAP_SETUID", what: `to become user ${uid} in thread ${tid}` });
  if (isOther(host.gid, [gid, egid, sgid, fsgid]) || sorted(groups) !== sorted(host.groups))
    needs.push({
      capability: "CAP_SETGID",
      what: `to become group ${gid} in thread ${tid}, with its other groups`,
    });
  if ((host.bounding & ~credentials.bounding) !== 0n)
    needs.push({ capability: "CAP_SETPCAP", what: "to drop capabilities from the bounding set" });
  for (const capability of capabilitiesIn((credentials.permitted | credentials.ambient) & ~own))
    needs.push({ capability, what: "to restore it" });
  return needs;
}

/** Nobody raises a hard limit without CAP_SYS_RESOURCE, setrlimit(2). */
function limitNeeds(limits: ImageProcess["limits"], { hardLimits }: Host): Need[] {
  return limits.flatMap(({ hard }, resource) => {
    const own = hardLimits[resource];
    return own === undefined || hard <= own
      ? []
      : [
          {
            capability: "CAP_SYS_RESOURCE",
            what: `to restore its limit of ${RESOURCES[resource] ?? resource}`,
          },
        ];
  });
}
