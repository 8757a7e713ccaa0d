// The part of the demo that needs root and no criu: a running program is checkpointed, moved and restored.
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PROGRAM = `n=0
while sleep 0.2
do
  n=$((n + 1))
  echo "count $n"
done
`;
/** Descriptors that the demo was started with are not the program's. */
const START = `for fd in /proc/$$/fd/*; do fd=\${fd##*/}; ((fd > 2)) && eval "exec $fd>&-"; done; exec bash counter.bash`;
const SECONDS = 20;

/** What the demo shows with. */
export interface Stage {
  tell(text: string): void;
  crimg(args: readonly string[], expected?: number): void;
}

/** Counts in a file, is checkpointed, has its directory moved, and counts on from where it was. */
export async function liveDemo(directory: string, { tell, crimg }: Stage): Promise<void> {
  if (process.getuid?.() !== 0 || process.arch !== "x64") {
    tell("skipped: checkpointing a program needs root, on x86-64");
    return;
  }
  const home = join(directory, "counter");
  const moved = join(directory, "moved");
  const image = join(directory, "counter.ckpt");
  mkdirSync(home);
  writeFileSync(join(home, "counter.bash"), PROGRAM);
  const output = openSync(join(home, "log"), "a");
  const child = spawn("bash", ["-c", START], {
    cwd: home,
    detached: true,
    stdio: ["ignore", output, output],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const pid = child.pid ?? 0;
  try {
    await counts(home, 3);
    tell(`crimg can checkpoint and restore without criu: task ${pid} counts in ${join(home, "log")}`);
    crimg(["checkpoint", String(pid), "-o", image]);
    await ended;
    crimg(["show", image]);

    tell(`its directory moves to ${moved}; restore it there`);
    renameSync(home, moved);
    const before = count(moved);
    process.stdout.write(`count ${before}\n`);
    crimg(["restore", image, "--backend", "slim", "--remap-path", `${home}=${moved}`, "--detach"]);
    await counts(moved, before + 3);
    const lines = readFileSync(join(moved, "log"), "utf8").split("\n");
    process.stdout.write(`${lines.slice(before, before + 3).join("\n")}\n`);
  } finally {
    end(pid);
  }
}

function count(directory: string): number {
  return readFileSync(join(directory, "log"), "utf8").split("\n").length - 1;
}

async function counts(directory: string, until: number): Promise<void> {
  for (const limit = Date.now() + SECONDS * 1000; count(directory) < until; await sleep(50))
    if (Date.now() > limit) throw new Error(`the program did not count to ${until}`);
}

/** It leads a group of its own, with the sleep that it waits for. */
function end(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
