import { type SummaryView, shownCommand } from "../../index.js";
import type { Line } from "../line.js";
import { ownRecordsTexts } from "../own-records.js";
import { durationText, plural, sizeText } from "../units.js";
import { containerSummaryFacts } from "./container.js";
import { type Look, wrapped } from "./words.js";

const HEAD_WIDTH = 10;

/** `crimg show IMG`: one screen. */
export function* summaryLines(view: SummaryView, look: Look): Generator<Line> {
  const headed = (head: string): Line => look.style("heading", head.padEnd(HEAD_WIDTH));
  const facts: [head: string, text: string | undefined][] = [
    ...(view.container === undefined ? [] : containerSummaryFacts(view.container)),
    ["IMAGE", imageText(view)],
    ["PROGRAM", programText(view)],
    ["WHEN", whenText(view)],
    ["CRIU", criuText(view)],
    ["FORMAT", formatText(view)],
    ["MACHINE", machineText(view)],
    ["TASKS", tasksText(view)],
    ["MEMORY", memoryText(view)],
    ["FILES", filesText(view)],
    ["SOCKETS", socketsText(view)],
    ["LOCKS", locksText(view)],
    ["RIGHTS", rightsText(view)],
  ];
  for (const [head, text] of facts)
    if (text !== undefined) yield* wrapped(headed(head), text, HEAD_WIDTH, look);
  const special = view.special?.map(({ text }) => text) ?? [];
  for (const [at, text] of special.entries())
    yield* wrapped(headed(at === 0 ? "SPECIAL" : ""), text, HEAD_WIDTH, look);
}

function imageText({ image: { name, format, version, files, bytes } }: SummaryView): string {
  const form = version === undefined ? format : `${format}, version ${VERSIONS[version] ?? version}`;
  return `${name}: ${form}, ${plural(files, "file")}, ${sizeText(bytes)}`;
}

/** img_version as named in the sources of criu. */
const VERSIONS: Readonly<Record<number, string>> = { 1: "1.0", 2: "1.1", 3: "1.2" };

function programText({ program }: SummaryView): string | undefined {
  if (program === undefined) return undefined;
  const { pid, comm, argv, exe, cwd } = program;
  const command = argv.length > 0 ? shownCommand(argv) : comm;
  const isOther = exe !== undefined && exe !== argv[0];
  return `[${pid}] ${command}${isOther ? `; program ${exe}` : ""}${cwd === undefined ? "" : `; in ${cwd}`}`;
}

function whenText({ checkpoint }: SummaryView): string | undefined {
  const { time, timeOf, notAfter, uptimeNs, frozenNs } = checkpoint ?? {};
  const facts = [
    time === undefined ? "" : timeText(time, timeOf, notAfter),
    uptimeNs === undefined ? "" : `uptime ${durationText(uptimeNs)}`,
    frozenNs === undefined ? "" : `tasks were frozen for ${durationText(frozenNs)}`,
  ].filter(Boolean);
  return facts.length === 0 ? undefined : facts.join("; ");
}

/** The time of a file is that of its copy where programs copy without it. */
function timeText(
  time: string,
  of: string | undefined,
  notAfter: { time: string; what: string } | undefined,
) {
  const second = (iso: string): string => `${iso.slice(0, 19).replace("T", " ")} UTC`;
  if (of === undefined) return second(time);
  if (notAfter === undefined) return `${second(time)} (mtime of ${of})`;
  return `before ${second(notAfter.time)} (${notAfter.what}); the mtime of ${of}, ${second(time)}, is that of a copy`;
}

function criuText({ checkpoint }: SummaryView): string | undefined {
  if (checkpoint?.criu === undefined) return undefined;
  const { since, unknown } = checkpoint.criu;
  const age = since === undefined ? "unknown version" : `${since.release} or later (${since.field})`;
  return unknown.length === 0 ? age : `${age}; fields unknown to crimg: ${unknown.join(", ")}`;
}

function formatText({ checkpoint }: SummaryView): string | undefined {
  if (checkpoint?.revision === undefined) return undefined;
  const { revision, dialect, extensions } = checkpoint;
  return [revision, ...ownRecordsTexts(dialect, extensions)].join("; ");
}

function machineText({ checkpoint }: SummaryView): string | undefined {
  if (checkpoint === undefined) return undefined;
  return `${checkpoint.architecture}, ${sizeText(checkpoint.pageSize)} pages; kernel ${checkpoint.kernel ?? "not recorded"}`;
}

function tasksText({ tasks }: SummaryView): string | undefined {
  if (tasks === undefined) return undefined;
  const { total, threads, zombies, stopped } = tasks;
  const odd = [zombies > 0 ? plural(zombies, "zombie") : "", stopped > 0 ? `${stopped} stopped` : ""].filter(
    Boolean,
  );
  return [plural(total, "task"), plural(threads, "thread"), ...odd].join(", ");
}

function memoryText({ memory }: SummaryView): string | undefined {
  if (memory === undefined) return undefined;
  const { mapped, stored, shared, inParent, lazy, pagesFiles } = memory;
  return [
    `${sizeText(mapped)} mapped, ${sizeText(stored)} stored`,
    shared > 0 ? `${sizeText(shared)} of shared segments stored` : "",
    inParent > 0 ? `${sizeText(inParent)} in parent sets` : "",
    lazy > 0 ? `${sizeText(lazy)} left for lazy migration` : "",
    pagesFiles === stored + shared ? "" : `pages files of ${sizeText(pagesFiles)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function filesText({ files }: SummaryView): string | undefined {
  if (files === undefined) return undefined;
  const { open, descriptors, byType } = files;
  const types = Object.entries(byType).map(([type, count]) => `${count} ${type}`);
  return `${plural(descriptors, "descriptor")}, ${plural(open, "open file")}: ${types.join(", ") || "none"}`;
}

function socketsText({ sockets }: SummaryView): string | undefined {
  if (sockets === undefined) return undefined;
  const { total, byFamily, listening, connected } = sockets;
  if (total === 0) return "none";
  const families = Object.entries(byFamily).map(([family, count]) => `${count} ${family}`);
  return `${total} (${families.join(", ")}), ${listening} listening, ${connected} TCP connected`;
}

function locksText({ locks }: SummaryView): string | undefined {
  if (locks === undefined) return undefined;
  const kinds = Object.entries(locks.byKind).map(([kind, count]) => `${count} ${kind}`);
  return kinds.length === 0 ? "none" : kinds.join(", ");
}

/** Maximum number of rights named. */
const NAMED_RIGHTS = 6;

function rightsText({ rights }: SummaryView): string | undefined {
  if (rights === undefined) return undefined;
  const { owner, asked } = rights;
  const named = asked.slice(0, NAMED_RIGHTS).map((right) => right.asked);
  const more = asked.length > named.length ? ` and ${asked.length - named.length} more` : "";
  const names = [...new Set(asked.map(({ name }) => name))].join(",");
  return `beyond those of its owner, ${owner}: ${named.join(", ")}${more}; restore as root needs --allow-rights ${names}`;
}
