import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_PTRACE } from "../../linux/capabilities.js";
import { type HostFiles, LIVE_HOST } from "../../linux/host-files.js";
import { Host } from "../../ops/validate/host/host.js";
import type { Probe } from "../backend.js";

/** clone3(2) with set_tid came with Linux 5.5, pidfd_getfd(2) with 5.6. */
const OLDEST_KERNEL = [5, 6] as const;
/** ptrace(2): tracing is off. */
const NO_TRACING = 3;

/** What decides whether the slim backend can restore on a host. */
export interface HostFacts {
  readonly platform: string;
  readonly arch: string;
  /** `uname -r`. */
  readonly kernel: string;
  /** Built with CONFIG_CHECKPOINT_RESTORE. */
  readonly hasCheckpointRestore: boolean;
  /** Effective capabilities of crimg, bit by number. */
  readonly capabilities: bigint;
  /** yama/ptrace_scope; undefined without Yama. */
  readonly ptraceScope: number | undefined;
}

/** Whether the slim backend can work on this host. `choosesIds`: whether the tasks are to get the ids that they had. */
export function probeSlim(choosesIds: boolean, facts: HostFacts = slimFacts(LIVE_HOST)): Probe {
  const reason = problem(facts, choosesIds);
  return reason === undefined ? { able: true } : { able: false, reason: `slim backend: ${reason}` };
}

function problem(facts: HostFacts, choosesIds: boolean): string | undefined {
  const { platform, arch, kernel, capabilities } = facts;
  if (platform !== "linux") return `it restores on Linux only; this is ${platform}`;
  if (arch !== "x64") return `it supports x86-64 only; this is ${arch}`;
  const [major = 0, minor = 0] = kernel.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    return `it needs Linux ${oldestMajor}.${oldestMinor} or later; this is ${kernel}`;
  if (!facts.hasCheckpointRestore) return "this kernel was built without CONFIG_CHECKPOINT_RESTORE";
  if (facts.ptraceScope === NO_TRACING)
    return "tracing is turned off on this host (kernel.yama.ptrace_scope is 3)";
  if (choosesIds && (capabilities & (CAP_CHECKPOINT_RESTORE | CAP_SYS_ADMIN)) === 0n)
    return "choosing the ids of tasks needs the capability CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN: run it as root, or in a pid namespace of its own with --pids new";
  if (facts.ptraceScope === NO_TRACING - 1 && (capabilities & CAP_SYS_PTRACE) === 0n)
    return "tracing needs the capability CAP_SYS_PTRACE on this host (kernel.yama.ptrace_scope is 2)";
  return undefined;
}

/** What decides it on a host, by its files. */
export function slimFacts(files: HostFiles): HostFacts {
  const system = new Host(undefined, undefined, files);
  return {
    platform: files.platform,
    arch: files.arch,
    kernel: system.kernel,
    // The kernel has this file only with that option, kernel/pid_namespace.c.
    hasCheckpointRestore: system.sysctl("kernel/ns_last_pid") !== undefined,
    capabilities: system.capabilities(),
    ptraceScope: system.sysctl("kernel/yama/ptrace_scope"),
  };
}
