"use strict";

// Loads the bundled program from dist/cli with V8's compiled code beside each chunk, which halves the start-up.
// A cache that another version of Node wrote is refused by V8 and costs only the time it would have saved.

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

// Memory within bounds for hostile images: V8 lets a heap grow to four times of what lives in it (here: 1.5), its young
// part to 48 MiB (here: 3), and goes on allocating while other threads mark what lives, on a busy machine without end.
// V8 takes only code that was compiled with the same flags, so this comes first here and in the build.
setFlagsFromString("--heap-growing-percent=50");
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--no-concurrent-marking");

const PROGRAM = join(__dirname, "../dist/cli");

/** Chunk name → { exports, script }. */
const chunks = new Map();

function load(name) {
  const known = chunks.get(name);
  if (known) return known.exports;
  const file = join(PROGRAM, name);
  const script = new Script(source(file), { filename: file, cachedData: read(`${file}.cache`) });
  const chunk = { exports: {}, script };
  chunks.set(name, chunk);
  const resolve = (id) => (id.startsWith("./") ? load(id.slice(2)) : builtin(id));
  script.runInThisContext()(chunk, chunk.exports, resolve, PROGRAM);
  return chunk.exports;
}

/** Modules of Node that most runs never use and that take milliseconds to load: loaded at their first use. */
const LAZY = /^(node:)?(child_process|crypto|fs\/promises|perf_hooks|readline)$/;

function builtin(id) {
  if (!LAZY.test(id)) return require(id);
  const descriptor = (key) => Reflect.getOwnPropertyDescriptor(require(id), key);
  return new Proxy(Object.create(null), {
    get: (_, key) => (key === "__esModule" ? undefined : require(id)[key]),
    has: (_, key) => key in require(id),
    ownKeys: () => Reflect.ownKeys(require(id)),
    getOwnPropertyDescriptor: (_, key) => descriptor(key) && { ...descriptor(key), configurable: true },
  });
}

function source(file) {
  const text = read(file)?.latin1Slice();
  if (text !== undefined) return text;
  process.stderr.write("error: crimg is not built; run `npm ci` in its directory\n");
  process.exit(2);
}

function read(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

module.exports = { PROGRAM, chunks, load };
