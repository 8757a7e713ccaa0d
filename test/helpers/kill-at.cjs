// Preloaded into crimg: acts right before its CRIMG_TEST_KILL_AT-th call that changes the file system. Without such a call
// left the program runs to its end. What it does, CRIMG_TEST_ACT:
//   kill (the default)   ends it as a power cut would
//   stop                 SIGSTOP, for whoever comes meanwhile
//   swap=PATH=VICTIM     PATH becomes a symbolic link to VICTIM, as its owner could make it
//   overwrite=PATH=OTHER the file or directory PATH gets the bytes of OTHER, as its owner could write them
//   run|PROGRAM|ARG|…    another program runs, and ends
//   links=VICTIM         the k-th name that is to be made where others could make one is a link to VICTIM already; its path
//                        is written to the file CRIMG_TEST_PLANTED, as is how the other program ended
// CRIMG_TEST_CALLS names the calls that count, with commas, those of READING too; all of CHANGING otherwise.
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const { dirname } = require("node:path");
const { spawnSync } = require("node:child_process");

const CHANGING = [
  ...["openSync", "writeSync", "writeFileSync", "ftruncateSync", "fsyncSync", "closeSync", "copyFileSync"],
  ...["mkdirSync", "renameSync", "linkSync", "unlinkSync", "rmSync", "rmdirSync", "chmodSync", "fchmodSync"],
  ...["fchownSync", "symlinkSync"],
];
const READING = ["readSync"];
const CREATING = ["openSync", "mkdirSync", "copyFileSync", "symlinkSync", "linkSync"];
const original = Object.fromEntries([...CHANGING, ...READING].map((name) => [name, fs[name]]));
let [counted, act, paths, left] = [CHANGING, "kill", [], Number.NaN];

/** What the environment says now; a process that runs crimg again and again arms it for each run (warm.cjs). */
function arm() {
  const { CRIMG_TEST_CALLS, CRIMG_TEST_ACT = "kill", CRIMG_TEST_KILL_AT } = process.env;
  counted = CRIMG_TEST_CALLS?.split(",") ?? CHANGING;
  [act, ...paths] = CRIMG_TEST_ACT.split(CRIMG_TEST_ACT.startsWith("run|") ? "|" : "=");
  left = Number(CRIMG_TEST_KILL_AT);
}
arm();
module.exports = { arm };

function swap(path, victim) {
  original.renameSync(path, `${path}.aside`);
  original.symlinkSync(victim, path);
}

function run([program, ...args]) {
  const { NODE_OPTIONS, ...env } = process.env;
  const { status, stderr } = spawnSync(program, args, { env, encoding: "utf8" });
  original.writeFileSync(process.env.CRIMG_TEST_PLANTED, `${status} ${stderr}`);
}

/** Into the very files that are there, which may be open. */
function overwrite(path, other) {
  if (fs.statSync(path).isDirectory())
    for (const name of fs.readdirSync(other)) overwrite(`${path}/${name}`, `${other}/${name}`);
  else original.writeFileSync(path, fs.readFileSync(other));
}

/** Where a call makes something that must not be there yet. */
function madeBy(name, args) {
  if (name === "openSync") return /x/.test(flagsOf(args[1])) ? args[0] : undefined;
  return name === "mkdirSync" ? args[0] : args[1];
}

function plant(path) {
  original.symlinkSync(paths[0], path);
  original.writeFileSync(process.env.CRIMG_TEST_PLANTED, path);
}

/** Files are opened and closed to be read as well. */
function isCounted(name, args) {
  if (name === "openSync" && !/[wax+]/.test(flagsOf(args[1]))) return false;
  return act === "links" ? planted(name, args) !== undefined : counted.includes(name);
}

/** Numeric flags in the way of the words. */
function flagsOf(flags = "r") {
  if (typeof flags === "string") return flags;
  const { O_CREAT, O_EXCL, O_RDWR, O_WRONLY } = fs.constants;
  return `${flags & (O_RDWR | O_WRONLY | O_CREAT) ? "w" : "r"}${flags & O_EXCL ? "x" : ""}`;
}

/** Whether another user could make a name there. */
function isOpen(directory) {
  const { uid, mode } = fs.statSync(directory);
  return uid !== 0 || (mode & 0o22) !== 0;
}

/** The name that a call is to make and that another user could have made before; undefined for none. */
function planted(name, args) {
  const path = CREATING.includes(name) ? madeBy(name, args) : undefined;
  if (typeof path !== "string" || !isOpen(dirname(path))) return undefined;
  return fs.lstatSync(path, { throwIfNoEntry: false }) ? undefined : path;
}

for (const name of [...CHANGING, ...READING]) {
  fs[name] = (...args) => {
    if (isCounted(name, args) && --left === 0) {
      if (act === "kill") process.kill(process.pid, "SIGKILL");
      else if (act === "stop") process.kill(process.pid, "SIGSTOP");
      else if (act === "swap") swap(...paths);
      else if (act === "run") run(paths);
      else if (act === "overwrite") overwrite(...paths);
      else if (act === "links") plant(planted(name, args));
    }
    return original[name](...args);
  };
}
syncBuiltinESMExports();
