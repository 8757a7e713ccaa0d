/**
 * `npm run demo`: the main job on a real checkpoint that comes with the source. A small service was checkpointed in
 * /var/lib/crimg-demo/logger; its directory now lies elsewhere. Nothing outside a temporary directory is written.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SET = "fixtures/criu/logger";
const OLD_HOME = "/var/lib/crimg-demo/logger";
const SETTLE_MS = 500;

const scratch = mkdtempSync(join(tmpdir(), "crimg-demo-"));
const home = join(scratch, "srv/logger");
const moved = join(scratch, "moved");
const log = join(home, "log/messages");

/** Says what comes, then runs crimg as a person would; its answer goes to the terminal. */
function crimg(title: string, ...args: string[]): number {
  say(title);
  console.log(`$ crimg ${args.join(" ")}`);
  const { status } = spawnSync(process.execPath, ["bin/run.js", ...args], { stdio: "inherit" });
  return status ?? 2;
}

function say(title: string): void {
  console.log(`\n# ${title}`);
}

/** Every step must answer as it does on any machine; a demo that only looks well is none. */
function expect(status: number, wanted: number): void {
  if (status !== wanted) throw new Error(`this step ended with ${status}, ${wanted} was expected`);
}

async function restore(): Promise<void> {
  const pidfile = join(scratch, "pid");
  const before = lines();
  const status = crimg(
    "And the service lives again, with its descriptors and offsets.",
    "restore",
    moved,
    "--detach",
    "--pidfile",
    pidfile,
  );
  if (status !== 0) {
    console.log(
      "\nNot restored on this machine, for the reason above; the checked image set is what you would take to one that can.",
    );
    return;
  }
  const pid = Number(readFileSync(pidfile, "utf8"));
  try {
    await sleep(SETTLE_MS);
    say(`The log of task ${pid}: the last lines from before the checkpoint, and the first since.`);
    console.log(
      lines()
        .slice(before.length - 2, before.length + 3)
        .join("\n"),
    );
    if (lines().length <= before.length) throw new Error("the restored service logs nothing");
  } finally {
    process.kill(pid, "SIGKILL");
  }
}

function lines(): string[] {
  return readFileSync(log, "utf8").trimEnd().split("\n");
}

/** Why no restore can be tried here; undefined when it can. */
function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "criu restores only as root";
  const criu = spawnSync(process.env.CRIMG_CRIU ?? "criu", ["check"], { stdio: "ignore", timeout: 20_000 });
  return criu.status === 0
    ? undefined
    : "there is no working criu by CRIMG_CRIU or PATH (test/support/criu.sh unpacks one)";
}

async function main(): Promise<void> {
  execFileSync("tar", ["-xzf", "fixtures/files/logger.tar.gz", "-C", scratch]);
  mkdirSync(join(scratch, "srv"));
  renameSync(join(scratch, OLD_HOME), home);

  expect(crimg("Somebody hands you a checkpoint. What is it?", "show", SET), 0);
  expect(crimg("Which files did it hold, and where was it in them?", "show", SET, "fds"), 0);
  expect(
    crimg(
      "Will it restore here? No: its directory has moved. Each finding says what mends it.",
      "validate",
      SET,
      "--root",
      "/",
    ),
    1,
  );
  expect(
    crimg(
      "So change the path, in every image that holds it, in a copy.",
      "edit",
      SET,
      "--remap-path",
      `${OLD_HOME}=${home}`,
      "-o",
      moved,
    ),
    0,
  );
  expect(
    crimg(
      "What is different now? The path, and nothing else.",
      "diff",
      "--only",
      "fds",
      "--only",
      "memory",
      SET,
      moved,
    ),
    1,
  );
  expect(crimg("Will it restore now?", "validate", moved, "--root", "/"), 0);
  const reason = whyNot();
  if (reason === undefined) await restore();
  else say(`Not restored: ${reason}.`);
  expect(
    crimg("The edit is logged, and can be taken back to the very bytes.", "undo", moved, "--in-place"),
    0,
  );
  expect(crimg("The same as at the start?", "diff", SET, moved), 0);
}

try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
