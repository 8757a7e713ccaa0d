import { UsageError } from "../../io/errors.js";
import type { Edit } from "./plan.js";

/** Everything at or below `from` moves to `to`. Both absolute, without a slash at the end ("/" is ""). */
export interface PathRule {
  readonly from: string;
  readonly to: string;
}

/** A path rule that knows its edit. */
export interface OwnedRule extends PathRule {
  readonly edit: Edit;
}

const DELETED = " (deleted)";

/** Reads `OLD=NEW`. A `=` inside OLD is not possible; NEW may hold one. Errors: USAGE. */
export function parsePathRule(text: string): PathRule {
  const at = text.indexOf("=");
  if (at === -1) throw new UsageError(`invalid ${JSON.stringify(text)} (expected OLD=NEW)`);
  return { from: normalize(text.slice(0, at)), to: normalize(text.slice(at + 1)) };
}

function normalize(path: string): string {
  if (!path.startsWith("/"))
    throw new UsageError(
      `invalid path ${JSON.stringify(path)} (expected absolute paths on both sides of OLD=NEW)`,
    );
  if (path.includes("\0")) throw new UsageError("a path holds no NUL byte");
  if (/(^|\/)\.{1,2}(\/|$)/.test(path))
    throw new UsageError(`${JSON.stringify(path)} holds . or .., which paths in an image never do`);
  return path.replace(/\/+/g, "/").replace(/\/$/, "");
}

/**
 * Path rules over whole components, the longest first: `/srv/a=/srv/b` changes `/srv/a` and `/srv/a/x`, not `/srv/ab`.
 * Looking up a path costs its depth, however many rules there are.
 */
export class PathRules<R extends PathRule = PathRule> {
  readonly #byFrom = new Map<string, R>();

  /** Errors: USAGE for two rules with one OLD and different NEWs. */
  constructor(readonly rules: readonly R[]) {
    for (const rule of rules) {
      const other = this.#byFrom.get(rule.from);
      if (other !== undefined && other.to !== rule.to)
        throw new UsageError(`two targets for ${rule.from || "/"}: ${other.to || "/"} and ${rule.to || "/"}`);
      this.#byFrom.set(rule.from, rule);
    }
  }

  /** What an absolute path becomes, and by which rule; undefined when none matches. ` (deleted)` behind it is kept. */
  map(path: string): { readonly path: string; readonly rule: R } | undefined {
    const plain = this.#lookUp(path);
    if (plain !== undefined || !path.endsWith(DELETED)) return plain;
    const found = this.#lookUp(path.slice(0, -DELETED.length));
    return found && { path: found.path + DELETED, rule: found.rule };
  }

  /** Like `map`, also for a path that has lost its leading slash, which stays away. */
  mapLoose(path: string): { readonly path: string; readonly rule: R } | undefined {
    if (path.startsWith("/")) return this.map(path);
    const found = path === "" ? undefined : this.map(`/${path}`);
    return found && { path: found.path.slice(1), rule: found.rule };
  }

  /** A rule whose OLD stands somewhere in the text. */
  mentionedIn(text: string): R | undefined {
    return this.rules.find(({ from }) => from !== "" && text.includes(from));
  }

  #lookUp(path: string): { readonly path: string; readonly rule: R } | undefined {
    if (!path.startsWith("/")) return undefined;
    let end = path.length;
    for (;;) {
      const rule = this.#byFrom.get(path.slice(0, end));
      if (rule !== undefined)
        return { path: path === "/" ? rule.to || "/" : rule.to + path.slice(end) || "/", rule };
      if (end === 0) return undefined;
      end = path.lastIndexOf("/", end - 1);
    }
  }
}
