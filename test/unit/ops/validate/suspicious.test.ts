import * as assert from "uvu/assert";
import { openDocument } from "../../../../src/open.js";
import { SUSPICIOUS_RULES } from "../../../../src/ops/validate/suspicious/rules.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { FIXTURE_NAMES, fixture, STREAM_FIXTURES, streamFixture } from "../../../helpers/images.js";
import { suite } from "../../../helpers/suite.js";
import { DamagedSet } from "./damaged-set.js";

const test = suite("suspicious");

function told(document: Parameters<typeof validate>[0]): string[] {
  const { findings, valid } = validate(document, { only: SUSPICIOUS_RULES.map(({ id }) => id) });
  assert.ok(valid, "suspicion is no error");
  return findings.map(({ id, severity }) => {
    assert.is(severity, "warning");
    return id.replace("SUSPICIOUS_", "");
  });
}

const MM = "mm-1000.img[0]";
/** Index of the record of a file that the logger has open, its id, and a mapping that shows it. */
const [CONF, CONF_ID] = [4, 5];
const logger = (): DamagedSet => new DamagedSet("logger");
const named = (path: string, set = logger()): DamagedSet => set.set(`files.img[${CONF}].reg.name`, path);
const mapped = (path: string): DamagedSet =>
  named(path).set(`${MM}.vmas[4].shmid`, BigInt(CONF_ID)).set(`${MM}.vmas[4].prot`, 5);

/** Where the environment stands in the pages file of the logger, and its arguments. */
const [ENVIRON, ARGV] = [0xdfb8, 0xdfb8 - 65];
function withMemory(at: number, text: string): DamagedSet {
  const set = logger();
  const pages = Buffer.from(set.read("pages-1.img"));
  assert.is(pages.toString("latin1", ENVIRON, ENVIRON + 5), "PATH=");
  pages.write(`${text}\0`, at, "latin1");
  return set.put("pages-1.img", pages);
}
const called = (comm: string): DamagedSet =>
  logger().set("core-1000.img[0].tc.comm", comm).set("core-1000.img[0].thread_core.comm", comm);

const PLANTED: readonly (readonly [what: string, set: () => DamagedSet, ids: readonly string[]])[] = [
  ["a heap that may be executed", () => logger().set(`${MM}.vmas[6].prot`, 7), ["WRITABLE_CODE"]],
  ["a stack that may be executed", () => logger().set(`${MM}.vmas[9].prot`, 7), ["WRITABLE_CODE"]],
  ["code of a file that may be written", () => logger().set(`${MM}.vmas[1].prot`, 7), ["WRITABLE_CODE"]],
  ["a deleted library", () => mapped("/usr/lib/x.so (deleted)"), ["MAPPED_CODE"]],
  ["a library in a memfd", () => mapped("/memfd:x (deleted)"), ["MAPPED_CODE"]],
  [
    "a deleted executable",
    () => logger().set("files.img[0].reg.name", "/tmp/x (deleted)"),
    ["MAPPED_CODE", "EXECUTABLE"],
  ],
  [
    "an executable in a memfd",
    () => logger().set("files.img[0].reg.name", "/memfd:kernel (deleted)"),
    ["MAPPED_CODE", "EXECUTABLE"],
  ],
  ["another exe beside the code", () => logger().set(`${MM}.exe_file_id`, CONF_ID), ["EXE_MAPPING"]],
  [
    "an exe of the system, and code that is not",
    () => named("/usr/bin/true").set(`${MM}.exe_file_id`, CONF_ID),
    ["LIBRARY", "EXE_MAPPING"],
  ],
  ["a library in /tmp", () => mapped("/tmp/evil.so"), ["LIBRARY"]],
  ["a library in /dev/shm", () => mapped("/dev/shm/x"), ["LIBRARY"]],
  ["a library in a hidden directory", () => mapped("/home/user/.cache/x.so"), ["LIBRARY"]],
  ["LD_PRELOAD", () => withMemory(ENVIRON, "LD_PRELOAD=/x.so"), ["PRELOAD"]],
  ["LD_AUDIT", () => withMemory(ENVIRON, "LD_AUDIT=/x.so"), ["PRELOAD"]],
  ["a name of a kernel worker", () => called("kworker/0:1"), ["NAME"]],
  ["a name of a kernel thread", () => called("kthreadd"), ["NAME"]],
  ["a name in brackets", () => called("[ksoftirqd]"), ["NAME"]],
  ["arguments in brackets", () => withMemory(ARGV, "[kworker/1:0]"), ["NAME"]],
  ["memory of another process", () => named("/proc/1/mem"), ["PTRACE"]],
  ["memory of the machine", () => named("/dev/mem"), ["PTRACE"]],
  [
    "a user who may trace others",
    () => logger().set("core-1000.img[0].thread_core.creds.euid", 1000),
    ["PTRACE"],
  ],
];

for (const [what, set, ids] of PLANTED)
  test(`found: ${what}`, () => {
    assert.equal(told(set().open()), ids);
  });

test("found: a raw socket, besides the packet socket that the program has", () => {
  const set = new DamagedSet("sockets");
  const document = set.open();
  const udp = document.checkpoint.files.all.find(({ socket }) => socket?.protocol === "UDP");
  assert.ok(udp);
  const raw = set.set(`${udp?.origin.image}[${udp?.origin.record}].isk.type`, 3);
  assert.equal(told(raw.open()), ["SOCKET", "SOCKET"]);
});

test("nothing is found in clean programs, in sets and streams; in the sockets program its packet socket", () => {
  for (const image of [...FIXTURE_NAMES.map(fixture), ...STREAM_FIXTURES.map(streamFixture)])
    assert.equal(told(openDocument(image)), image.includes("sockets") ? ["SOCKET"] : [], image);
});

test("names that only look like those of kernel threads, empty LD_PRELOAD, libraries beside the program", () => {
  for (const set of [
    called("kworkers"),
    called("rcutool"),
    called("migrate"),
    withMemory(ENVIRON, "LD_PRELOAD="),
    withMemory(ENVIRON, "XLD_PRELOAD=/x"),
    mapped("/usr/lib/x86_64-linux-gnu/libc.so.6"),
    mapped("/var/lib/crimg-demo/logger/lib/own.so"),
    named("/proc/1000/maps"),
  ])
    assert.equal(told(set.open()), []);
});

test("without being asked for, nothing of it is checked; memory that is not there stops nothing", () => {
  const ids = validate(mapped("/tmp/evil.so").open()).findings.map(({ id }) => id);
  assert.not(ids.some((id) => id.startsWith("SUSPICIOUS_")));
  const cut = logger().put("pages-1.img", Buffer.alloc(0)).set(`${MM}.vmas[6].prot`, 7);
  assert.equal(told(cut.open()), ["WRITABLE_CODE"]);
  const both = validate(mapped("/tmp/evil.so").open(), { suspicious: true });
  assert.ok(both.findings.some(({ id }) => id === "SUSPICIOUS_LIBRARY"));
});

test.run();
