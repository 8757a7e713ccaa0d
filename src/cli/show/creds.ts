import { CAPABILITIES, type ViewData } from "../../index.js";
import { type Line, styled } from "../line.js";
import { groupedBy, groupHead } from "./same.js";
import { type Look, wrapped } from "./words.js";

type ThreadCreds = ViewData<"creds">["tasks"][number]["threads"][number];

const NAME_WIDTH = 11;

/** `crimg show IMG creds`: tasks, and threads that differ from their leader, grouped by equal credentials. */
export function* credsLines({ tasks }: ViewData<"creds">, look: Look): Generator<Line> {
  const bearers = tasks.flatMap(({ pid, comm, threads }) => {
    const [own = [], ...others] = groupedBy(threads, credsOf);
    const leader = own[0] === undefined ? [] : [{ pid, comm, creds: own[0] }];
    return [...leader, ...others.flat().map((creds) => ({ pid: creds.tid, comm: creds.comm, creds }))];
  });
  if (bearers.length === 0) yield "no credentials";
  for (const [at, group] of groupedBy(bearers, ({ creds }) => credsOf(creds)).entries()) {
    if (at > 0) yield "";
    yield groupHead(group, look);
    const creds = group[0]?.creds as ThreadCreds;
    for (const [name, text] of facts(creds))
      yield* wrapped(
        styled`  ${look.style("heading", name.padEnd(NAME_WIDTH))}  `,
        text,
        NAME_WIDTH + 4,
        look,
      );
  }
}

function credsOf({ tid: _tid, comm: _comm, ...creds }: ThreadCreds): object {
  return creds;
}

function facts(creds: ThreadCreds): [name: string, text: string][] {
  const { effective, permitted, inheritable, bounding, ambient } = creds;
  const sets: [string, readonly string[]][] = [
    ["EFFECTIVE", effective],
    ["PERMITTED", permitted],
    ["INHERITABLE", inheritable],
    ["BOUNDING", bounding],
    ["AMBIENT", ambient],
  ];
  return [
    ["UID", idsText(creds.uids)],
    ["GID", idsText(creds.gids)],
    ["GROUPS", creds.groups.join(" ") || "none"],
    ...sets.map(([name, names]): [string, string] => [name, capabilitiesText(names)]),
    ["SECUREBITS", creds.securebits.join(" ") || "none"],
    ["NO NEW PRIV", creds.noNewPrivs ? "yes" : "no"],
    ["SECCOMP", creds.seccomp ?? "disabled"],
    ["LSM", creds.lsmProfile ?? "none"],
  ];
}

function idsText(ids: readonly number[]): string {
  const [real, effective, saved, fs] = ids;
  if (new Set(ids).size === 1) return String(real);
  return `real ${real}, effective ${effective}, saved ${saved}, file system ${fs}`;
}

/** Most tasks have all capabilities or few; if nearly all, the missing ones are listed. */
function capabilitiesText(names: readonly string[]): string {
  const missing = [...CAPABILITIES.values.keys()].filter((name) => !names.includes(name));
  if (names.length === 0) return "none";
  if (missing.length === 0) return `all ${names.length}`;
  if (missing.length < names.length / 4) return `all but ${missing.join(" ")}`;
  return names.join(" ");
}
