import { FD_TYPES } from "../formats/criu/tables/fdinfo.js";
import { UsageError } from "../io/errors.js";
import { globMatcher } from "../io/glob.js";

/** What a policy does with the descriptors it matches. */
export type PolicyAction = "remap" | "accept" | "drop" | "reopen" | "error" | "ignore";

export const ACTIONS: readonly PolicyAction[] = ["remap", "accept", "drop", "reopen", "error", "ignore"];

/** Words of the policy files of other tools (CRaC: close, error, ignore, reopen) that mean one of ours. */
export const POLICY_ACTION_WORDS: ReadonlyMap<string, PolicyAction> = new Map([
  ...ACTIONS.map((action) => [action, action] as const),
  ["close", "drop"],
]);

/**
 * A rule by pattern. All of `path`, `type` and `fd` that are given must match.
 * remap: the file is at `to` (below it, with its own name, when `to` ends in a slash). accept: its size, mode and build id
 * are what they are now. reopen: opened as it is, without a check; with `to` another file instead of it. drop: not
 * opened. error: refuse. ignore: leave as it is, whatever later policies say.
 */
export interface Policy {
  /** Pattern of the path, see `globMatcher`. */
  readonly path: string | undefined;
  /** CRIU's word for the type (REG, PIPE, UNIXSK …), or file or socket. Any case. */
  readonly type: string | undefined;
  /** `FD`, in every task, or `PID:FD`. */
  readonly fd: string | undefined;
  readonly action: PolicyAction;
  readonly to: string | undefined;
  /** With `to`: open it for appending. */
  readonly append: boolean;
}

/** A descriptor as policies see it. */
export interface PolicySubject {
  readonly pid: number;
  readonly fd: number;
  /** CRIU's word for the type. */
  readonly type: string;
  readonly path: string | undefined;
}

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  FILE: ["REG"],
  SOCKET: ["INETSK", "UNIXSK", "NETLINKSK", "PACKETSK"],
  EPOLL: ["EVENTPOLL"],
};

/** Finds the first policy that matches a descriptor. Errors: USAGE for a type that does not exist or a bad pattern. */
export function policyFinder(policies: readonly Policy[]): (subject: PolicySubject) => Policy | undefined {
  const matchers = policies.map((policy) => ({ policy, matches: matcherOf(policy) }));
  return (subject) => matchers.find(({ matches }) => matches(subject))?.policy;
}

function matcherOf({ path, type, fd }: Policy): (subject: PolicySubject) => boolean {
  const matchesPath = path === undefined ? undefined : globMatcher(path);
  const types = type === undefined ? undefined : typesOf(type);
  return (subject) => {
    if (types !== undefined && !types.includes(subject.type)) return false;
    if (fd !== undefined && fd !== String(subject.fd) && fd !== `${subject.pid}:${subject.fd}`) return false;
    return matchesPath === undefined || (subject.path !== undefined && matchesPath(subject.path));
  };
}

function typesOf(word: string): readonly string[] {
  const type = word.toUpperCase();
  const types = GROUPS[type] ?? (FD_TYPES.values.has(type) ? [type] : undefined);
  if (types === undefined)
    throw new UsageError(
      `invalid descriptor type ${JSON.stringify(word)} (expected file, socket, ${[...FD_TYPES.values.keys()].join(", ")})`,
    );
  return types;
}
