// A process that makes and tries mutants; `campaign.ts` starts it, reads what it says line by line, and ends it when it
// hangs. Its argument is a Batch as JSON.
import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "./attempt.js";
import type { Batch, Fault, Said } from "./campaign.js";
import { FAMILIES } from "./families.js";
import type { Family, Mutant, Operation } from "./family.js";
import { Random } from "./random.js";

const batch = JSON.parse(process.argv[2] as string) as Batch;
const family = FAMILIES.find(({ name }) => name === batch.family) as Family;

function say(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`);
}

/** Makes a mutant in a directory of its own, lets `use` have it, and removes it. */
async function withMutant<T>(
  index: number,
  only: number | undefined,
  use: (mutant: Mutant) => Promise<T>,
): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), "crimg-fuzz-"));
  try {
    const random = new Random(`${batch.seed}/${batch.family}/${index}`);
    return await use(family.mutant({ random, scratch, only }));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function wanted({ operations }: Mutant, index: number): Operation[] {
  const { operation, every = 1 } = batch;
  if (operation !== undefined) return operations.filter(({ name }) => name.startsWith(operation));
  return operations.filter((_, i) => (i + index) % every === 0);
}

/** The first step that by itself makes the same operation fail in the same way; undefined when it takes several. */
async function stepThatMatters(index: number, found: Fault): Promise<number | undefined> {
  const summary = found.what.split("\n", 1)[0];
  for (let step = 0; step < found.steps.length - 1; step++) {
    const same = await withMutant(index, step, async ({ operations }) => {
      const operation = operations.find(({ name }) => name === found.operation);
      return operation !== undefined && (await attempt(operation))?.split("\n", 1)[0] === summary;
    });
    if (same) return step;
  }
  return undefined;
}

async function tryMutant(index: number): Promise<void> {
  const faults = await withMutant(index, batch.step, async (mutant) => {
    const found: Fault[] = [];
    const before = mutant.digest?.();
    let operations = 0;
    for (const operation of wanted(mutant, index)) {
      say({ index, operation: operation.name });
      operations++;
      const what = await attempt(operation);
      if (what !== undefined)
        found.push({ family: batch.family, index, operation: operation.name, steps: mutant.steps, what });
    }
    if (mutant.digest?.() !== before)
      found.push({
        family: batch.family,
        index,
        operation: "any",
        steps: mutant.steps,
        what: "broken: a source was changed",
      });
    say({ index, operations });
    return found;
  });
  for (const fault of faults) {
    const step =
      fault.steps.length > 2 && batch.step === undefined ? await stepThatMatters(index, fault) : undefined;
    say({ index, fault: { ...fault, step } });
  }
}

for (let index = batch.from; index < batch.to; index++) await tryMutant(index);
