/** crimg restore: what it refuses, how it explains, what it leaves behind, and how it behaves as a program. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { dump, needCriu } from "../helpers/criu.js";
import { digestsOf, placesFor, succeeds } from "../helpers/journey.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  kill,
  type Live,
  type LiveProgram,
  locksOf,
  program,
  progress,
  start,
  startProgram,
  statOf,
  until,
} from "../helpers/live.js";
import { skip, suite } from "../helpers/suite.js";

const restore = suite("crimg restore");
restore.before(() => {
  needCriu();
  // Other jobs restore at the same time: what is left in a directory of this one's own was left here.
  process.env.TMPDIR = freshDirectory("tmp");
});
restore.after(cleanUp);

const START = fileURLToPath(new URL("../support/start.sh", import.meta.url));

interface Dumped {
  readonly live: LiveProgram;
  readonly work: string;
  readonly images: string;
}

async function dumped(name: string): Promise<Dumped> {
  const { work, images } = placesFor(name);
  const live = await startProgram(name, work);
  await goesOn(live.log, 2);
  await dump(live.pid, images, live.options.dump);
  return { live, work, images };
}

/** What restores did not remove. */
function leftovers(images: string): string[] {
  return [tmpdir(), dirname(images)].flatMap((directory) =>
    readdirSync(directory).filter((name) => name.startsWith(".restore.crimg-")),
  );
}

restore("refuses a set whose files have changed, and starts nothing", async () => {
  const { live, work, images } = await dumped("logger");
  appendFileSync(join(work, "etc/logger.conf"), "# more\n");
  const { code, stdout, stderr } = await crimg(["restore", images, "--detach"]);
  assert.is(code, 1);
  assert.is(stdout, "");
  assert.match(stderr, /error FILE_SIZE: /);
  assert.match(stderr, /nothing was started\n$/);
  assert.is(statOf(live.pid), undefined);
});

restore("with --force explains what criu says, and the command that mends it works as pasted", async () => {
  const { live, work, images } = await dumped("logger");
  appendFileSync(join(work, "etc/logger.conf"), "# more\n");
  const digests = digestsOf(images);
  const log = join(work, "kept.log");
  const forced = ["restore", images, "--detach", "--force", "--log", log];
  const { code, json } = await crimgJson(forced);
  assert.is(code, 1);
  const { failure } = (json as { restart: { explanation: { failure: FailureJson } } }).restart.explanation;
  assert.is(failure.id, "FILE_SIZE");
  assert.equal(failure.objects, [
    {
      pid: live.pid,
      comm: "logger",
      use: "fd 4",
      file: join(work, "etc/logger.conf"),
      how: "read-only, offset 17",
    },
  ]);
  assert.match(readFileSync(log, "utf8"), /has bad size 48 \(expect 41\)/);

  const pasted = `crimg() { '${process.execPath}' '${CRIMG}' "$@"; }; ${failure.mends[0]?.command} --detach`;
  const { status, stderr } = spawnSync("sh", ["-c", pasted], { encoding: "utf8", timeout: 60_000 });
  assert.is(status, 0, stderr);
  await goesOn(live.log);
  await kill(live);
  assert.equal(digestsOf(images), digests);
  assert.equal(leftovers(images), []);
});

interface FailureJson {
  readonly id: string;
  readonly objects: readonly object[];
  readonly mends: readonly { readonly command: string }[];
}

restore("--print gives a command line that a shell takes", async () => {
  const { live, images } = await dumped("locks");
  const locks = 12;
  const { stdout, stderr } = await succeeds("restore", images, "--print", "--detach");
  assert.match(stderr, /^--file-locks {2}12 file locks/);
  const { status } = spawnSync("sh", ["-c", `${stdout.trimEnd()} --work-dir ${dirname(images)}`], {
    timeout: 60_000,
  });
  assert.is(status, 0);
  await goesOn(live.log);
  assert.is(locksOf(live.pid).length, locks);
  await kill(live);
});

restore("--dry-run does all but start criu, and says why each option", async () => {
  const { live, images } = await dumped("locks");
  const digests = digestsOf(images);
  const { stdout } = await succeeds("restore", images, "--dry-run");
  assert.match(stdout, /^backend criu \(a CRIU set\): \d+\.\d+/);
  assert.match(stdout, /--file-locks {2}12 file locks/);
  assert.match(stdout, /dry run; nothing was started\n$/);
  assert.is(statOf(live.pid), undefined);
  assert.equal(digestsOf(images), digests);
});

restore("an edit that matches nothing restores nothing", async () => {
  const { live, images } = await dumped("logger");
  const { code, stderr } = await crimg(["restore", images, "--remap-path", "/nowhere=/x", "--detach"]);
  assert.is(code, 1);
  assert.match(stderr, /nothing matched: --remap-path \/nowhere=\/x/);
  assert.is(statOf(live.pid), undefined);
});

restore("a running process with the pid is named, and not touched", async () => {
  const { work, images } = placesFor("taken");
  const live = await startProgram("logger", work);
  await dump(live.pid, images, ["--leave-running"]);
  const { code, stderr } = await crimg(["restore", images, "--detach", "--accept-file", `${work}/data/*`]);
  assert.is(code, 1);
  assert.match(stderr, new RegExp(`error PID_TAKEN: the id ${live.pid} is taken`));
  // Also when the check is not listened to.
  const forced = await crimg(["restore", images, "--detach", "--force"]);
  assert.is(forced.code, 1);
  assert.match(forced.stderr, new RegExp(`pid ${live.pid} \\(logger\\) is taken by running process logger`));
  await goesOn(live.log);
  await kill(live);
});

restore("a zombie that keeps the pid is waited for, and then told with its parent", async () => {
  const { work, images } = placesFor("zombie");
  // The parent never waits for the program.
  const parent = await start(["/usr/bin/python3", "-c", PARENT, START, program("logger"), work], {
    cwd: work,
  });
  await until("the program", () => existsSync(join(work, "pid")) && existsSync(join(work, "log/messages")));
  const pid = Number(readFileSync(join(work, "pid"), "utf8"));
  const log = join(work, "log/messages");
  await goesOn(log, 2);
  const criu = spawnSync(needCriu(), ["dump", "-t", String(pid), "-D", images, "-W", dirname(images)], {
    timeout: 60_000,
  });
  assert.is(criu.status, 0);
  assert.is(statOf(pid)?.state, "Z");
  const { code, stderr } = await crimg(["restore", images, "--detach", "--force"]);
  assert.is(code, 1);
  assert.match(stderr, new RegExp(`taken by a zombie, until its parent ${parent.pid} \\(python3\\) waits`));

  const waiting = crimg(["restore", images, "--detach"]);
  process.kill(parent.pid, "SIGKILL");
  assert.is((await waiting).code, 0, (await waiting).stderr);
  await goesOn(log);
  process.kill(pid, "SIGKILL");
});

const PARENT = `
import os, subprocess, sys, time
child = subprocess.Popen([sys.argv[1], "/dev/null", sys.argv[2], sys.argv[3]], start_new_session=True)
open("pid", "w").write(str(child.pid))
time.sleep(100)
`;

restore("without --detach waits for the program, passes SIGTERM on and cleans up", async () => {
  const { live, work, images } = await dumped("logger");
  const pidFile = join(work, "pid");
  const child = background(["restore", images, "--pidfile", pidFile]);
  await until("the pid file", () => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n"));
  assert.is(Number(readFileSync(pidFile, "utf8")), live.pid);
  await goesOn(live.log);
  assert.is(child.exitCode, null);
  child.kill("SIGTERM");
  assert.is(await exitOf(child), 0);
  await until("the program to end", () => statOf(live.pid) === undefined);
  assert.equal(leftovers(images), []);
});

restore("interrupted while criu is at work, leaves no half-restored task", async () => {
  const { live, work, images } = await dumped("locks");
  const holder = await holdLock(join(work, "posix"));
  const child = background(["restore", images, "--detach", "--force"]);
  await until("the half-restored task", () => statOf(live.pid) !== undefined);
  child.kill("SIGINT");
  assert.is(await exitOf(child), 2);
  await until("the task to be gone", () => statOf(live.pid) === undefined);
  assert.equal(leftovers(images), []);
  await kill(holder);
});

restore(
  "a lock that another process holds is found before, and makes criu hang: crimg ends it and says which",
  async () => {
    const { live, work, images } = await dumped("locks");
    const holder = await holdLock(join(work, "posix"));
    const refused = await crimg(["restore", images, "--detach"]);
    assert.is(refused.code, 1);
    assert.match(refused.stdout + refused.stderr, /LOCK_TAKEN.*: the posix lock cannot be taken/);
    const { code, stderr } = await crimg(["restore", images, "--detach", "--force", "--timeout", "2"]);
    assert.is(code, 1);
    assert.match(stderr, /not restored: criu hung \(no log output\) and was killed/);
    assert.match(
      stderr,
      new RegExp(`LOCK_TAKEN {2}criu is waiting for the posix lock of task ${live.pid} on descriptor 4`),
    );
    await kill(holder);
    await succeeds("restore", images, "--detach");
    await goesOn(live.log);
    assert.equal(progress(live.log).failures, []);
    await kill(live);
  },
);

restore(
  "--lease-expiry gives holders of breaking leases their time, and puts the setting of the kernel back",
  async () => {
    const setting = "/proc/sys/fs/lease-break-time";
    const before = readFileSync(setting, "utf8");
    const { live, work, images } = await dumped("locks");
    await succeeds("restore", images, "--lease-expiry", "-43s", "--detach");
    assert.is(readFileSync(setting, "utf8"), before);
    const breaking = () => locksOf(live.pid).filter((lock) => lock.includes("BREAKING")).length;
    assert.is(breaking(), 3);
    // Two seconds later the kernel takes them away, when somebody looks.
    await until("the leases to be broken", () => {
      for (const name of readdirSync(work)) if (name.includes("-to-")) lookAt(join(work, name));
      return breaking() === 0;
    });
    await kill(live);
  },
);

restore("a job of a shell is restored as one", async () => {
  const { images } = placesFor("job");
  const shell = await start(["/bin/sh", "-c", "sleep 100; :"], { cwd: "/" });
  let job = 0;
  await until("the job", () => {
    job = Number(readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, "utf8").trim());
    return job > 0;
  });
  await dump(job, images, ["--shell-job"]);
  const { stdout } = await succeeds("restore", images, "--dry-run");
  assert.match(stdout, /--shell-job {2}the session leader is not in the set/);
  await succeeds("restore", images, "--detach");
  assert.match(statOf(job)?.state ?? "", /[RS]/);
  process.kill(job, "SIGKILL");
  await kill(shell);
});

restore("a damaged set is refused with its findings, and with --force explained", async () => {
  const { live, images } = await dumped("logger");
  rmSync(join(images, `fs-${live.pid}.img`));
  const refused = await crimg(["restore", images, "--detach"]);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /^error [A-Z_]+: /);
  const forced = await crimg(["restore", images, "--detach", "--force"]);
  assert.is(forced.code, 1);
  assert.match(forced.stderr, /not restored/);
  await until("nothing to be left of it", () => statOf(live.pid) === undefined);
  assert.equal(leftovers(images), []);
});

/** An exclusive POSIX lock on all of a file. */
async function holdLock(file: string): Promise<Live> {
  const code =
    "import fcntl, sys, time; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(100)";
  const holder = await start(["/usr/bin/python3", "-c", code, file], { cwd: "/" });
  await until("the lock", () => locksOf(holder.pid).length === 1);
  return holder;
}

/** Opens a file without waiting for leases on it. */
function lookAt(file: string): void {
  try {
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch {
    // a lease is being broken
  }
}

function background(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CRIMG, ...args], {
    stdio: "ignore",
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
}

function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.on("exit", (status, signal) => resolve(status ?? signal));
  });
}

restore(
  "memory comes from a lazy-pages daemon that waits in the directory that -- --work-dir names",
  async () => {
    const { live, images } = await dumped("logger");
    const directory = freshDirectory("lazy");
    const words = ["--", "--lazy-pages", "--work-dir", directory];
    const early = await crimg(["restore", images, "--detach", ...words]);
    assert.is(early.code, 1);
    assert.match(early.stderr + early.stdout, /no lazy-pages daemon waits in/);
    const daemon = ["lazy-pages", "--daemon", "--images-dir", images, "--work-dir", directory];
    if (spawnSync(needCriu(), daemon, { stdio: "ignore" }).status !== 0)
      skip("this kernel has no userfaultfd for criu", "userfaultfd");
    await succeeds("restore", images, "--detach", ...words);
    await goesOn(live.log, 3);
    assert.equal(progress(live.log).failures, []);
    await kill(live);
  },
);

restore.run();
