import { createServer } from "node:net";
import os from "node:os";
import * as assert from "uvu/assert";
import type { RecordKind } from "../../../../src/formats/linux-cr/record-kind.js";
import { ARCHITECTURES } from "../../../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../../../src/io/source.js";
import { openStream } from "../../../../src/open.js";
import type { Finding } from "../../../../src/ops/validate/finding.js";
import { Host } from "../../../../src/ops/validate/host/host.js";
import { HOST_RULES, STREAM_HOST_RULES } from "../../../../src/ops/validate/host/rules.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { skip, suite } from "../../../helpers/suite.js";
import { DamagedStream, R, type StreamName } from "./damaged-stream.js";

const test = suite("rules about this machine, of streams");
const CRIU = { path: "/usr/sbin/criu", version: "4.2.1", problem: undefined };
const RULES = [...HOST_RULES, ...STREAM_HOST_RULES].map(({ id }) => id);
/** A pid that is free on any machine with the usual pid_max of 32,768 or 4,194,304. */
const FREE = 4_194_000;

function findings(stream: DamagedStream, criu: object = CRIU): readonly Finding[] {
  const document = stream.open();
  const verdict = validate(document, { criu: { ...CRIU, ...criu }, only: RULES });
  document.close();
  return verdict.findings;
}

/** Findings of one rule; what else is wrong with this machine does not matter. */
function of(id: string, stream: DamagedStream, criu?: object): readonly Finding[] {
  return findings(stream, criu).filter((finding) => finding.id === id);
}

function only(id: string, stream: DamagedStream, criu?: object): Finding {
  const all = of(id, stream, criu);
  assert.is(all.length, 1, id);
  return all[0] as Finding;
}

/** The logger, whose only id is 1000, under another one. */
function withPid(pid: number): DamagedStream {
  const stream = new DamagedStream("logger");
  const word = Buffer.alloc(4);
  word.writeInt32LE(pid);
  return stream.poke(stream.find(R.PIDS) + 1, 4, word);
}

function changed(name: StreamName, kind: RecordKind, fields: Readonly<Record<string, unknown>>) {
  return new DamagedStream(name).set(kind, fields);
}

test("PID_TAKEN: a process has the pid", () => {
  const { at, found, fix } = only("PID_TAKEN", withPid(process.pid));
  assert.match(found ?? "", /^\S+, state [RS]$/);
  assert.match(fix ?? "", "unshare --pid --fork --mount-proc crimg restore logger.ckpt");
  assert.equal([at.image, at.pid], ["logger.ckpt", process.pid]);
  assert.equal(of("PID_TAKEN", withPid(FREE)), []);
});

test("PID_TAKEN and ADDRESS_MISSING: not for a whole container, which brings its namespaces", () => {
  assert.equal(of("PID_TAKEN", withPid(process.pid).set(R.HEADER, { uflags: 2n })), []);
  assert.equal(of("ADDRESS_MISSING", listener([203, 0, 113, 1], 9).set(R.HEADER, { uflags: 2n })), []);
});

test("PID_MAX: the kernel gives no pid as high", () => {
  const max = new Host(CRIU).sysctl("kernel/pid_max") as number;
  if (max > 4_194_303) skip("pid_max is at its highest");
  const { expected, found } = only("PID_MAX", withPid(4_194_304));
  assert.equal([expected, found], [`below ${max}`, "4194304"]);
});

test("CRIU_MISSING: what the probe said", () => {
  const { what } = only("CRIU_MISSING", withPid(FREE), { path: undefined, problem: "there is no criu" });
  assert.is(what, "there is no criu");
  assert.equal(of("CRIU_MISSING", withPid(FREE)), []);
});

test("ARCHITECTURE: a stream of another machine", () => {
  const arch = os.machine() === "s390x" ? ARCHITECTURES.X86_64 : ARCHITECTURES.S390X;
  const bytes = richStream({ commit: "5c3471a", arch });
  const document = openStream(new MemorySource(bytes, "other.ckpt"));
  const [finding] = validate(document, { criu: CRIU, only: ["ARCHITECTURE"] }).findings;
  assert.equal([finding?.expected, finding?.found], [arch.name, os.machine()]);
});

test("CPU_FEATURES: registers that this CPU does not have", () => {
  if (os.machine() !== "x86_64") skip("the fixtures are of x86-64");
  const flags = new Host(CRIU).cpuFlags();
  const missing = (
    [
      ["avx512f", 5n],
      ["pku", 9n],
      ["user_shstk", 11n],
    ] as const
  ).find(([flag]) => !flags.has(flag));
  if (missing === undefined) skip("this CPU has all registers that crimg knows");
  const { at, expected } = only("CPU_FEATURES", changed("logger", R.XSTATE, { xstate_bv: 1n << missing[1] }));
  assert.equal([at.pid, expected], [1000, missing[0]]);
  assert.equal(of("CPU_FEATURES", changed("logger", R.XSTATE, { xstate_bv: 3n })), []);
});

test("CAPABILITY_UNKNOWN: a capability of a newer kernel", () => {
  const { found } = only(
    "CAPABILITY_UNKNOWN",
    changed("logger", R.CRED, { cap_s: { cap_p_1: 0x8000_0000 } }),
  );
  assert.match(found ?? "", /^0x80000\w{11}$/);
});

test("FD_LIMIT: a descriptor higher than any limit", () => {
  const { at } = only("FD_LIMIT", changed("logger", R.FILE_DESC, { fd_descriptor: 2_000_000_000 }));
  assert.is(at.fd, 2_000_000_000);
});

test("UID_UNKNOWN: no user of this host", () => {
  const { severity, found } = only("UID_UNKNOWN", changed("logger", R.CRED, { uid: 3_999_999_999 }));
  assert.equal([severity, found], ["note", "3999999999"]);
});

const SO_REUSEPORT = 1n << 5n;
const IP_FREEBIND = (1n << 9n) | (1n << 41n);

/** The stream of sockets with its IPv4 listener at another address. */
function listener(address: readonly number[], port: number, options = 0n): DamagedStream {
  const stream = new DamagedStream("sockets");
  const file = stream
    .open()
    .checkpoint.files.all.find(
      ({ socket }) => socket?.protocol === "TCP" && socket.state === "LISTEN" && socket.family === "INET",
    );
  const { localPort, inode } = file?.socket ?? {};
  const laddr = Buffer.from([2, 0, port >> 8, port & 0xff, ...address, 0, 0, 0, 0, 0, 0, 0, 0]);
  const isListener = ({ laddr, raddr }: Readonly<Record<string, unknown>>): boolean =>
    (laddr as Buffer).readUInt16BE(2) === localPort && (raddr as Buffer).readUInt16BE(2) === 0;
  return stream
    .set(R.SOCKET_INET, { laddr }, isListener)
    .set(R.SOCKET_EXTRA, { so_options: options }, (fields) => fields.inode === BigInt(inode ?? 0));
}

test("PORT_TAKEN: a program listens on the port", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  try {
    const { at, found, fix } = only("PORT_TAKEN", listener([127, 0, 0, 1], port));
    assert.is(found, `TCP 127.0.0.1:${port}, listening`);
    assert.match(fix ?? "", `crimg edit sockets.ckpt --tcp-listen-remap ${port}:NEWPORT`);
    assert.equal([at.image, at.pid, typeof at.fd], ["sockets.ckpt", 1000, "number"]);
    assert.is(of("PORT_TAKEN", listener([0, 0, 0, 0], port)).length, 1, "wildcard");
    assert.equal(of("PORT_TAKEN", listener([127, 0, 0, 2], port)), []);
    assert.is(only("PORT_TAKEN", listener([127, 0, 0, 1], port, SO_REUSEPORT)).severity, "warning");
  } finally {
    await new Promise((done) => server.close(done));
  }
});

test("ADDRESS_MISSING: no interface has the address", () => {
  // 203.0.113.0/24 is for documentation, RFC 5737.
  const { expected, fix } = only("ADDRESS_MISSING", listener([203, 0, 113, 1], 9));
  assert.is(expected, "203.0.113.1");
  assert.match(fix ?? "", "--remap-address 203.0.113.1=NEW ");
  assert.equal(of("ADDRESS_MISSING", listener([203, 0, 113, 1], 9, IP_FREEBIND)), []);
  assert.equal(of("ADDRESS_MISSING", new DamagedStream("sockets")), []);
});

test("KERNEL_RESTART: this kernel has no restart call", () => {
  const { severity, found } = only("KERNEL_RESTART", new DamagedStream("minimal"));
  assert.equal([severity, found], ["note", `Linux ${os.release()}`]);
});

test("VDSO_PAGES: criu could not restore the vDSO", () => {
  const { at } = only("VDSO_PAGES", new DamagedStream("minimal"));
  assert.equal([at.image, at.pid], ["minimal.ckpt", 1234]);
  assert.equal(of("VDSO_PAGES", new DamagedStream("logger")), []);
});

test("HOST_NAME: the tasks knew another name", () => {
  const named = (nodename: string) => changed("rich", R.UTS_NS, { nodename });
  const { expected, found } = only("HOST_NAME", named("elsewhere"));
  assert.equal([expected, found], ["elsewhere", os.hostname()]);
  assert.equal(of("HOST_NAME", named(os.hostname())), []);
});

test("rules that this machine keeps are silent", () => {
  const speaking = new Set(findings(withPid(FREE)).map(({ id }) => id));
  for (const id of ["PID_TAKEN", "PID_SETTING", "MEMORY_LOW", "FD_LIMIT", "ARCHITECTURE", "HOST_NAME"])
    assert.not.ok(speaking.has(id), id);
  assert.is(speaking.has("NOT_ROOT"), process.getuid?.() !== 0);
});

test.run();
