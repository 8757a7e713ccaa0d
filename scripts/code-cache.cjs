// Run by the build: uses the program as users do, so that V8 has compiled what a start needs, and keeps the compiled
// code beside each chunk. A use that ends in trouble fails the build.
"use strict";

const { readdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { PROGRAM, chunks, load } = require("../bin/load.js");
const { commands } = require("../oclif.manifest.json");

const SET = "fixtures/criu/locks";
const VIEWS = ["", "tree", "fds", "files", "maps", "rss", "locks", "sockets", "signals", "env"];
const USES = [
  ["--help"],
  ["show", "--help"],
  ["completion", "bash"],
  ...VIEWS.map((view) => ["show", SET, ...(view ? [view] : [])]),
  ["show", SET, "fds", "--json"],
  ["info", `${SET}/files.img`],
  ["x", SET, "ps"],
  ["decode", "--pretty", `${SET}/files.img`],
  ["decode", `${SET}/pagemap-1000.img`],
  ["dump", `${SET}/pstree.img`],
  ["find", SET, "locks"],
  ["validate", SET],
  ["diff", SET, "fixtures/criu/logger"],
  ["edit", SET, "--remap-path", "/var=/srv", "--dry-run"],
  ["restore", SET, "--print"],
].filter(([first]) => first.startsWith("-") || first in commands);

async function use() {
  const { main } = load("main.js");
  for (const argv of USES) {
    await main(argv);
    if (process.exitCode === 2) throw new Error(`crimg ${argv.join(" ")} failed`);
    process.exitCode = 0;
    process.removeAllListeners("uncaughtException"); // each use sets its own
  }
}

async function keep() {
  for (const name of readdirSync(PROGRAM).filter((each) => each.endsWith(".js"))) load(name);
  await use();
  for (const [name, { script }] of chunks)
    writeFileSync(join(PROGRAM, `${name}.cache`), script.createCachedData());
}

keep().catch((error) => {
  console.error(error);
  process.exit(1);
});
