import type { RightName } from "./kinds.js";
import type { Right } from "./right.js";

/** One thing that is asked for, by however many tasks. */
export interface AskedRight {
  readonly name: RightName;
  readonly asked: string;
  readonly had: string;
  /** The first who asks for it. */
  readonly pid: number | undefined;
  /** How often it is asked for. */
  readonly count: number;
}

/** Rights with the same words once, in the order of the first. */
export function askedRights(rights: Iterable<Right>): AskedRight[] {
  const found = new Map<string, AskedRight>();
  for (const { name, asked, had, pid } of rights) {
    const key = `${name} ${asked}`;
    const known = found.get(key);
    found.set(
      key,
      known === undefined ? { name, asked, had, pid, count: 1 } : { ...known, count: known.count + 1 },
    );
  }
  return [...found.values()];
}
