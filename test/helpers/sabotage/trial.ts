import { readdirSync } from "node:fs";
import { crimg, crimgJson } from "../cli.js";
import { statOf, until } from "../live.js";
import type { Sabotage } from "./sabotages.js";
import type { Subject } from "./subjects.js";

/** What crimg says before a restore, and what came of it. */
export interface Trial {
  readonly what: string;
  readonly saysYes: boolean;
  /** It says that it cannot know. */
  readonly isUnsure: boolean;
  readonly restored: boolean;
  /** Ids of the errors, or what was refused. */
  readonly because: string;
  /** What the restore said when it failed. */
  readonly problem: string;
}

const SECONDS = 60;
/** Only the kernel can tell what a file handle leads to. */
const UNSURE = "INOTIFY_HANDLE";

/** One sabotage of one subject; undefined where it cannot be done. Everything is as before in the end. */
export async function trial(
  subject: Subject,
  name: string,
  sabotage: Sabotage,
  random: () => number,
): Promise<Trial | undefined> {
  subject.reset();
  const undo = await sabotage(subject, random);
  if (undo === undefined) return undefined;
  const before = new Set(pids());
  try {
    const said = await verdict(subject);
    const { code, signal, stdout, stderr } = await crimg(
      ["restore", subject.image, "--backend", subject.backend, "--detach", "--force"],
      { seconds: SECONDS },
    );
    const problem = code === 0 ? "" : `${signal ?? code}: ${(stdout + stderr).slice(0, 1600)}`;
    return {
      what: [`${subject.name}: ${name}`, (undo as { what?: string }).what].filter(Boolean).join(" "),
      ...said,
      restored: code === 0,
      problem,
    };
  } finally {
    await undo();
    await endAll(before);
  }
}

/** `validate` judges what criu restores; what slim cannot do only its own preflight tells. */
async function verdict({
  backend,
  image,
}: Subject): Promise<Pick<Trial, "saysYes" | "isUnsure" | "because">> {
  const args =
    backend === "slim"
      ? ["restore", image, "--backend", "slim", "--dry-run"]
      : ["validate", image, "--root", "/", "--host"];
  const { code, json } = await crimgJson(args);
  const { findings = [], refusals = [] } = json as Answer;
  const errors = findings.filter(({ severity }) => severity === "error").map(({ id }) => id);
  const isUnsure = findings.some(({ id, severity }) => id === UNSURE && severity === "warning");
  return { saysYes: code === 0, isUnsure, because: [...new Set([...errors, ...refusals])].join() };
}

interface Answer {
  readonly findings?: readonly { readonly id: string; readonly severity: string }[];
  readonly refusals?: readonly string[];
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Ends what the restore began, whatever ids a damaged image gave it. */
async function endAll(before: ReadonlySet<number>): Promise<void> {
  const alive = (): number[] =>
    pids().filter((pid) => !before.has(pid) && (statOf(pid)?.state ?? "Z") !== "Z");
  await until("the restored tasks to end", () => {
    for (const pid of alive())
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    return alive().length === 0;
  });
}
