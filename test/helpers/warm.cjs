// Runs the built crimg again and again in one process, for tests of what it does and not of how it starts. Its argument is a
// build's directory `bin`; each message {args, cwd, env} is a command line, answered with {code}. Descriptors 1 and 2 are
// files, empty before each run.
const fs = require("node:fs");
const { join } = require("node:path");

const { arm } = require("./kill-at.cjs");

const { main } = require(join(process.argv[2], "load.js")).load("main.js");

async function run({ args, cwd, env }) {
  for (const fd of [1, 2]) fs.ftruncateSync(fd, 0);
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exitCode = undefined;
  arm();
  await main(args);
  process.removeAllListeners("uncaughtException");
  const code = process.exitCode ?? 0;
  process.exitCode = undefined;
  process.send({ code });
}

process.on("message", run);
process.on("disconnect", () => process.exit(0));
