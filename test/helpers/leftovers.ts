import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { ownerToken } from "../../src/io/owner.js";
import { atStep } from "./at-step.js";
import { crimg } from "./cli.js";

/** A token as that of a process of this host and namespace which has ended. */
export const DEAD = ownerToken().replace(/^\d+-\d+/, `${2 ** 22 + 1}-1`);

/** Renames of an edit in place of one file and its log: owner, lock, commit, file, log. */
const RENAME = { lock: 2, commit: 3, log: 5 };

/** Where an edit in place is killed, and what `crimg recover` then makes of the image. */
export const INTERRUPTED = {
  staged: { before: RENAME.lock, becomes: "old" },
  locked: { before: RENAME.commit, becomes: "old" },
  mixed: { before: RENAME.log, becomes: "new" },
} as const;

export type Interrupted = keyof typeof INTERRUPTED;

/** Edits an image in place with the given arguments and kills that at the moment. */
export async function interrupt(image: string, args: readonly string[], at: Interrupted): Promise<void> {
  const env = atStep(INTERRUPTED[at].before, "kill", "renameSync");
  const { signal, stderr } = await crimg(["edit", image, ...args, "--in-place"], { env });
  assert.is(signal, "SIGKILL", stderr);
}

/** Leaves under `directory` what killed runs of all commands leave there for files of these names. */
export function leaveTemporaries(directory: string, names: readonly string[]): void {
  for (const name of [...names, "spool"]) {
    fs.writeFileSync(path.join(directory, `.${name}.crimg-${DEAD}-0a`), "memory", { mode: 0o600 });
    fs.mkdirSync(path.join(directory, `.${name}.crimg-${DEAD}-0b`), { mode: 0o700 });
    fs.symlinkSync("/etc/passwd", path.join(directory, `.${name}.crimg-${DEAD}-0c`));
  }
  fs.mkdirSync(path.join(directory, `.crimg-stage-${DEAD}-0a`), { mode: 0o700 });
  fs.writeFileSync(path.join(directory, `.crimg-stage-${DEAD}-0a/new-0`), "memory", { mode: 0o600 });
}

/** Puts a lock there with a record that tells to replace and remove files, in the way of this crimg and of earlier ones. */
export function forge(directory: string, lock: string, victims: readonly string[]): void {
  const at = path.join(directory, lock);
  fs.mkdirSync(at);
  const { dev, ino } = fs.statSync(directory, { bigint: true });
  const own = { mode: 0o644, uid: 0, gid: 0, before: null };
  fs.writeFileSync(
    path.join(at, "commit"),
    JSON.stringify({
      directory: { dev: String(dev), ino: String(ino) },
      files: victims.map((name) => ({ name, after: null, ...own })),
      replace: victims.map((name) => ({ staged: "new-0", name })),
      remove: victims,
    }),
  );
  fs.writeFileSync(path.join(at, "owner"), DEAD);
  fs.writeFileSync(path.join(at, "new-0"), "forged");
}
