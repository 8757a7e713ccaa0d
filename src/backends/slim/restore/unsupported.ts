import { RECORDS } from "../../../formats/linux-cr/records.js";
import { usedComponents } from "../../../model/x86-registers.js";
import { unsupportedCapabilities } from "../credentials/plan.js";
import { unsupportedFiles } from "../files/plan.js";
import { unsupportedLocks } from "../locks/plan.js";
import { unsupportedVmas } from "../memory/plan.js";
import { unsupportedVdso } from "../memory/vdso.js";
import { USER64_CS } from "../ptrace/registers.js";
import { unsupportedSockets } from "../sockets/plan.js";
import { unsupportedTasks } from "../tasks/plan.js";
import { unsupportedTerminals } from "../terminals/plan.js";
import type { Host } from "./host.js";
import { type Image, liveProcesses } from "./image.js";

/** What stands in the way of a restart for a reason of this kind: a sentence for each object. */
type Reason = (image: Image, host: Host) => string[];

const REASONS: readonly Reason[] = [
  unsupportedCapabilities,
  unsupportedProcessor,
  unsupportedTasks,
  unsupportedNamespaces,
  unsupportedVmas,
  unsupportedFiles,
  unsupportedTerminals,
  unsupportedLocks,
  unsupportedSockets,
];

/**
 * What in an image cannot be brought back on this host, one sentence an object; empty when the restart can be tried.
 * Pure but for what `host` is asked. Errors: FormatError for a damaged image.
 */
export function unsupportedOf(image: Image, host: Host): string[] {
  const architecture = unsupportedArchitecture(image, host);
  if (architecture.length > 0) return architecture;
  return REASONS.flatMap((reason) => reason(image, host));
}

/** Components of extended state and the flag of /proc/cpuinfo that a processor with them has: Intel SDM vol. 1, 13.1. */
const COMPONENTS: Readonly<Record<number, readonly [what: string, flag: string]>> = {
  2: ["AVX", "avx"],
  5: ["AVX-512", "avx512f"],
  6: ["AVX-512", "avx512f"],
  7: ["AVX-512", "avx512f"],
  9: ["memory protection keys", "pku"],
  17: ["AMX", "amx_tile"],
  18: ["AMX", "amx_tile"],
};
/** State of shadow stacks, of user and supervisor. */
const SHADOW_STACK: ReadonlySet<number> = new Set([11, 12]);

/** Another kind of processor: nothing else of such an image is looked at. */
function unsupportedArchitecture({ architecture }: Image, { arch }: Host): string[] {
  if (architecture !== "x86_64")
    return [`the tasks are ${architecture}; the slim backend restores x86-64 only`];
  return arch === "x64" ? [] : [`the tasks are x86-64; this processor is ${arch}`];
}

/** Modes and state that this processor lacks. */
function unsupportedProcessor(image: Image, host: Host): string[] {
  const found = liveProcesses(image).flatMap(({ process }) =>
    process.threads.flatMap(({ tid, registers, extended }) => {
      const reasons = new Set(
        usedComponents(extended).flatMap(([component]) => componentReason(component, host)),
      );
      if (registers.get("cs") !== USER64_CS) reasons.add("runs 32-bit code");
      return [...reasons].map((reason) => `thread ${tid} of task ${process.ids.pid} ${reason}`);
    }),
  );
  return [...found, ...unsupportedVdso(image, host.vdso)];
}

function componentReason(component: number, { cpuFlags }: Host): string[] {
  if (SHADOW_STACK.has(component)) return ["has a shadow stack"];
  const known = COMPONENTS[component];
  if (known === undefined)
    return [`has processor state ${component}, which the slim backend does not support`];
  const [what, flag] = known;
  return cpuFlags.has(flag) ? [] : [`has state of ${what}, which this processor lacks`];
}

/** CLOCKS.flags: the tasks had a time namespace of their own. */
const OWN_TIME = 1;

/** Namespaces of tasks that are not those that crimg itself is in. */
function unsupportedNamespaces({ reader }: Image): string[] {
  const { head } = reader.tree;
  const clocks = head && reader.find(head, RECORDS.CLOCKS)?.value;
  const several = [...reader.objects("UTS_NS")].length > 1 || [...reader.objects("IPC_NS")].length > 1;
  return [
    ...((clocks?.flags ?? 0) & OWN_TIME ? ["the tasks have their own time namespace"] : []),
    ...(reader.objects("NET_NS").next().done === false ? ["the tasks have their own network namespace"] : []),
    ...(several ? ["the tasks are in different UTS or IPC namespaces"] : []),
  ];
}
