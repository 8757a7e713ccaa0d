/** While root edits an image, its owner and others act at the worst moment: between two calls that change files. */
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { atStep, NAMING } from "../helpers/at-step.js";
import { type CliResult, CRIMG } from "../helpers/cli.js";
import { interrupt } from "../helpers/leftovers.js";
import { cleanUp, statOf, until } from "../helpers/live.js";
import { needsRoot } from "../helpers/needs.js";
import { imageDigest, snapshot } from "../helpers/snapshot.js";
import { FAMILIES, type Family, type StrangersImage, strangersImage } from "../helpers/strangers-image.js";
import { skip, suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";

const test = suite("an image of another user who acts meanwhile", {}, 600);
test.before(() => needsRoot("working on what another user changes meanwhile"));
test.after(cleanUp);

type Writing = "edit" | "undo" | "recover";

/** The image before, the command, and the digests that the image may have after it. */
interface Run {
  readonly at: StrangersImage;
  readonly args: readonly string[];
  readonly digests: readonly string[];
}

async function prepare(family: Family, command: Writing): Promise<Run> {
  const at = strangersImage(family, command === "recover" ? "a sticky directory" : "a stranger's directory");
  const { edit } = FAMILIES[family];
  const old = imageDigest(at.image);
  if (command === "recover") await interrupt(at.image, edit, "mixed");
  if (command === "undo") assert.is((await warmCrimg(["edit", at.image, ...edit, "--in-place"])).code, 0);
  const digests = command === "edit" ? [old] : [old, imageDigest(at.image)];
  const args = command === "edit" ? ["edit", at.image, ...edit, "--in-place"] : [command, at.image];
  return { at, args, digests };
}

function isOneSentence({ code, stderr }: CliResult, what: string): void {
  assert.not.match(stderr, /internal error|^\s+at /m, what);
  assert.ok(code === 0 || code === 2, what);
  if (code === 2) assert.is(stderr.trimEnd().split("\n").length, 1, what);
}

const FAMILY_NAMES = ["set", "stream"] as const;

for (const family of FAMILY_NAMES)
  for (const command of ["edit", "undo", "recover"] as const) {
    test(`the directory of a ${family} becomes a link to root's, before each step of ${command}`, async () => {
      let steps = 0;
      for (let isDone = false; !isDone; steps++) {
        const { at, args, digests } = await prepare(family, command);
        const outside = snapshot(at.outside);
        const decoy = path.join(at.outside, "decoy");
        const env = atStep(steps + 1, `swap=${at.beside}=${decoy}`, NAMING);
        const result = await warmCrimg(args, { env });
        const aside = `${at.beside}.aside`;
        isDone = !fs.existsSync(aside);
        const what = `step ${steps + 1}: ${result.stderr}`;
        isOneSentence(result, what);
        assert.equal(snapshot(at.outside), outside, what);
        if (isDone) continue;
        fs.unlinkSync(at.beside);
        fs.renameSync(aside, at.beside);
        const recovery = await warmCrimg(["recover", at.image, "--force"]);
        assert.is(recovery.code, 0, `${what}${recovery.stderr}`);
        if (result.code !== 0) assert.ok(digests.includes(imageDigest(at.image)), what);
      }
      assert.ok(steps > 5, `${steps} steps`);
      process.stdout.write(`${steps - 1} swaps `);
    });

    test(`each name that ${command} of a ${family} makes is a link to root's file already`, async () => {
      let steps = 0;
      for (let isDone = false; !isDone; steps++) {
        const { at, args } = await prepare(family, command);
        const outside = snapshot(at.outside);
        const planted = path.join(at.top, "planted");
        const env = {
          ...atStep(steps + 1, `links=${path.join(at.outside, "secret")}`),
          CRIMG_TEST_PLANTED: planted,
        };
        const result = await warmCrimg(args, { env });
        isDone = !fs.existsSync(planted);
        isOneSentence(result, `name ${steps + 1}: ${result.stderr}`);
        assert.equal(snapshot(at.outside), outside, `name ${steps + 1}`);
      }
      process.stdout.write(`${steps - 1} links `);
    });
  }

/** Starts an edit in place and stops it before its k-th rename. */
async function stoppedEdit({ at, args }: Run, rename: number) {
  const env = { ...process.env, ...atStep(rename, "stop", "renameSync") };
  const child = spawn(process.execPath, [CRIMG, ...args], { env, stdio: "ignore" });
  const pid = child.pid as number;
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  await until("the stop", () => statOf(pid)?.state === "T" || child.exitCode !== null);
  assert.is(child.exitCode, null, at.image);
  return { pid, ended };
}

/** Renames of an edit in place: owner, lock, commit, file, log. */
for (const family of FAMILY_NAMES)
  test(`crimg in another pid namespace leaves the edit of a ${family} that runs alone`, async () => {
    for (const rename of [2, 3, 4, 5]) {
      const run = await prepare(family, "edit");
      const { pid, ended } = await stoppedEdit(run, rename);
      const before = snapshot(run.at.top);
      const isMixed = rename > 3;
      try {
        for (const [command, ...rest] of [["show"], ["recover"], ["recover", "--force"], ["undo"]]) {
          const args = ["-pf", process.execPath, CRIMG, command as string, run.at.image, ...rest];
          const { status, stderr, error } = spawnSync("unshare", args, { encoding: "utf8" });
          if (error !== undefined || /unshare failed/.test(stderr)) skip("no pid namespace can be made here");
          const what = `${args.slice(3).join(" ")} before rename ${rename}: ${stderr}`;
          assert.equal(snapshot(run.at.top), before, what);
          if (command === "show" && !isMixed) assert.is(status, 0, what);
          else if (command !== "show" && rename === 2) assert.ok(status === 0 || status === 2, what);
          else assert.match(stderr, /editing this image|was interrupted|edit of this image/, what);
        }
      } finally {
        process.kill(pid, "SIGCONT");
      }
      assert.is(await ended, 0);
      const log = await warmCrimg(["log", run.at.image]);
      assert.is(log.code, 0, log.stderr);
    }
  });

function setImmutable(file: string, isOn: boolean): boolean {
  return spawnSync("chattr", [isOn ? "+i" : "-i", file]).status === 0;
}

/** The file that comes second in the record of an edit. */
function secondOf({ lock }: StrangersImage): string {
  return JSON.parse(fs.readFileSync(path.join(lock, "commit"), "utf8")).files[1].name;
}

for (const when of ["before the edit", "in the middle of its renames"])
  test(`an immutable file, ${when}: the edit is taken back, and the set can be shown`, async () => {
    const run = await prepare("set", "edit");
    const { image } = run.at;
    const extra = [...run.args, "--remap-path", "/var=/srv/elsewhere"];
    const isMiddle = when !== "before the edit";
    const { pid, ended } = isMiddle
      ? await stoppedEdit({ ...run, args: extra }, 5)
      : { pid: 0, ended: undefined };
    const file = path.join(image, isMiddle ? secondOf(run.at) : "core-1000.img");
    if (!setImmutable(file, true)) {
      if (pid !== 0) process.kill(pid, "SIGKILL");
      skip("this file system has no immutable files");
    }
    try {
      if (ended === undefined) {
        const { code, stderr } = await warmCrimg(extra);
        assert.is(code, 2);
        assert.match(stderr, /the edit was rolled back, no file was changed/);
      } else {
        process.kill(pid, "SIGCONT");
        assert.is(await ended, 2);
      }
      const show = await warmCrimg(["show", image]);
      assert.is(show.code, 0, show.stderr);
      // A name that the edit gave to an immutable file stays until that can be removed; a look does not mind.
      if (!isMiddle) assert.not.ok(fs.existsSync(run.at.lock));
    } finally {
      setImmutable(file, false);
    }
    assert.is(imageDigest(image), run.digests[0]);
    assert.is((await warmCrimg(extra)).code, 0);
    assert.not.ok(fs.existsSync(run.at.lock));
  });

test.run();
