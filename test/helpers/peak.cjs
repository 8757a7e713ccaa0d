// Loaded with node --require: leaves the peak of the process's memory, in bytes, and its processor time in the file that
// CRIMG_TEST_PEAK names. (The maxRSS of getrusage(2) would count the memory of the process that started this one, too.)
process.on("exit", () => {
  const fs = require("node:fs");
  const [, kib] = /VmHWM:\s*(\d+) kB/.exec(fs.readFileSync("/proc/self/status", "utf8"));
  const { user, system } = process.cpuUsage();
  const peak = { bytes: Number(kib) * 1024, cpuSeconds: (user + system) / 1e6 };
  fs.writeFileSync(process.env.CRIMG_TEST_PEAK, JSON.stringify(peak));
});
