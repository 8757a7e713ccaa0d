import { shellCommand } from "../../io/shell.js";
import { lazy } from "../../model/lazy.js";
import type { Bearer } from "../../model/rights/bearer.js";
import { RIGHT_KINDS, RIGHT_NAMES, type RightName } from "../../model/rights/kinds.js";
import type { Right } from "../../model/rights/right.js";
import { rightsBeyond } from "../../model/rights/rights.js";
import type { ImageContext } from "./context.js";
import type { Found, Rule, Severity } from "./finding.js";

/** What the rules about rights look at: what the image asks beyond its owner. */
export interface RightsContext {
  readonly owner: Bearer;
  /** Whether a restore by the caller would refuse it, who could grant it. */
  readonly isRefused: boolean;
  readonly rights: () => ReadonlyMap<RightName, readonly Right[]>;
  readonly image: string;
}

/** `root`: the directory that stands for `/`, to look at files as well. */
export function rightsContext(
  image: ImageContext,
  name: string,
  owner: Bearer,
  root: string | undefined,
): RightsContext {
  return {
    owner,
    isRefused: process.geteuid?.() === 0,
    rights: lazy(() => byName(rightsBeyond(image.checkpoint, owner, root))),
    image: name,
  };
}

function byName(rights: Iterable<Right>): Map<RightName, Right[]> {
  const groups = new Map<RightName, Right[]>();
  for (const right of rights) {
    const group = groups.get(right.name);
    if (group === undefined) groups.set(right.name, [right]);
    else group.push(right);
  }
  return groups;
}

/** A rule for each kind of right. */
export const RIGHTS_RULES: readonly Rule<RightsContext>[] = RIGHT_NAMES.map((name) => {
  const { id, weight, about } = RIGHT_KINDS[name];
  return {
    id,
    level: weight === "grave" ? "warning" : "note",
    about,
    fix: `Restore with --allow-rights ${name} to grant it, or with --as-owner; crimg edit --set asks for less.`,
    *check(context) {
      for (const right of context.rights().get(name) ?? []) yield found(right, context);
    },
  };
});

function found({ asked, had, pid, path, origin }: Right, context: RightsContext): Found {
  const { owner, isRefused, image } = context;
  const names = isRefused ? [...context.rights().keys()].join(",") : "";
  const level: Severity | undefined = isRefused ? "error" : undefined;
  return {
    at: { ...(origin ?? {}), pid, path },
    what: `the image asks for more than its owner, ${owner.name}, has`,
    expected: had,
    found: asked,
    fix: isRefused ? shellCommand(["crimg", "restore", image, "--allow-rights", names]) : undefined,
    level,
  };
}
