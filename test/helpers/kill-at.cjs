// Preloaded into crimg: acts right before its CRIMG_TEST_KILL_AT-th call that changes the file system. Without such a call
// left the program runs to its end. What it does, CRIMG_TEST_ACT:
//   kill (the default)   ends it as a power cut would
//   stop                 SIGSTOP, for whoever comes meanwhile
//   swap=PATH=VICTIM     PATH becomes a symbolic link to VICTIM, as its owner could make it
//   links=VICTIM         the name that the call is to make becomes a link to VICTIM
// CRIMG_TEST_CALLS names the calls that count, with commas; all of CHANGING otherwise.
const fs = require("node:fs");

const CHANGING = [
  ...["openSync", "writeSync", "writeFileSync", "ftruncateSync", "fsyncSync", "closeSync", "copyFileSync"],
  ...["mkdirSync", "renameSync", "linkSync", "unlinkSync", "rmSync", "rmdirSync", "chmodSync", "fchmodSync"],
  ...["fchownSync", "symlinkSync"],
];
const CREATING = ["openSync", "mkdirSync", "copyFileSync", "symlinkSync", "linkSync"];
const counted = process.env.CRIMG_TEST_CALLS?.split(",") ?? CHANGING;
const [act = "kill", ...paths] = (process.env.CRIMG_TEST_ACT ?? "kill").split("=");
const original = Object.fromEntries(CHANGING.map((name) => [name, fs[name]]));
const isLinks = act === "links";
let left = Number(process.env.CRIMG_TEST_KILL_AT);

function swap(path, victim) {
  original.renameSync(path, `${path}.aside`);
  original.symlinkSync(victim, path);
}

/** Where a call makes something that must not be there yet. */
function madeBy(name, args) {
  if (name === "openSync") return /x/.test(String(args[1])) ? args[0] : undefined;
  return ["mkdirSync"].includes(name) ? args[0] : args[1];
}

function plant(name, args) {
  if (!CREATING.includes(name)) return;
  const path = madeBy(name, args);
  if (typeof path === "string" && !fs.lstatSync(path, { throwIfNoEntry: false }))
    original.symlinkSync(paths[0], path);
}

for (const name of CHANGING) {
  fs[name] = (...args) => {
    // Files are opened and closed to be read as well.
    const isChange = name !== "openSync" || /[wax+]/.test(String(args[1] ?? "r"));
    if (isChange && counted.includes(name)) {
      left--;
      if (left === 0) {
        if (act === "kill") process.kill(process.pid, "SIGKILL");
        else if (act === "stop") process.kill(process.pid, "SIGSTOP");
        else if (act === "swap") swap(...paths);
        else if (isLinks) plant(name, args);
      }
    }
    return original[name](...args);
  };
}
