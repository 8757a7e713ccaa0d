// Runs the built crimg again and again in one process: its arguments are a build's directory `bin` and a file of command
// lines as JSON, a list of lists. Before each one its number goes to stderr in a line of its own, and after it its cost to
// descriptor 3, as a line of JSON: code, bytes (peak of the resident memory), cpuSeconds.
const fs = require("node:fs");
const { join } = require("node:path");

const [, , bin, file] = process.argv;
const { main } = require(join(bin, "load.js")).load("main.js");

async function run(args) {
  globalThis.gc();
  // The peak starts anew: see proc_pid_clear_refs(5).
  fs.writeFileSync("/proc/self/clear_refs", "5");
  const before = process.cpuUsage();
  process.exitCode = undefined;
  await main(args);
  process.removeAllListeners("uncaughtException");
  const { user, system } = process.cpuUsage(before);
  const [, kib] = /VmHWM:\s*(\d+) kB/.exec(fs.readFileSync("/proc/self/status", "utf8"));
  return { code: process.exitCode ?? 0, bytes: Number(kib) * 1024, cpuSeconds: (user + system) / 1e6 };
}

async function runAll() {
  const list = JSON.parse(fs.readFileSync(file, "utf8"));
  for (const [i, args] of list.entries()) {
    fs.writeSync(2, `\0${i}\n`);
    fs.writeSync(3, `${JSON.stringify(await run(args))}\n`);
  }
  process.exit(0);
}

runAll();
