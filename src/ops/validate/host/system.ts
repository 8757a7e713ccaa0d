import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { type ImageContext, SetContext } from "../context.js";
import type { Place, Rule } from "../finding.js";
import { StreamContext } from "../stream/context.js";
import type { HostContext } from "./context.js";
import { makesNamespace, placeInTask } from "./image-facts.js";

/** State components of xsave and the CPU flag that they need, Intel SDM volume 1, 13.1. */
const XSAVE_FLAGS: readonly (readonly [bit: bigint, flag: string])[] = [
  [1n << 2n, "avx"],
  [1n << 5n, "avx512f"],
  [1n << 9n, "pku"],
  [1n << 11n, "user_shstk"],
];

/** Rules about criu, the CPU and the kernel of this host. */
export const hostSystemRules: readonly Rule<HostContext>[] = [
  {
    id: "CRIU_MISSING",
    level: "error",
    about:
      "A criu is installed that works on this kernel; a note when the slim backend can restore the image instead.",
    fix: "Install criu, or name it with CRIMG_CRIU.",
    *check({ host: { criu, slim } }) {
      if (criu?.problem === undefined) return;
      const { path, problem } = criu;
      const isNeeded = slim === undefined || slim.problem !== undefined;
      yield {
        at: { path },
        what: isNeeded ? problem : `${problem}; the slim backend can restore it`,
        expected: "a criu that works",
        found: path ?? "none",
        level: isNeeded ? "error" : "note",
      };
    },
  },
  {
    id: "ARCHITECTURE",
    level: "error",
    about: "The tasks are of this machine's architecture.",
    fix: "Restore on a machine of that architecture.",
    *check({ image, host }) {
      const { architecture } = image.checkpoint;
      if (architecture !== "unknown" && architecture !== host.machine)
        yield {
          at: {},
          what: "the tasks are of another architecture",
          expected: architecture,
          found: host.machine,
        };
    },
  },
  {
    id: "CPU_FEATURES",
    level: "error",
    about: "The CPU has the registers that the tasks have used.",
    fix: "Restore on a CPU with the same features.",
    *check({ image, host }) {
      if (image.checkpoint.architecture !== host.machine) return;
      const flags = host.cpuFlags();
      const told = new Set<string>();
      for (const [at, used] of usedRegisters(image)) {
        if (!flags.has("xsave") && !told.has("xsave")) {
          told.add("xsave");
          yield { at, what: "the CPU has no xsave", expected: "xsave", found: "none" };
        }
        for (const [bit, flag] of XSAVE_FLAGS) {
          if ((used & bit) === 0n || flags.has(flag) || told.has(flag)) continue;
          told.add(flag);
          yield { at, what: "the CPU lacks registers that are in use", expected: flag, found: "none" };
        }
      }
    },
  },
  {
    id: "CAPABILITY_UNKNOWN",
    level: "warning",
    about: "The kernel knows the capabilities of the tasks.",
    fix: "Restore on a newer kernel; here the tasks lose the capability.",
    *check({ image, host }) {
      const last = host.sysctl("kernel/cap_last_cap");
      if (last === undefined) return;
      for (const { pid, threads } of image.checkpoint.tasks) {
        const mask = threads[0]?.credentials?.permitted ?? 0n;
        if (mask >> BigInt(last + 1) !== 0n)
          yield {
            at: placeInTask(image, pid, "thread_core.creds.cap_prm"),
            what: "capabilities that the kernel does not know",
            expected: `up to ${last}`,
            found: `0x${mask.toString(16)}`,
          };
      }
    },
  },
  {
    id: "LSM_TYPE",
    level: "error",
    about: "Tasks with a security label come back where the same security module is active.",
    fix: "Restore on such a host, or name a profile of this one: criu restore --lsm-profile TYPE:NAME.",
    *check({ image, host }) {
      const stored = image.checkpoint.surroundings.securityModule;
      const here = host.securityModule();
      if (stored === undefined || stored === here) return;
      const labelled = image.checkpoint.tasks.find(
        ({ threads }) => threads[0]?.credentials?.lsmProfile !== undefined,
      );
      const origin = labelled?.threads[0]?.credentials?.origin;
      if (origin !== undefined)
        yield {
          at: image.placeOf(origin, { pid: labelled?.pid }),
          what: "another security module is active here",
          expected: stored,
          found: here ?? "none",
        };
    },
  },
  {
    id: "HOST_NAME",
    level: "note",
    about:
      "The host has the name that it had, unless a UTS namespace comes back: programs may have asked for it.",
    fix: "Restore in a UTS namespace with that name if the program minds: unshare --uts, then hostname.",
    *check({ image, host }) {
      if (makesNamespace(image, "uts")) return;
      for (const { hostName, origin } of image.checkpoint.utsNamespaces)
        if (hostName !== "" && hostName !== host.name)
          yield {
            at: image.placeOf({ ...origin, field: "nodename" }),
            what: "the host has another name",
            expected: hostName,
            found: host.name,
          };
    },
  },
  {
    id: "PID_SETTING",
    level: "error",
    about: "The kernel lets criu choose pids: by clone3 (Linux 5.5), or by ns_last_pid.",
    fix: "Use a kernel with CONFIG_CHECKPOINT_RESTORE.",
    *check({ host }) {
      const [major = 0, minor = 0] = host.kernel.split(".").map(Number);
      const hasClone3 = major > 5 || (major === 5 && minor >= 5);
      if (!hasClone3 && host.sysctl("kernel/ns_last_pid") === undefined)
        yield {
          at: {},
          what: "pids cannot be chosen on this kernel",
          expected: "/proc/sys/kernel/ns_last_pid",
          found: host.kernel,
        };
    },
  },
];

/** The state components that tasks have used. */
function* usedRegisters(image: ImageContext): Generator<[Place, bigint]> {
  if (image instanceof SetContext) {
    for (const tid of image.set.ids(IMAGES.CORE)) {
      const used = image.set.first(IMAGES.CORE, tid)?.thread_info?.fpregs.xsave?.xstate_bv;
      if (used !== undefined) yield [{ image: fileNameOf(IMAGES.CORE, tid) }, used];
    }
  } else if (image instanceof StreamContext)
    for (const { index, value } of image.each(RECORDS.XSTATE)) yield [image.at(index), value.xstate_bv];
}
