import fs from "node:fs";

/** CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE: enough for an ordinary user to restore, and grant no other rights. */
const OF_RESTORE = (1n << 19n) | (1n << 40n);

/** Whether the caller could grant rights: root, or a user with capabilities. */
export function isPrivileged(): boolean {
  if (process.geteuid?.() === 0) return true;
  const status = fs.readFileSync("/proc/self/status", "latin1");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (effective & ~OF_RESTORE) !== 0n;
}
