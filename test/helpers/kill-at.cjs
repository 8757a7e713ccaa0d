// Preloaded into crimg: kills it right before its CRIMG_TEST_KILL_AT-th call that changes the file system, as a power
// cut would. Without such a call left it runs to its end.
const fs = require("node:fs");

const CHANGING = [
  ...["openSync", "writeSync", "writeFileSync", "ftruncateSync", "fsyncSync", "closeSync", "copyFileSync"],
  ...["mkdirSync", "renameSync", "linkSync", "unlinkSync", "rmSync", "rmdirSync", "chmodSync", "fchmodSync"],
];
let left = Number(process.env.CRIMG_TEST_KILL_AT);
for (const name of CHANGING) {
  const original = fs[name];
  fs[name] = (...args) => {
    // Files are opened and closed to be read as well.
    if (name !== "openSync" || /[wax+]/.test(String(args[1] ?? "r"))) {
      left--;
      if (left === 0) process.kill(process.pid, "SIGKILL");
    }
    return original(...args);
  };
}
