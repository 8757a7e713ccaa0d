/** A user's image that asks for root's rights, as that user would make it: root's restore gives none of them unasked. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { RIGHT_NAMES } from "../../src/model/rights/kinds.js";
import { atStep } from "../helpers/at-step.js";
import { crimg, crimgJson } from "../helpers/cli.js";
import { needCriu } from "../helpers/criu.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  kill,
  program,
  start,
  startProgram,
  until,
} from "../helpers/live.js";
import { type ForOtherUser, forOtherUser, lentTo } from "../helpers/other-user.js";
import { checkpointed, needsSlim } from "../helpers/slim.js";
import { imageDigest, snapshot } from "../helpers/snapshot.js";
import { give } from "../helpers/strangers-image.js";
import { skip, suite } from "../helpers/suite.js";

const test = suite("rights at a restore", {}, 300);
const dir = freshDirectory("rights");
const USER = 65534;
let other: ForOtherUser;
/** The program, where the user can run it. */
let usersLogger: string;
const AS_USER = ["--reuid", `${USER}`, "--regid", `${USER}`, "--clear-groups", "--inh-caps=-all"];
const asUser = (...command: string[]) =>
  spawnSync("setpriv", [...AS_USER, ...command], { encoding: "utf8", timeout: 60_000, cwd: "/" });
/** Roots of trees that were restored, which are ended by their pids. */
const roots: number[] = [];

test.before(() => {
  needsSlim();
  chmodSync(dir, 0o755);
  other = forOtherUser();
  usersLogger = lentTo(other, program("logger"));
});
test.after(() => {
  for (const pid of roots)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  return cleanUp();
});

function rootOf(said: string): number {
  const pid = Number(/restored: root task (\d+)/.exec(said)?.[1]);
  assert.ok(pid > 1, said);
  roots.push(pid);
  return pid;
}

/** Lines of /proc/PID/status. */
function statusOf(pid: number, ...names: string[]): string[] {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return names.map(
    (name) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1]?.replaceAll("\t", " ") ?? "",
  );
}

const IDS = ["Uid", "Gid", "CapPrm", "CapEff"];
const NO_CAPS = "0000000000000000";

/** A directory that belongs to the user. */
function usersDirectory(name: string): string {
  const path = join(dir, name);
  mkdirSync(path);
  chownSync(path, USER, USER);
  return path;
}

/** The user's own program, checkpointed by him. */
async function usersImage(name: string): Promise<{ image: string; log: string }> {
  const work = usersDirectory(name);
  const live = await start(["/usr/bin/setpriv", ...AS_USER, usersLogger, work], {
    cwd: "/",
  });
  const log = join(work, "log/messages");
  await goesOn(log, 2).catch(() => goesOn(log, 2));
  const image = join(work, "image.ckpt");
  const written = asUser(other.node, other.crimg, "checkpoint", `${live.pid}`, "-o", image);
  assert.is(written.status, 0, written.stdout + written.stderr);
  await until("the end of the program", () => statusGone(live.pid));
  return { image, log };
}

function statusGone(pid: number): boolean {
  try {
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

/** The user edits his image to uid 0 with capabilities. */
function asRoot(image: string): void {
  const text = asUser(other.node, other.crimg, "decode", image);
  assert.is(text.status, 0, text.stderr);
  const { records } = JSON.parse(text.stdout) as { records: { record: string }[] };
  const at = records.findIndex(({ record }) => record === "CRED");
  assert.ok(at > 0);
  const fields = ["uid", "euid", "suid", "fsuid"].map((field) => `[${at}].${field}=0`);
  const caps = ["cap_p_0", "cap_e_0"].map((field) => `[${at}].cap_s.${field}=0x200000`);
  const sets = [...fields, ...caps].flatMap((set) => ["--set", set]);
  const edited = asUser(other.node, other.crimg, "edit", image, ...sets, "--in-place");
  assert.is(edited.status, 0, edited.stdout + edited.stderr);
}

test("a stream that its owner edited to uid 0: told, refused, granted by name, or restored as the owner", async () => {
  const { image, log } = await usersImage("stream");
  const plain = await crimg(["validate", image]);
  assert.is(plain.code, 0, plain.stdout);
  asRoot(image);
  const shown = await crimg(["show", image], { env: { CRIMG_OWNER: "" } });
  assert.match(shown.stdout, /^RIGHTS {4}beyond those of its owner, user 65534/m);
  const { code, json } = await crimgJson(["validate", image], { env: { CRIMG_OWNER: "" } });
  assert.is(code, 1);
  const ids = (json as { findings: { id: string; severity: string }[] }).findings;
  assert.equal(
    ids.filter(({ severity }) => severity === "error").map(({ id }) => id),
    ["RIGHTS_UID", "RIGHTS_CAPS"],
  );
  const own = asUser(other.node, other.crimg, "validate", image);
  assert.is(own.status, 0, "who looks at his own image gets a warning");
  assert.match(own.stdout, /^warning RIGHTS_UID/m);

  const restore = (...args: string[]) =>
    crimg(["restore", image, "--backend", "slim", "--detach", ...args], { program: other.crimg });
  const refused = await restore();
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /needs uid 0; the owner of the image, user 65534( \(\w+\))?, has/);
  assert.match(refused.stderr, /grant it: crimg restore \S+ --allow-rights uid,caps/);
  assert.match(refused.stderr, /nothing was started/);
  assert.is((await restore("--force")).code, 1, "--force is about findings, not about rights");
  const part = await restore("--allow-rights", "uid");
  assert.is(part.code, 1, part.stdout + part.stderr);
  assert.match(part.stderr, /needs CAP_SYS_ADMIN/);
  assert.not.match(part.stderr, /needs uid/);
  assert.is((await restore("--allow-rights", "uid=1,caps")).code, 1);

  const granted = await restore("--allow-rights", "uid=0,caps");
  assert.is(granted.code, 0, granted.stdout + granted.stderr);
  const pid = rootOf(granted.stdout);
  assert.equal(statusOf(pid, ...IDS), [
    "0 0 0 0",
    `${USER} ${USER} ${USER} ${USER}`,
    "0000000000200000",
    "0000000000200000",
  ]);
  process.kill(pid, "SIGKILL");
  await until("its end", () => statusGone(pid));

  if (asUser("unshare", "--user", "--pid", "--fork", "true").status !== 0)
    skip("this kernel lets ordinary users have no user namespaces");
  const needsIds = await restore("--as-owner");
  assert.is(needsIds.code, 1, needsIds.stdout + needsIds.stderr);
  assert.match(needsIds.stderr, /--pids new/);
  const grown = ["log/messages", "data/records"].flatMap((name) => [
    "--accept-file",
    join(dir, "stream", name),
  ]);
  const asOwner = await restore("--as-owner", "--pids", "new", ...grown);
  assert.is(asOwner.code, 0, asOwner.stdout + asOwner.stderr);
  const mine = rootOf(asOwner.stdout);
  const all = `${USER} ${USER} ${USER} ${USER}`;
  assert.equal(statusOf(mine, ...IDS), [all, all, NO_CAPS, NO_CAPS]);
  await goesOn(log, 2);
});

/**
 * Restores the user's image, whose owner writes other bytes into it, or puts something else in its place, right before the
 * k-th call that makes a file: for each k. Gives how often it was restored, and how often refused for the change.
 */
async function changedMeanwhile(
  image: string,
  theirs: string,
  acts: readonly string[],
  args: readonly string[],
): Promise<{ readonly restored: number; readonly refused: number }> {
  const honest = `${image}.honest`;
  cpSync(image, honest, { recursive: true });
  let [restored, refused] = [0, 0];
  for (const act of acts)
    for (let step = 1, isDone = false; !isDone; step++) {
      rmSync(image, { recursive: true });
      cpSync(honest, image, { recursive: true });
      give(image);
      const before = imageDigest(image);
      const env = atStep(step, `${act}=${image}=${theirs}`, "openSync,mkdirSync,copyFileSync,unlinkSync");
      const result = await crimg(["restore", image, "--detach", ...args], { program: other.crimg, env });
      const what = `${act} before call ${step}: ${result.stdout}${result.stderr}`;
      isDone = imageDigest(image) === before && !lstatSync(image).isSymbolicLink();
      if (result.code === 0) {
        restored++;
        const pid = rootOf(result.stdout);
        assert.equal(statusOf(pid, "Uid", "CapPrm"), [`${USER} ${USER} ${USER} ${USER}`, NO_CAPS], what);
        process.kill(pid, "SIGKILL");
        await until("its end", () => statusGone(pid));
      } else {
        assert.not.match(result.stderr, /internal error|^\s+at /m, what);
        if (/changed during the check: .*needs uid 0/.test(result.stderr)) refused++;
      }
      const aside = `${image}.aside`;
      if (existsSync(aside)) {
        unlinkSync(image);
        renameSync(aside, image);
      }
      assert.ok(step < 100, what);
    }
  return { restored, refused };
}

test("a stream whose owner changes it between check and start is restored as it was checked, or refused", async () => {
  const { image } = await usersImage("meanwhile");
  const theirs = join(dir, "meanwhile-root.ckpt");
  copyFileSync(image, theirs);
  chownSync(theirs, USER, USER);
  chmodSync(dir, 0o777);
  asRoot(theirs);
  chmodSync(dir, 0o755);
  const grown = ["log/messages", "data/records"].flatMap((name) => [
    "--accept-file",
    join(dir, "meanwhile", name),
  ]);
  const { restored, refused } = await changedMeanwhile(
    image,
    theirs,
    ["overwrite", "swap"],
    ["--backend", "slim", ...grown],
  );
  assert.ok(restored > 0 && refused > 0, `${restored} restored, ${refused} refused`);
});

test("a directory of the owner that becomes a link between check and start gives no file of root's", async () => {
  const { image } = await usersImage("swapped");
  const theirs = join(dir, "swapped/log");
  const roots = join(dir, "roots-log");
  mkdirSync(roots, { mode: 0o700 });
  copyFileSync(join(theirs, "messages"), join(roots, "messages"));
  chmodSync(join(roots, "messages"), 0o600);
  const before = snapshot(roots);
  const grown = ["log/messages", "data/records"].flatMap((name) => [
    "--accept-file",
    join(dir, "swapped", name),
  ]);
  const args = ["restore", image, "--backend", "slim", "--detach", ...grown];
  let refused = 0;
  for (let step = 1, isDone = false; !isDone; step++) {
    const env = atStep(step, `swap=${theirs}=${roots}`, "openSync");
    const { code, stdout, stderr } = await crimg(args, { program: other.crimg, env });
    isDone = !existsSync(`${theirs}.aside`);
    assert.not.match(stderr, /internal error|^\s+at /m);
    if (code === 0) {
      const pid = rootOf(stdout);
      const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      assert.not.ok(
        open.some((path) => path.startsWith(roots)),
        `before call ${step}: ${open}`,
      );
      process.kill(pid, "SIGKILL");
      await until("its end", () => statusGone(pid));
    } else if (/open .*EACCES|permission/i.test(stderr)) refused++;
    assert.equal(snapshot(roots), before, `before call ${step}`);
    if (isDone) assert.is(code, 0, stdout + stderr);
    else {
      unlinkSync(theirs);
      renameSync(`${theirs}.aside`, theirs);
    }
    assert.ok(step < 60, stderr);
  }
  assert.ok(refused > 0, "the kernel refused none");
});

/** What a program of root's has beyond its uid is granted. */
const NOT_UIDS = RIGHT_NAMES.filter((name) => name !== "uid").join(",");

test("a set of criu whose owner changes it between check and start is restored as it was checked, or refused", async () => {
  const criu = needCriu();
  const work = usersDirectory("criu-meanwhile");
  const live = await startProgram("logger", work);
  const [image, theirs] = [join(work, "set"), join(dir, "criu-meanwhile-root")];
  mkdirSync(theirs);
  const dumped = spawnSync(criu, ["dump", "-t", `${live.pid}`, "-D", theirs, ...live.options.dump], {
    encoding: "utf8",
  });
  assert.is(dumped.status, 0, dumped.stderr);
  cpSync(theirs, image, { recursive: true });
  const uids = ["uid", "euid", "suid", "fsuid"].map((field) => `${field}=${USER}`);
  const caps = ["cap_prm", "cap_eff"].map((field) => `${field}=[0,0]`);
  const sets = [...uids, ...caps].flatMap((field) => [
    "--set",
    `core-${live.pid}.img[0].thread_core.creds.${field}`,
  ]);
  const edited = await crimg(["edit", image, ...sets, "--in-place"]);
  assert.is(edited.code, 0, edited.stdout + edited.stderr);
  rmSync(join(image, "crimg-edits.jsonl"));
  give(work);
  const { restored, refused } = await changedMeanwhile(
    image,
    theirs,
    ["overwrite"],
    ["--backend", "criu", "--criu", criu, "--force", "--allow-rights", NOT_UIDS],
  );
  assert.ok(restored > 0 && refused > 0, `${restored} restored, ${refused} refused`);
});

test("what root owns is restored as ever, in a directory of root's alone", async () => {
  const work = join(dir, "own");
  mkdirSync(work);
  const live = await startProgram("logger", work);
  const image = join(dir, "own.ckpt");
  await checkpointed(live, image);
  const elsewhere = join(usersDirectory("elsewhere"), "own.ckpt");
  copyFileSync(image, elsewhere);
  const refused = await crimg(["restore", elsewhere, "--backend", "slim", "--dry-run"]);
  assert.is(refused.code, 1, "root's image in a directory of a user could have been put there by him");
  assert.match(refused.stdout, /needs uid 0/);
  const { code, stdout, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.is(code, 0, stdout + stderr);
  await kill(live);
});

test("a set of criu: refused, and granted", async () => {
  const criu = needCriu();
  const work = join(dir, "criu");
  mkdirSync(work);
  const live = await startProgram("logger", work);
  const images = join(dir, "criu-images");
  mkdirSync(images);
  const dumped = spawnSync(criu, ["dump", "-t", `${live.pid}`, "-D", images, ...live.options.dump], {
    encoding: "utf8",
  });
  assert.is(dumped.status, 0, dumped.stderr);
  const theirs = join(usersDirectory("users-set"), "set");
  cpSync(images, theirs, { recursive: true });
  for (const path of [theirs, ...readdirSync(theirs).map((name) => join(theirs, name))])
    chownSync(path, USER, USER);
  const restore = (...args: string[]) =>
    crimg(["restore", theirs, "--backend", "criu", "--detach", ...args], { env: { CRIMG_CRIU: criu } });
  const printed = await restore("--print");
  assert.is(printed.code, 1);
  const refused = await restore();
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /needs uid 0/);
  const asOwner = await restore("--as-owner");
  assert.is(asOwner.code, 2);
  assert.match(asOwner.stderr, /criu requires root/);
  const granted = await restore("--allow-rights", "all");
  assert.is(granted.code, 0, granted.stdout + granted.stderr);
  assert.equal(statusOf(live.pid, "Uid"), ["0 0 0 0"]);
  assert.is(lstatSync(theirs).uid, USER);
  await kill(live);
});

test.run();
