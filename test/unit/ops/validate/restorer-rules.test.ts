/** What the process that restores may do and how much it may have, against what the image asks for. */
import * as assert from "uvu/assert";
import { capabilitiesIn } from "../../../../src/linux/capabilities.js";
import { type HostFiles, LIVE_HOST } from "../../../../src/linux/host-files.js";
import { RESOURCE_LIMITS } from "../../../../src/linux/rlimits.js";
import type { Finding } from "../../../../src/ops/validate/finding.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { suite } from "../../../helpers/suite.js";
import { DamagedSet } from "./damaged-set.js";

const test = suite("rules about whoever restores");
const CRIU = { path: "/usr/sbin/criu", version: "4.2.1", problem: undefined };
const LAST_CAP = 40;
const ALL = (1n << BigInt(LAST_CAP + 1)) - 1n;
const CREDS = "core-1000.img[0].thread_core.creds";

interface Restorer {
  readonly lacks?: readonly string[];
  readonly uid?: number;
  readonly groups?: string;
  readonly limits?: Readonly<Record<string, string>>;
}

/** This machine as a process with other rights sees it. */
function as({ lacks = [], uid = 0, groups = "", limits = {} }: Restorer): HostFiles {
  const own = capabilitiesIn(ALL).reduce(
    (mask, name, bit) => (lacks.includes(name) ? mask & ~(1n << BigInt(bit)) : mask),
    ALL,
  );
  const status = [`Uid:\t${[uid, uid, uid, uid].join("\t")}`, "Gid:\t0\t0\t0\t0", `Groups:\t${groups} `];
  const files: Record<string, string> = {
    "/proc/self/status": `${[...status, `CapEff:\t${own.toString(16).padStart(16, "0")}`].join("\n")}\n`,
    "/proc/self/limits": ["Limit", ...RESOURCE_LIMITS.map(([name]) => name)]
      .map((name) => `${name.padEnd(26)}${"unlimited".padEnd(21)}${limits[name] ?? "unlimited"}\n`)
      .join(""),
    "/proc/sys/kernel/cap_last_cap": `${LAST_CAP}\n`,
    "/proc/sys/fs/nr_open": "1048576\n",
  };
  return { ...LIVE_HOST, text: (path) => files[path] ?? LIVE_HOST.text(path) };
}

function of(id: string, restorer: Restorer, set = full()): readonly Finding[] {
  const document = set.open();
  const { findings } = validate(document, { criu: CRIU, host: as(restorer), only: [id] });
  document.close();
  return findings;
}

/** A program with the capabilities of an ordinary root. */
function full(): DamagedSet {
  const words = [Number(BigInt.asUintN(32, ALL)), Number(ALL >> 32n)];
  const set = new DamagedSet("logger");
  for (const field of ["cap_prm", "cap_eff", "cap_bnd"]) set.set(`${CREDS}.${field}`, words);
  return set;
}

/** The same without any, but with nothing to drop. */
const none = (): DamagedSet =>
  full().set(`${CREDS}.cap_prm`, [0, 0]).set(`${CREDS}.cap_eff`, [0, 0]).set(`${CREDS}.cap_inh`, [0, 0]);

const lacking = (findings: readonly Finding[]) => findings.map(({ expected }) => expected);

test("CAPABILITY_MISSING: nothing to say of a root who has all", () => {
  assert.equal(of("CAPABILITY_MISSING", {}), []);
});

test("CAPABILITY_MISSING: each that the task had, once", () => {
  for (const name of capabilitiesIn(ALL))
    assert.equal(lacking(of("CAPABILITY_MISSING", { lacks: [name] })), [name]);
  const two = of("CAPABILITY_MISSING", { lacks: ["CAP_CHOWN", "CAP_KILL"] });
  assert.equal(lacking(two), ["CAP_CHOWN, CAP_KILL"]);
  assert.is(two[0]?.at.pid, 1000);
});

test("CAPABILITY_MISSING: for a task without any, those that criu needs itself", () => {
  for (const name of capabilitiesIn(ALL)) {
    const isNeeded = /^CAP_(SYS_ADMIN|NET_ADMIN|SYS_CHROOT|SYS_TIME)$/.test(name);
    assert.equal(lacking(of("CAPABILITY_MISSING", { lacks: [name] }, none())), isNeeded ? [name] : []);
  }
});

test("CAPABILITY_MISSING: to become another user or group, and to restrict a task", () => {
  const lacks = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"];
  const needs = (set: DamagedSet, restorer: Restorer = {}) =>
    lacking(of("CAPABILITY_MISSING", { lacks, ...restorer }, set));
  assert.equal(needs(none()), []);
  assert.equal(needs(none().set(`${CREDS}.fsuid`, 7)), ["CAP_SETUID"]);
  assert.equal(needs(none().set(`${CREDS}.egid`, 7)), ["CAP_SETGID"]);
  assert.equal(needs(none().set(`${CREDS}.groups`, [1, 2])), ["CAP_SETGID"]);
  assert.equal(needs(none().set(`${CREDS}.groups`, [1, 2]), { groups: "2 1" }), []);
  assert.equal(needs(none().set(`${CREDS}.secbits`, 1)), ["CAP_SETPCAP"]);
  assert.equal(needs(none().set(`${CREDS}.cap_bnd`, [0, 0])), ["CAP_SETPCAP"]);
  assert.equal(
    needs(none().set(`${CREDS}.cap_bnd`, [0, 0]).set(`${CREDS}.no_new_privs`, 1)),
    [],
    "what it cannot gain need not be dropped",
  );
});

test("CAPABILITY_MISSING: somebody who may nothing is told by NOT_ROOT alone", () => {
  const nobody = { uid: 1000, lacks: capabilitiesIn(ALL) };
  assert.equal(of("CAPABILITY_MISSING", nobody), []);
  assert.is(of("NOT_ROOT", nobody).length, 1);
});

test("FD_LIMIT: criu needs descriptors above those of the task", () => {
  const lacks = ["CAP_SYS_RESOURCE"];
  const limited = (limit: number) => of("FD_LIMIT", { lacks, limits: { RLIMIT_NOFILE: String(limit) } });
  assert.equal(limited(128), []);
  const [finding, ...others] = limited(127);
  assert.equal([finding?.expected, finding?.found, others], ["at least 128", "127", []]);
  assert.equal(of("FD_LIMIT", { limits: { RLIMIT_NOFILE: "20" } }), [], "root raises it");
});

test("LIMIT_RAISE: every limit that cannot be what it was, and criu does not mind", () => {
  const set = full();
  const limits = Object.fromEntries(RESOURCE_LIMITS.map(([name]) => [name, "1"]));
  for (const [resource] of RESOURCE_LIMITS.entries())
    set.set(`core-1000.img[0].tc.rlimits.rlimits[${resource}].max`, 2n);
  const found = of("LIMIT_RAISE", { lacks: ["CAP_SYS_RESOURCE"], limits }, set);
  assert.is(found.length, RESOURCE_LIMITS.length);
  assert.ok(found.every(({ severity }) => severity === "warning"));
  assert.equal(of("LIMIT_RAISE", { limits }, set), []);
});

test.run();
