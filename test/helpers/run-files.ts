// The child of test/run.ts: runs the test files named on its command line one after another in this process.
import { pathToFileURL } from "node:url";

const uvu = globalThis as unknown as { UVU_DEFER: number; UVU_INDEX: number; UVU_QUEUE: unknown[][] };
uvu.UVU_DEFER = 1;
const { exec } = await import("uvu"); // after UVU_DEFER, which it reads at import
await import("./suite.js");

let broken = false;
for (const [index, file] of process.argv.slice(2).entries()) {
  uvu.UVU_INDEX = index;
  uvu.UVU_QUEUE[index] = [file];
  try {
    await import(pathToFileURL(file).href);
    if (uvu.UVU_QUEUE[index]?.length === 1) throw new Error("the file starts no suite");
  } catch (error) {
    broken = true;
    process.stderr.write(`FAIL ${file}: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
}
await exec();
if (broken) process.exitCode = 1;
