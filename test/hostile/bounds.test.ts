import { rmSync } from "node:fs";
import * as assert from "uvu/assert";
import type { HostileInput } from "../helpers/bounds/build.js";
import { IMAGE_WAYS, type Way } from "../helpers/bounds/commands.js";
import { SETS } from "../helpers/bounds/sets.js";
import { CONVERTED, FILES } from "../helpers/bounds/streams.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { MAX_MEBIBYTES, maxCpuSeconds, measured } from "../helpers/measured.js";
import { suite } from "../helpers/suite.js";

/** CRIMG_BOUNDS=all runs every input through every command; without it the pairs that once were the worst. */
const ALL = process.env.CRIMG_BOUNDS === "all";

const test = suite("hostile: bounds of memory and time", undefined, ALL ? 3600 : 300);
test.after(cleanUp);

for (const input of [...SETS.map((set) => ({ ...set, ways: IMAGE_WAYS })), ...FILES]) {
  const runsAlways = ({ name }: Way): boolean =>
    input.worst.includes(name) || (name === "convert" && CONVERTED.has(input.name));
  const ways = input.ways.filter((way) => ALL || runsAlways(way));
  if (ways.length > 0) test(input.name, () => staysWithin(input, ways));
}

/** Every command ends with an answer or one sentence, within the bounds; all that do not are told together. */
async function staysWithin({ make, image: file }: HostileInput, ways: readonly Way[]): Promise<void> {
  const directory = freshDirectory("bounds");
  const image = make(directory);
  const beyond: string[] = [];
  for (const { name, args } of ways) {
    const scratch = freshDirectory("scratch");
    const { code, stderr, mebibytes, cpuSeconds } = await measured(args(image, scratch, file), 120);
    rmSync(scratch, { recursive: true });
    if (mebibytes > MAX_MEBIBYTES || cpuSeconds > maxCpuSeconds())
      beyond.push(`${name}: ${Math.round(mebibytes)} MiB, ${cpuSeconds.toFixed(1)} s`);
    if ((code !== 0 && code !== 1 && code !== 2) || /internal error|\n {4}at /.test(stderr))
      beyond.push(`${name}: exit ${code}: ${stderr.slice(0, 400)}`);
  }
  rmSync(directory, { recursive: true });
  assert.equal(beyond, []);
}

test.run();
