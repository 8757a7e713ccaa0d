import { spawn } from "node:child_process";
import fs from "node:fs";
import { BackendError } from "../../io/errors.js";
import { textToBytes } from "../../io/text.js";
import { O_CLOEXEC } from "../../linux/open-flags.js";
import type { FileUser } from "../backend.js";
import { poll, waitFor } from "./ptrace/wait.js";
import { SYS } from "./sys/abi-x64.js";
import { attempt, call } from "./sys/syscall.js";

const UNDO_SECONDS = 10;

/** Which file a name leads to. */
interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * The program of the guard: it reads entries until the writing end of its pipe is closed, which the kernel does however
 * crimg ends, and undoes what was not forgotten, last first. A name is removed only from the file that it was noted for.
 */
const GUARD = `
const fs = require("node:fs");
const user = JSON.parse(process.argv[1]);
const become = (uid, gid, groups) => {
  if (user === null) return;
  process.seteuid(0);
  process.setgroups(groups);
  process.setegid(gid);
  process.seteuid(uid);
};
const entries = new Map();
for (const line of fs.readFileSync(0, "latin1").split("\\n").slice(0, -1)) {
  const entry = JSON.parse(line);
  if (entry.forget === undefined) entries.set(entry.id, entry);
  else if (entry.forget === 0) entries.clear();
  else entries.delete(entry.forget);
}
for (const { path, text, dev, ino } of [...entries.values()].reverse())
  try {
    if (text === undefined) become(user?.uid, user?.gid, user?.groups);
    else become(0, 0, []);
    const name = Buffer.from(path, "latin1");
    const stat = fs.lstatSync(name, { bigint: true });
    if (text !== undefined) fs.writeFileSync(name, text);
    else if (ino !== undefined && (ino !== String(stat.ino) || dev !== String(stat.dev))) continue;
    else if (stat.isDirectory()) fs.rmdirSync(name);
    else fs.unlinkSync(name);
  } catch {}
`;

/**
 * What must not outlast this run: names on disk, a setting of the kernel. Each is noted before it is made, in a pipe to a
 * guard, a process that undoes all of it should crimg fail or be killed; nothing is written to disk for it.
 */
export class Journal {
  #guard: { readonly pid: number; readonly pipe: number } | undefined;
  #last = 0;
  readonly #noted = new Set<number>();

  /** `user`: whose rights to files the guard has, where it removes names. */
  constructor(readonly user?: FileUser) {}

  /**
   * A name that is about to be made. Without an identity it must be one that no other program chooses. Gives the number
   * to `forget` it by. Errors: BackendError when no guard can be started.
   */
  name(path: string, identity?: FileIdentity): number {
    return this.#note({
      path: latin1(path),
      ...(identity && { dev: String(identity.dev), ino: String(identity.ino) }),
    });
  }

  /** A file of /proc/sys that is about to be changed and now says `text`. */
  value(path: string, text: string): number {
    return this.#note({ path: latin1(path), text });
  }

  /** What was noted is undone already, or is to stay. */
  forget(id: number): void {
    this.#noted.delete(id);
    this.#write({ forget: id });
  }

  /** Everything that was noted is to stay. */
  end(): void {
    this.#noted.clear();
    this.#write({ forget: 0 });
    if (this.#guard !== undefined) attempt(SYS.close, this.#guard.pipe);
    this.#guard = undefined;
  }

  /** Undoes what was noted and not forgotten, and waits until that is done. */
  undo(): void {
    if (this.#guard === undefined) return;
    if (this.#noted.size === 0) {
      this.end();
      return;
    }
    const { pid, pipe } = this.#guard;
    this.#guard = undefined;
    this.#noted.clear();
    attempt(SYS.close, pipe);
    waitFor("the guard process does not end", UNDO_SECONDS, () =>
      poll(pid)?.kind === "gone" || attempt(SYS.kill, pid, 0) < 0 ? true : undefined,
    );
  }

  #note(entry: Readonly<Record<string, string>>): number {
    this.#guard ??= startGuard(this.user);
    const id = ++this.#last;
    this.#noted.add(id);
    this.#write({ id, ...entry });
    return id;
  }

  #write(entry: Readonly<Record<string, string | number>>): void {
    if (this.#guard === undefined) return;
    fs.writeSync(this.#guard.pipe, `${JSON.stringify(entry)}\n`, null, "latin1");
  }
}

function latin1(path: string): string {
  return textToBytes(path).toString("latin1");
}

function startGuard(user: FileUser | undefined): { readonly pid: number; readonly pipe: number } {
  const ends = Buffer.alloc(8);
  call("make a pipe", SYS.pipe2, ends, O_CLOEXEC);
  const [readEnd, pipe] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  const rights = user === undefined ? null : { ...user, groups: [...user.gids] };
  // A session of its own: what ends the group of crimg leaves it alone.
  const guard = spawn(process.execPath, ["-e", GUARD, JSON.stringify(rights)], {
    stdio: [readEnd, "ignore", "ignore"],
    env: {},
    cwd: "/",
    detached: true,
  });
  attempt(SYS.close, readEnd);
  guard.on("error", () => {});
  guard.unref();
  if (guard.pid === undefined) throw new BackendError("cannot start the guard process");
  return { pid: guard.pid, pipe };
}
