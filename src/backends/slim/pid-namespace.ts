import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { BackendError } from "../../io/errors.js";
import { CAP_SYS_ADMIN } from "../../linux/capabilities.js";
import type { FileUser, Restart, RestartOptions } from "../backend.js";
import { readProc } from "./proc/read.js";
import { readStatus } from "./proc/status.js";

/** In the environment of the crimg inside. */
const FILE_USER = "CRIMG_FILE_USER";
const POLL_MS = 20;
/** Where the image is for the crimg inside: its descriptor 3. */
const IMAGE = "/proc/self/fd/3";

/**
 * Restores a stream in a pid namespace of its own, where every id is free; without CAP_SYS_ADMIN in a user namespace of its
 * own as well. A crimg inside, which sees a /proc of its own, does it. It is the init of the namespace, pid_namespaces(7),
 * and stays until the root task has ended; with that the kernel ends whatever else is in there. The pid that is told is
 * that of the root as seen from outside. `image`: a regular file. `program`: the script that Node runs as crimg.
 * Errors: BackendError when no namespace can be made.
 */
export async function restoreInNamespace(
  image: string,
  program: string,
  options: RestartOptions,
): Promise<Restart> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "crimg-pidns-"));
  const pidFile = path.join(directory, "pid");
  const descriptor = fs.openSync(image, "r");
  try {
    const args = [...unshareArguments(), process.execPath, program, ...restoreArguments(pidFile, options)];
    options.onStep?.(`start a crimg in a pid namespace: unshare ${args.join(" ")}`);
    const child = spawn("unshare", args, {
      stdio: ["inherit", "pipe", "pipe", descriptor],
      env: { ...process.env, [FILE_USER]: fileUserText(options.filesAs) },
      detached: options.detach,
    });
    return await outcome(child, pidFile, options);
  } finally {
    fs.closeSync(descriptor);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function fileUserText(user: FileUser | undefined): string {
  return user === undefined ? "" : [user.uid, user.gid, ...user.gids].join();
}

/** Whose rights to files count for the crimg inside; undefined outside, and for those of the caller. */
export function fileUserOfParent(): FileUser | undefined {
  const text = process.env[FILE_USER];
  if (text === undefined || text === "") return undefined;
  const [uid = 0, gid = 0, ...gids] = text.split(",").map(Number);
  return { uid, gid, gids: new Set(gids) };
}

function unshareArguments(): string[] {
  const isAble = (readStatus("self").effective & CAP_SYS_ADMIN) !== 0n;
  return [
    ...(isAble ? [] : ["--user", "--map-current-user", "--keep-caps"]),
    "--pid",
    "--fork",
    "--mount-proc",
    "--",
  ];
}

/** What was checked outside is not checked again: in there only the ids are others. */
function restoreArguments(pidFile: string, { expiryFrom }: RestartOptions): string[] {
  const times = expiryFrom === undefined ? [] : ["--expiry-from", expiryFrom];
  const unchecked = ["--force", "--allow-rights", "all"];
  return ["restore", IMAGE, "--backend", "slim", ...unchecked, "--json", "--pidfile", pidFile, ...times];
}

/** Until the tasks run (detached), or have ended. */
async function outcome(child: ChildProcess, pidFile: string, options: RestartOptions): Promise<Restart> {
  let said = "";
  let errors = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  let pid: number | undefined;
  const timer = setInterval(() => {
    if (pid !== undefined || !fs.existsSync(pidFile)) return;
    const inside = Number(fs.readFileSync(pidFile, "latin1"));
    pid = inside > 0 ? outerPid(inside, child.pid ?? 0) : undefined;
    if (pid === undefined) return;
    options.onRestored?.(pid);
    if (options.detach) child.emit("restored");
  }, POLL_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      child.on("restored", resolve);
      child.on("close", () => resolve());
      child.on("error", (error) =>
        reject(new BackendError("cannot start unshare, which makes the pid namespace", { cause: error })),
      );
    });
  } finally {
    clearInterval(timer);
  }
  if (pid === undefined) return { restored: false, reason: reasonOf(said, errors), explanation: undefined };
  if (!options.detach) return { restored: true, pid, ended: restartIn(said)?.ended };
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
  return { restored: true, pid, remark: "the pid is that of the outer pid namespace" };
}

/** The task that has an id in a namespace below `ancestor`: the last of its ids, NSpid of proc_pid_status(5). */
function outerPid(inside: number, ancestor: number): number | undefined {
  const parents = new Map<number, number>();
  const candidates: number[] = [];
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readProc(name, "status");
      parents.set(Number(name), Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]));
      const ids = /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
      if (ids.length > 1 && Number(ids.at(-1)) === inside) candidates.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return candidates.find((pid) => {
    for (let at = parents.get(pid) ?? 0; at > 1; at = parents.get(at) ?? 0) if (at === ancestor) return true;
    return false;
  });
}

/** What the crimg inside answered, crimg restore --json. */
function restartIn(said: string): Extract<Restart, { restored: true }> | undefined {
  try {
    return (JSON.parse(said) as { restart?: Extract<Restart, { restored: true }> }).restart;
  } catch {
    return undefined;
  }
}

function reasonOf(said: string, errors: string): string {
  try {
    const { restart, refusals } = JSON.parse(said) as {
      restart?: { reason?: string };
      refusals?: readonly string[];
    };
    const reason = restart?.reason ?? refusals?.join("\n");
    if (reason) return reason;
  } catch {
    // It did not get as far as an answer.
  }
  return `cannot restore in a pid namespace: ${errors.trim() || "crimg ended in it without a message"}`;
}
