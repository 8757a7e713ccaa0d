import { shellCommand } from "./io/shell.js";
import type { Checkpoint } from "./model/checkpoint.js";
import type { AskedRight } from "./model/rights/asked.js";
import type { Bearer } from "./model/rights/bearer.js";
import type { Grant } from "./model/rights/grant.js";
import type { Right } from "./model/rights/right.js";
import { rightsBeyond } from "./model/rights/rights.js";

/** Rights of a checkpoint beyond those of its owner and the grant. Errors: FormatError for a damaged image. */
export function excessOf(checkpoint: Checkpoint, owner: Bearer, root: string, grant: Grant): Right[] {
  return [...rightsBeyond(checkpoint, owner, root)].filter((right) => !grant.grants(right));
}

/** Why an image of another user is not restored: a sentence for each right, and what to do. */
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
    return `${who} needs ${asked}; the owner of the image, ${owner.name}, has ${had}`;
  });
  if (asOwner) return [...sentences, "--as-owner cannot grant this; lower it with crimg edit --set"];
  const names = [...new Set(rights.map(({ name }) => name))].join(",");
  const allow = shellCommand(["crimg", "restore", image, "--allow-rights", names]);
  const lower = shellCommand(["crimg", "restore", image, "--as-owner", "--pids", "new"]);
  const other = owner.uid === undefined ? "" : `, or restore as its owner: ${lower}`;
  return [...sentences, `to grant it: ${allow}${other}`];
}
