import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { kindOfFileName } from "../../src/formats/criu/detect.js";
import { CriuImage } from "../../src/formats/criu/image.js";
import { MemorySource } from "../../src/io/source.js";
import { decodeImage } from "../../src/ops/recode/decode-image.js";
import { encodeImage } from "../../src/ops/recode/encode-image.js";
import { assertBytes } from "./bytes.js";
import { type CliResult, crimg, crimgJson } from "./cli.js";
import { dump } from "./criu.js";
import { freshDirectory, locksOf, statOf } from "./live.js";

/** Where a live program works, where it is moved to, and where its images go; none of the last two exists yet. */
export interface Places {
  readonly work: string;
  readonly moved: string;
  readonly images: string;
}

/** What a finding of `crimg validate --json` says, as far as tests look at it. */
export interface JsonFinding {
  readonly id: string;
  readonly severity: string;
  readonly what: string;
  readonly fix?: string;
}

/** Directories for one journey: dump, move, validate, edit, restore, undo. */
export function placesFor(name: string): Places {
  const dir = freshDirectory(name);
  const places = { work: join(dir, "work"), moved: join(dir, "moved"), images: join(dir, "images") };
  mkdirSync(places.work);
  mkdirSync(places.images);
  return places;
}

/**
 * Dumps a tree, lets every image go through decode and encode, and moves its directory away. Gives the digests of the
 * set as criu wrote it.
 */
export async function dumpAndMove(
  pid: number,
  { work, moved, images }: Places,
  options: readonly string[],
): Promise<Map<string, string>> {
  await dump(pid, images, [...options]);
  recodesToSameBytes(images);
  const digests = digestsOf(images);
  renameSync(work, moved);
  return digests;
}

/** SHA-256 of every file of a directory, by name. */
export function digestsOf(directory: string): Map<string, string> {
  return new Map(
    readdirSync(directory)
      .sort()
      .map((name) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(directory, name)))
          .digest("hex"),
      ]),
  );
}

/** Every image of the set with records gives its own bytes back when it is decoded and encoded. */
export function recodesToSameBytes(images: string): void {
  let seen = 0;
  for (const name of readdirSync(images)) {
    const kind = kindOfFileName(name)?.kind;
    if (kind === undefined || kind.entries.length === 0) continue;
    const bytes = readFileSync(join(images, name));
    const json = [...decodeImage(new CriuImage(new MemorySource(bytes, name), name), {})].join("");
    assertBytes(encodeImage(json), bytes, name);
    seen++;
  }
  assert.ok(seen > 5, `only ${seen} images in ${images}`);
}

/** The findings of `crimg validate IMG --root /`, and whether it exits as if the set were valid. */
export async function findingsOf(
  images: string,
  ...flags: readonly string[]
): Promise<{ readonly valid: boolean; readonly findings: readonly JsonFinding[] }> {
  const { code, json } = await crimgJson(["validate", images, "--root", "/", ...flags]);
  assert.ok(code === 0 || code === 1, `validate ended with ${code}`);
  return { valid: code === 0, findings: (json as { findings: JsonFinding[] }).findings };
}

/** The ids of the findings with one severity, each once, sorted. */
export function idsOf(findings: readonly JsonFinding[], severity: string): string[] {
  return [...new Set(findings.filter((each) => each.severity === severity).map(({ id }) => id))].sort();
}

/** Runs `crimg ARGS` and fails with all that it said unless it exits 0. */
export async function succeeds(...args: readonly string[]): Promise<CliResult> {
  const result = await crimg(args, { seconds: 100 });
  assert.is(
    result.code,
    0,
    `crimg ${args.join(" ")}: ${result.code ?? result.signal}\n${result.stdout}${result.stderr}`,
  );
  return result;
}

/** O_DIRECTORY and O_TMPFILE say how a file was opened; criu opens one that was deleted in another way. */
const OPENED_HOW = 0o20200000;

/** What processes have open as /proc tells it: `1000 fd 4 /srv/data 100002`, and their locks and leases. */
export function openBy(pids: readonly number[]): string[] {
  const lines: string[] = [];
  for (const pid of pids) {
    if (statOf(pid)?.state === "Z") continue;
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
      const flags = Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? "", 8) & ~OPENED_HOW;
      lines.push(`${pid} fd ${fd} ${nameOf(readlinkSync(`/proc/${pid}/fd/${fd}`))} ${flags.toString(8)}`);
    }
    for (const link of ["cwd", "root", "exe"])
      lines.push(`${pid} ${link} ${readlinkSync(`/proc/${pid}/${link}`)}`);
    for (const lock of locksOf(pid)) lines.push(`${pid} ${lock}`);
  }
  return lines.sort();
}

/** Inode numbers are new after a restore. */
function nameOf(target: string): string {
  return target.replace(/^(pipe|socket):\[\d+\]$/, "$1");
}

/** The lines of `openBy` as they must be once the directory of the program has moved. */
export function asMoved(lines: readonly string[], { work, moved }: Places): string[] {
  return lines
    .map((line) => line.replaceAll(`${work}/`, `${moved}/`).replace(new RegExp(`${work}$`), moved))
    .sort();
}
