import { UsageError } from "../../io/errors.js";
import { RIGHT_NAMES, type RightName } from "./kinds.js";
import type { Right } from "./right.js";

/** What the caller of a restore grants. */
export interface Grant {
  grants(right: Right): boolean;
}

/** Kinds of which one id can be granted. */
const WITH_ID: readonly RightName[] = ["uid", "gid", "loginuid", "ipc", "signal"];

/**
 * Reads `uid=0,caps,device`, or `all`: kinds of rights, of ids also a single one. Errors: USAGE for other words, with
 * those that there are.
 */
export function parseGrant(text: string): Grant {
  const items = text.split(",").map(parseItem);
  return {
    grants: ({ name, id }) =>
      items.some((item) => item.name === "all" || (item.name === name && (item.id ?? id) === id)),
  };
}

/** Grants nothing. */
export const NO_GRANT: Grant = { grants: () => false };

function parseItem(item: string): { readonly name: RightName | "all"; readonly id: number | undefined } {
  const [word = "", value] = item.trim().split("=", 2);
  const name = [...RIGHT_NAMES, "all" as const].find((known) => known === word);
  if (name === undefined)
    throw new UsageError(`unknown right ${JSON.stringify(word)} (expected all, ${RIGHT_NAMES.join(", ")})`);
  if (value === undefined) return { name, id: undefined };
  if (name === "all" || !WITH_ID.includes(name))
    throw new UsageError(`${name} takes no value (expected an id only after ${WITH_ID.join(", ")})`);
  if (!/^\d{1,10}$/.test(value) || Number(value) > 0xffff_ffff)
    throw new UsageError(`invalid id ${JSON.stringify(value)} of ${name} (expected a number)`);
  return { name, id: Number(value) };
}
