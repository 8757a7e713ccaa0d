import { readStatus } from "../../proc/status.js";
import { REGISTERS } from "../../sys/abi-x64.js";
import { splitXsave, type Xsave } from "../../sys/xsave.js";
import type { RestoreContext } from "../construction.js";
import { capabilityMasks } from "../credentials.js";
import type { ImageProcess, ImageThread } from "../image-task.js";
import { hex } from "../plan/step.js";
import { compare, type Difference } from "./difference.js";

/** Signals that cannot be blocked: SIGKILL, SIGSTOP. */
const UNBLOCKABLE = (1n << 8n) | (1n << 18n);

/** Registers, extended state, signal mask and credentials of the threads of a process that are not as in the image. */
export function threadDifferences(
  context: RestoreContext,
  { ids: { pid }, threads }: ImageProcess,
): Difference[] {
  return threads.flatMap((thread) => {
    const { tid } = thread;
    const { tracee } = context.remote(pid, tid);
    const registers = tracee.registers();
    const found = splitXsave(tracee.xstate());
    return [
      ...REGISTERS.flatMap((name) =>
        compare(
          `register ${name} of thread ${tid}`,
          hex(thread.registers.get(name)),
          hex(registers.get(name)),
        ),
      ),
      ...thread.xsave.components.flatMap(({ component, bytes }) => {
        const same =
          found.components.find((each) => each.component === component)?.bytes.equals(bytes) === true;
        return same ? [] : compare(`processor state ${component} of thread ${tid}`, "as stored", "different");
      }),
      ...legacyParts(thread.xsave).flatMap(([name, from, to]) =>
        thread.xsave.fxsave.subarray(from, to).equals(found.fxsave.subarray(from, to))
          ? []
          : compare(`${name} of thread ${tid}`, "as stored", "different"),
      ),
      ...compare(
        `blocked signals of thread ${tid}`,
        maskWords(thread.blocked),
        maskWords(tracee.signalMask()),
      ),
      ...credentialDifferences(pid, thread),
    ];
  });
}

/** Parts of an FXSAVE area that are in use, in bytes: Intel SDM vol. 1, 10.5.1. Those in their initial state hold anything. */
function legacyParts({ xstateBv }: Xsave): (readonly [name: string, from: number, to: number])[] {
  return [
    ...((xstateBv & 1n) !== 0n ? [["x87 state", 0, 24] as const, ["x87 registers", 32, 160] as const] : []),
    ...((xstateBv & 2n) !== 0n ? [["XMM registers", 160, 416] as const] : []),
  ];
}

function maskWords(mask: Uint8Array): string {
  return hex(Buffer.from(mask).readBigUInt64LE() & ~UNBLOCKABLE);
}

function credentialDifferences(pid: number, { tid, credentials, extra }: ImageThread): Difference[] {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups } = credentials;
  const status = readStatus(`${pid}/task/${tid}`);
  const caps = capabilityMasks(credentials);
  const of = (name: string): string => `${name} of thread ${tid}`;
  const sorted = (list: readonly number[]): string => [...list].sort((a, b) => a - b).join(" ");
  return [
    ...compare(of("user ids"), [uid, euid, suid, fsuid].join(" "), status.uids.join(" ")),
    ...compare(of("group ids"), [gid, egid, sgid, fsgid].join(" "), status.gids.join(" ")),
    ...compare(of("groups"), sorted(groups), sorted(status.groups)),
    ...compare(of("effective capabilities"), hex(caps.effective), hex(status.effective)),
    ...compare(of("permitted capabilities"), hex(caps.permitted), hex(status.permitted)),
    ...compare(of("inheritable capabilities"), hex(caps.inheritable), hex(status.inheritable)),
    ...(extra === undefined
      ? []
      : [
          ...compare(of("ambient capabilities"), hex(extra.cap_ambient), hex(status.ambient)),
          ...compare(of("no_new_privs"), extra.no_new_privs, Number(status.noNewPrivs)),
          ...(extra.seccomp_mode === 0
            ? []
            : compare(of("seccomp mode"), extra.seccomp_mode, status.seccomp)),
        ]),
  ];
}
