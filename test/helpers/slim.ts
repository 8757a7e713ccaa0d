import * as assert from "uvu/assert";
import { type CliResult, crimg } from "./cli.js";
import { goesOn, type Live, type LiveProgram, progress, startProgram, statOf, until } from "./live.js";
import { needsRoot } from "./needs.js";
import { skip } from "./suite.js";

/** Ends the running suite where the slim backend cannot do all it is asked for in tests. */
export function needsSlim(): void {
  needsRoot("tracing tasks and choosing their ids");
  if (process.arch !== "x64") skip("the slim backend supports x86-64 only");
}

/** `crimg checkpoint`, which must succeed and end the tree. */
export async function checkpointed({ pid }: Live, image: string): Promise<void> {
  const { code, stdout, stderr } = await crimg(["checkpoint", String(pid), "-o", image]);
  assert.is(code, 0, `checkpoint: ${stdout}${stderr}`);
  await until("the end of the program", () => (statOf(pid)?.state ?? "Z") === "Z");
}

/** `crimg restore` with the slim backend, which must succeed. */
export async function restored(image: string): Promise<void> {
  const { code, stdout, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.is(code, 0, `restore: ${stdout}${stderr}`);
}

/** What `crimg checkpoint` says of a tree that it refuses. */
export async function refusal({ pid }: Live, image: string): Promise<CliResult> {
  const result = await crimg(["checkpoint", String(pid), "-o", image]);
  assert.is(result.code, 1, result.stdout + result.stderr);
  return result;
}

/**
 * Starts a live program of `test/programs` in `dir`, checkpoints and restores it so many times, and lets the program
 * itself say whether it found anything changed.
 */
export async function survives(name: string, dir: string, cycles = 1): Promise<LiveProgram> {
  const live = await startProgram(name, dir);
  await goesOn(live.log, 3);
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const image = `${dir}.${cycle}.ckpt`;
    await checkpointed(live, image);
    const { ticks } = progress(live.log);
    await restored(image);
    await goesOn(live.log, 6);
    const now = progress(live.log);
    assert.equal(now.failures, [], `after cycle ${cycle}`);
    assert.ok(now.ticks > ticks);
  }
  return live;
}
