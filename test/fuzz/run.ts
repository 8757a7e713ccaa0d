// npm run fuzz -- [--mutants N] [--seed S] [--family F] [--operation NAME] [--every N] [--seconds N] [--jobs N]
// npm run fuzz -- --seed S --family F --mutant I [--step K] [--operation NAME]
// Tries mutants of all that crimg reads; status 1 when one of them does not end in a value or an error of crimg.
import { parseArgs } from "node:util";
import { campaign, type Fault, faultText } from "./campaign.js";
import { FAMILIES } from "./families.js";

const NIGHTLY = 20_000;
const text = { type: "string" } as const;
const { values } = parseArgs({
  options: {
    ...{ mutants: text, seed: text, family: text, operation: text },
    ...{ mutant: text, step: text, every: text, seconds: text, jobs: text },
  },
});

function numberOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  throw new Error(`${JSON.stringify(value)} is no number`);
}

if (values.family !== undefined && !FAMILIES.some(({ name }) => name === values.family))
  throw new Error(`${values.family} is no family; those are ${FAMILIES.map(({ name }) => name).join(", ")}`);
const seed = values.seed ?? String(Date.now());
const mutants = numberOf(values.mutants) ?? NIGHTLY;
console.log(`seed ${seed}`);

/** Where a fault comes from; of many that come from one place, the first is told in full. */
function placeOf({ what }: Fault): string {
  const [first = "", frame = ""] = what.split("\n");
  return `${first.replace(/\d+/g, "N")} ${frame}`;
}

const places = new Map<string, number>();
const outcome = await campaign(
  {
    ...{ seed, mutants, family: values.family, operation: values.operation, mutant: numberOf(values.mutant) },
    ...{
      step: numberOf(values.step),
      every: numberOf(values.every),
      seconds: numberOf(values.seconds),
      jobs: numberOf(values.jobs),
    },
  },
  (fault) => {
    const place = placeOf(fault);
    const count = (places.get(place) ?? 0) + 1;
    places.set(place, count);
    if (count === 1) console.log(`\n${faultText(seed, fault)}`);
  },
);

if (places.size > 0) console.log("");
for (const [place, count] of places) console.log(`${count} times: ${place.slice(0, 300)}`);
console.log(`${outcome.mutants} mutants, ${outcome.operations} operations, ${outcome.faults.length} faults`);
process.exitCode = outcome.faults.length > 0 || outcome.mutants === 0 ? 1 : 0;
