// Run by the build: uses the program once, so that V8 has compiled what a start needs, and keeps the compiled code.
"use strict";

const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { PROGRAM, chunks, load } = require("../bin/load.js");

const USES = [["--help"], ["completion", "bash"], ["completion", "zsh", "--json"], ["completion", "--help"]];

(async () => {
  const { main } = load("main.js");
  for (const argv of USES) await main(argv);
  for (const [name, { script }] of chunks)
    writeFileSync(join(PROGRAM, `${name}.cache`), script.createCachedData());
})();
