import { constants as fs, readFileSync } from "node:fs";
import os from "node:os";
import * as assert from "uvu/assert";
import { CAPABILITIES, capabilitiesIn } from "../../../src/linux/capabilities.js";
import { openFlagNames } from "../../../src/linux/open-flags.js";
import { RESOURCE_LIMITS } from "../../../src/linux/rlimits.js";
import { SIGNALS, signalName, signalsIn } from "../../../src/linux/signals.js";
import { needs } from "../../helpers/needs.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/linux");

test("signals have the numbers of this machine", () => {
  const known = Object.entries(os.constants.signals).filter(([name]) => SIGNALS.values.has(name));
  assert.ok(known.length >= 30);
  for (const [name, number] of known) assert.is(SIGNALS.values.get(name), number, name);
});

test("realtime signals count from the kernel's first", () => {
  assert.equal([31, 32, 35, 64, 65].map(signalName), [
    "SIGSYS",
    "SIGRTMIN",
    "SIGRTMIN+3",
    "SIGRTMIN+32",
    "65",
  ]);
});

test("a mask has signal n at bit n-1", () => {
  assert.equal(signalsIn(0n), []);
  assert.equal(signalsIn((1n << 0n) | (1n << 14n) | (1n << 63n)), ["SIGHUP", "SIGTERM", "SIGRTMIN+32"]);
});

test("capabilities have the numbers of the kernel's header", () => {
  const header = "/usr/include/linux/capability.h";
  needs("linux-libc-dev");
  const defined = [...readFileSync(header, "utf8").matchAll(/^#define (CAP_[A-Z_]+)\s+(\d+)$/gm)];
  assert.ok(defined.length >= 41);
  for (const [, name, number] of defined)
    assert.is(CAPABILITIES.values.get(name as string), Number(number), name);
});

test("an unknown capability is told by its number", () => {
  assert.equal(capabilitiesIn((1n << 21n) | (1n << 60n)), ["CAP_SYS_ADMIN", "60"]);
});

test("open flags have the numbers of this machine", () => {
  const machine = os.machine();
  for (const name of [
    "O_APPEND",
    "O_NONBLOCK",
    "O_DIRECTORY",
    "O_NOFOLLOW",
    "O_DIRECT",
    "O_NOATIME",
    "O_SYNC",
  ] as const)
    assert.equal(openFlagNames(fs.O_RDWR | fs[name], machine), ["O_RDWR", name]);
});

test("open flags of ARM and POWER differ in four bits, unknown bits stay a number", () => {
  assert.equal(openFlagNames(0x4000, "aarch64"), ["O_RDONLY", "O_DIRECTORY"]);
  assert.equal(openFlagNames(0x10000, "ppc64le"), ["O_RDONLY", "O_LARGEFILE"]);
  assert.equal(openFlagNames(0x10000, "x86_64"), ["O_RDONLY", "O_DIRECTORY"]);
  assert.equal(openFlagNames(0x80000001, "x86_64"), ["O_WRONLY", "0x80000000"]);
});

test("resource limits stand in the order of /proc/self/limits' numbers", () => {
  assert.is(RESOURCE_LIMITS.length, 16);
  assert.equal(RESOURCE_LIMITS[7], ["RLIMIT_NOFILE", ""]);
});

test.run();
