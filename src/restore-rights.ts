import fs from "node:fs";
import { shellCommand } from "./io/shell.js";
import type { Checkpoint } from "./model/checkpoint.js";
import type { AskedRight } from "./model/rights/asked.js";
import type { Bearer } from "./model/rights/bearer.js";
import type { Grant } from "./model/rights/grant.js";
import type { Right } from "./model/rights/right.js";
import { rightsBeyond } from "./model/rights/rights.js";

/** CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE: with these an ordinary user restores, and gives nothing more. */
const OF_RESTORE = (1n << 19n) | (1n << 40n);

/** Whether the kernel would let the caller give away rights: root, or who has capabilities. */
export function isPrivileged(): boolean {
  if (process.geteuid?.() === 0) return true;
  const status = fs.readFileSync("/proc/self/status", "latin1");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (effective & ~OF_RESTORE) !== 0n;
}

/** What a checkpoint asks beyond its owner and the grant. Errors: FormatError for a damaged image. */
export function excessOf(checkpoint: Checkpoint, owner: Bearer, root: string, grant: Grant): Right[] {
  return [...rightsBeyond(checkpoint, owner, root)].filter((right) => !grant.grants(right));
}

/** Why an image of somebody else is not restored: a sentence for each right, and what to do. */
export function rightsRefusals(
  rights: readonly AskedRight[],
  owner: Bearer,
  asOwner: boolean,
  image: string,
): string[] {
  if (rights.length === 0) return [];
  const sentences = rights.map(({ asked, had, pid, count }) => {
    const more = count > 1 ? ` and ${count - 1} more` : "";
    const who = pid === undefined ? "the image" : `task ${pid}${more}`;
    return `${who} asks for ${asked}, and the owner of the image, ${owner.name}, has ${had}`;
  });
  if (asOwner) return [...sentences, "--as-owner cannot give that: ask for less with crimg edit --set"];
  const names = [...new Set(rights.map(({ name }) => name))].join(",");
  const allow = shellCommand(["crimg", "restore", image, "--allow-rights", names]);
  const lower = shellCommand(["crimg", "restore", image, "--as-owner", "--pids", "new"]);
  const other = owner.uid === undefined ? "" : `, or restore with the rights of its owner: ${lower}`;
  return [...sentences, `grant it: ${allow}${other}`];
}
