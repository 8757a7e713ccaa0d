import { constants } from "node:os";
import type { Ended } from "../backend.js";
import { readStat } from "./proc/stat.js";
import { poll } from "./ptrace/wait.js";

/** What a person sends to a program that was started from a shell. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const POLL_MS = 20;

/**
 * Waits until a child of this process has ended, and passes signals on to it meanwhile. Node knows nothing of the child,
 * so it is asked for a moment at a time. Undefined when someone else has taken note of its end.
 */
export async function untilEnded(pid: number): Promise<Ended | undefined> {
  const pass = (signal: NodeJS.Signals): void => {
    if (signal === "SIGTERM" || !sharesOurGroup(pid)) send(pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  try {
    return await new Promise((resolve) => {
      const timer = setInterval(() => {
        const status = poll(pid);
        const isGone = status?.kind === "gone" || !send(pid, 0);
        if (!isGone) return;
        clearInterval(timer);
        resolve(status?.kind === "gone" ? endedBy(status.status) : undefined);
      }, POLL_MS);
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, pass);
  }
}

/** As wait(2) gives it. */
export function endedBy(status: number): Ended {
  const number = status & 0x7f;
  if (number === 0) return { status: (status >> 8) & 0xff };
  const [name = `signal ${number}`] =
    Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return { signal: name };
}

/** A task of crimg's own process group gets by itself what a terminal sends. */
function sharesOurGroup(pid: number): boolean {
  try {
    return readStat(pid).pgid === readStat(process.pid).pgid;
  } catch {
    return false; // it has ended
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
