import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openDocument, restoreOptions } from "../../../src/index.js";
import { crimg, crimgJson } from "../cli.js";
import { needCriu } from "../criu.js";
import { locksOf, statOf, until } from "../live.js";
import type { Done, Sabotage } from "./sabotages.js";
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
  const done = await sabotage(subject, random);
  if (done === undefined) return undefined;
  const before = new Set(pids());
  try {
    const said = await verdict(subject, done);
    const problem = await outcome(subject, done);
    const what = [`${subject.name}: ${name}`, done.what].filter(Boolean).join(" ");
    return { what, ...said, restored: problem === "", problem };
  } finally {
    await done.undo?.();
    subject.clear();
    await endAll(before);
  }
}

/** Restores; gives why it failed, or an empty text. */
async function outcome(subject: Subject, { through, without }: Done): Promise<string> {
  if (without !== undefined) return outcomeWithout(subject.image, without);
  const { restore, environment } = subject;
  const options = { seconds: SECONDS, env: environment, ...(through && { through }) };
  const { code, signal, stdout, stderr } = await crimg(restore, options);
  return code === 0 ? "" : `${signal ?? code}: ${(stdout + stderr).slice(0, 1600)}`;
}

/** crimg gives criu all options that it needs, so that criu is started here itself. */
function outcomeWithout(image: string, without: string): string {
  const document = openDocument(image);
  const options = restoreOptions(document).filter(({ option }) => option !== without);
  const { locks } = document.checkpoint;
  document.close();
  const log = join(image, "..", "restore.log");
  const args = ["restore", "--images-dir", image, "--restore-detached", "--log-file", log];
  const words = options.flatMap(({ option, value }) => (value === undefined ? [option] : [option, value]));
  const { status } = spawnSync(needCriu(), [...args, ...words], { stdio: "ignore", timeout: SECONDS * 1000 });
  if (status !== 0) return `criu ended with ${status}`;
  const lost = locks.filter(({ pid }) => pid !== undefined && locksOf(pid).length === 0);
  return lost.length === 0 ? "" : `${lost.length} locks are lost`;
}

/** `validate` judges what criu restores; what slim cannot do only its own preflight tells. */
async function verdict(
  { backend, image }: Subject,
  { through, without }: Done,
): Promise<Pick<Trial, "saysYes" | "isUnsure" | "because">> {
  const { code, json } = await crimgJson(question(backend, image), through && { through });
  const { findings = [], refusals = [], options = [] } = json as Answer;
  const errors = findings.filter(({ severity }) => severity === "error").map(({ id }) => id);
  const isUnsure = findings.some(({ id, severity }) => id === UNSURE && severity === "warning");
  const needed = options.map(({ option }) => option).filter((option) => option === without);
  const because = [...new Set([...errors, ...refusals, ...needed])].join();
  return { saysYes: code === 0 && needed.length === 0, isUnsure, because };
}

/** The files of a container are in its archive, those of other programs below the root of this host. */
function question(backend: Subject["backend"], image: string): string[] {
  if (backend === "slim") return ["restore", image, "--backend", "slim", "--dry-run"];
  return ["validate", image, ...(backend === "criu" ? ["--root", "/"] : []), "--host"];
}

interface Answer {
  readonly findings?: readonly { readonly id: string; readonly severity: string }[];
  readonly refusals?: readonly string[];
  readonly options?: readonly { readonly option: string }[];
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
