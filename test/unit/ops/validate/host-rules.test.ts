import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import os from "node:os";
import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { MNT_ENTRY } from "../../../../src/formats/criu/tables/mnt.js";
import { RLIM_NLIMITS } from "../../../../src/linux/rlimits.js";
import type { Finding } from "../../../../src/ops/validate/finding.js";
import { Host, type HostSocket } from "../../../../src/ops/validate/host/host.js";
import { HOST_RULES, SET_HOST_RULES } from "../../../../src/ops/validate/host/rules.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { until } from "../../../helpers/live.js";
import { skip, suite } from "../../../helpers/suite.js";
import { DamagedSet } from "./damaged-set.js";

const test = suite("rules about this machine");
const CRIU = { path: "/usr/sbin/criu", version: "4.2.1", problem: undefined };
/** Pids that are free on any machine with the usual pid_max of 32,768 or 4,194,304. */
const FREE = 4_194_000;

/** A set whose pids are free here. */
function quiet(fixture = "logger"): DamagedSet {
  const set = new DamagedSet(fixture);
  if (fixture !== "logger") return set;
  return withPid(set, FREE);
}

/** The logger under another pid. */
function withPid(set: DamagedSet, pid: number): DamagedSet {
  for (const kind of ["core", "ids", "mm", "fs", "pagemap"])
    set.put(`${kind}-${pid}.img`, set.read(`${kind}-1000.img`)).remove(`${kind}-1000.img`);
  for (const field of ["pid", "pgid", "sid", "threads[0]"]) set.set(`pstree.img[0].${field}`, pid);
  return set;
}

function findings(set: DamagedSet, criu: object = CRIU): readonly Finding[] {
  const document = set.open();
  const verdict = validate(document, {
    criu: { ...CRIU, ...criu },
    only: [...HOST_RULES, ...SET_HOST_RULES].map(({ id }) => id),
  });
  document.close();
  return verdict.findings;
}

/** Findings of one rule; what else is wrong with this machine does not matter. */
function of(id: string, set: DamagedSet, criu?: object): readonly Finding[] {
  return findings(set, criu).filter((finding) => finding.id === id);
}

test("PID_TAKEN: a process has the pid", () => {
  const [finding, ...others] = of("PID_TAKEN", withPid(new DamagedSet("logger"), process.pid));
  assert.equal(others, []);
  assert.match(finding?.found ?? "", /^\S+, state [RS]$/);
  assert.match(finding?.fix ?? "", "unshare --pid --fork --mount-proc crimg restore");
});

test("PID_TAKEN: a zombie has the pid", async () => {
  const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const pid = await new Promise<number>((done) => parent.stdout.once("data", (data) => done(Number(data))));
    const host = new Host(CRIU);
    await until("the child to be a zombie", () => host.process(pid)?.state === "Z");
    const [finding] = of("PID_TAKEN", withPid(new DamagedSet("logger"), pid));
    assert.match(finding?.what ?? "", "a zombie still has the id");
  } finally {
    parent.kill("SIGKILL");
  }
});

test("PID_TAKEN: not for a set with a pid namespace of its own", () => {
  assert.equal(of("PID_TAKEN", new DamagedSet("container")), []);
});

test("PID_MAX: the kernel gives no pid as high", () => {
  const max = new Host(CRIU).sysctl("kernel/pid_max") as number;
  if (max > 4_194_303) skip("pid_max is at its highest");
  const [finding] = of("PID_MAX", withPid(new DamagedSet("logger"), 4_194_304));
  assert.equal([finding?.expected, finding?.found], [`below ${max}`, "4194304"]);
});

test("CRIU_MISSING: what the probe said", () => {
  const [finding, ...others] = of("CRIU_MISSING", quiet(), {
    path: undefined,
    problem: "there is no criu on PATH",
  });
  assert.equal([finding?.what, others], ["there is no criu on PATH", []]);
  assert.equal(of("CRIU_MISSING", quiet()), []);
});

test("CRIU_MISSING: a note where the slim backend can restore the image", () => {
  const criu = { path: undefined, version: undefined, problem: "there is no criu on PATH" };
  const levelWith = (slim: { problem: string | undefined } | undefined): string | undefined => {
    const document = quiet().open();
    const { findings } = validate(document, { criu, slim, only: ["CRIU_MISSING"] });
    document.close();
    return findings[0]?.severity;
  };
  assert.is(levelWith(undefined), "error");
  assert.is(levelWith({ problem: "it knows x86-64 alone" }), "error");
  assert.is(levelWith({ problem: undefined }), "note");
});

test("without criu in play nothing is said of it", () => {
  const document = quiet().open();
  const verdict = validate(document, { slim: { problem: undefined } });
  document.close();
  assert.equal(
    verdict.findings.filter(({ id }) => /^(CRIU_|NETWORK_LOCK|CGROUP)/.test(id)),
    [],
  );
});

test("CRIU_TOO_OLD: page counts of 4.2 are lost on an older criu", () => {
  const [finding, ...others] = of("CRIU_TOO_OLD", new DamagedSet("threads"), { version: "4.1.1" });
  assert.equal([finding?.expected, finding?.found, others], ["criu 4.2 or later", "criu 4.1.1", []]);
  assert.equal(of("CRIU_TOO_OLD", new DamagedSet("threads"), { version: "4.2" }), []);
  assert.equal(of("CRIU_TOO_OLD", new DamagedSet("logger"), { version: "4.1.1" }), []);
});

test("ARCHITECTURE: tasks of another machine", () => {
  const other = os.machine() === "aarch64" ? 1 : 3;
  const [finding] = of("ARCHITECTURE", quiet().set(`core-${FREE}.img[0].mtype`, other));
  assert.is(finding?.found, os.machine());
  assert.equal(of("ARCHITECTURE", quiet()), os.machine() === "x86_64" ? [] : of("ARCHITECTURE", quiet()));
});

test("CPU_FEATURES: registers that this CPU does not have", () => {
  if (os.machine() !== "x86_64") skip("the fixtures are of x86-64");
  const lacking = [
    ["avx512f", 5n],
    ["pku", 9n],
    ["user_shstk", 11n],
  ] as const;
  const flags = new Host(CRIU).cpuFlags();
  const missing = lacking.find(([flag]) => !flags.has(flag));
  if (missing === undefined) skip("this CPU has all registers that crimg knows");
  const [flag, bit] = missing;
  const place = `core-${FREE}.img[0].thread_info.fpregs.xsave.xstate_bv`;
  const [finding, ...others] = of("CPU_FEATURES", quiet().set(place, 1n << bit));
  assert.equal([finding?.expected, others], [flag, []]);
  assert.equal(of("CPU_FEATURES", quiet().set(place, 3n)), []);
});

test("LSM_TYPE: labels of a security module that is not active here", () => {
  const here = new Host(CRIU).securityModule();
  const other = here === "selinux" ? 2 : 1;
  const set = quiet()
    .set("inventory.img[0].lsmtype", other)
    .set(`core-${FREE}.img[0].thread_core.creds.lsm_profile`, "a_label");
  const [finding, ...others] = of("LSM_TYPE", set);
  assert.equal([finding?.found, others], [here ?? "none", []]);
});

test("NAMESPACE_KERNEL: the kernel has what the container needs", () => {
  const kinds = new Host(CRIU).namespaces();
  const expected = ["pid", "net", "ipc", "uts", "mnt"].filter((kind) => !kinds.has(kind)).length;
  assert.is(of("NAMESPACE_KERNEL", new DamagedSet("container")).length, expected);
});

test("CGROUP: a controller that the kernel does not have", () => {
  const [finding, ...others] = of(
    "CGROUP",
    new DamagedSet("container").set("cgroup.img[0].controllers[0].cnames[0]", "nosuch"),
  );
  assert.equal([finding?.at.path, others.filter(({ at }) => at.path === "nosuch")], ["nosuch", []]);
});

test("MOUNT: what is bound into the mount namespace is gone", () => {
  const set = new DamagedSet("container").add(IMAGES.MNTS, "mountpoints-13.img", MNT_ENTRY, {
    fstype: 16,
    mnt_id: 500,
    root_dev: 1,
    parent_mnt_id: 92,
    flags: 0,
    root: "/",
    mountpoint: "/srv",
    source: "/no/such/directory",
    options: "",
    ext_key: "CRIU:AUTOGENERATED",
  });
  const [finding, ...others] = of("MOUNT", set);
  assert.equal([finding?.at.path, finding?.expected, others], ["/srv", "/no/such/directory", []]);
});

test("CAPABILITY_UNKNOWN: a capability of a newer kernel", () => {
  const [finding, ...others] = of(
    "CAPABILITY_UNKNOWN",
    quiet().set(`core-${FREE}.img[0].thread_core.creds.cap_prm`, [0, 0x8000_0000]),
  );
  assert.equal([finding?.found, others], ["0x8000000000000000", []]);
});

test("FD_LIMIT: a descriptor higher than any limit", () => {
  const [finding] = of("FD_LIMIT", quiet().set("fdinfo-2.img[3].fd", 2_000_000_000));
  assert.equal([finding?.at.fd, finding?.expected], [2_000_000_000, "at least 2000000128"]);
});

test("UID_UNKNOWN: no user of this host", () => {
  const [finding, ...others] = of(
    "UID_UNKNOWN",
    quiet().set(`core-${FREE}.img[0].thread_core.creds.uid`, 3_999_999_999),
  );
  assert.equal([finding?.severity, finding?.found, others], ["note", "3999999999", []]);
});

test("PORT_TAKEN: a program listens on the port", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  try {
    const set = () => new DamagedSet("sockets").set("files.img[18].isk.src_port", port);
    const [finding, ...others] = of("PORT_TAKEN", set());
    assert.equal([finding?.found, others], [`TCP 127.0.0.1:${port}, listening`, []]);
    assert.match(finding?.fix ?? "", `--tcp-listen-remap ${port}:NEWPORT`);
    assert.equal([finding?.at.pid, typeof finding?.at.fd], [1000, "number"]);
    assert.is(
      of("PORT_TAKEN", set().set("files.img[18].isk.src_addr", [0]))[0]?.id,
      "PORT_TAKEN",
      "wildcard",
    );
    assert.equal(of("PORT_TAKEN", set().set("files.img[18].isk.src_addr", [0x0200_007f])), [], "127.0.0.2");
    assert.is(
      of("PORT_TAKEN", set().set("files.img[18].isk.opts.so_reuseport", true))[0]?.severity,
      "warning",
    );
  } finally {
    await new Promise((done) => server.close(done));
  }
});

test("PORT_TAKEN: not by the dying connections of the program that was dumped", async () => {
  const sockets = await dyingConnection();
  const [dying] = sockets.filter(({ isDying }) => isDying);
  assert.ok(dying, "TIME_WAIT");
  const end = (state: "src" | "dst", port: number) => [`files.img[18].isk.${state}_port`, port] as const;
  const set = new DamagedSet("sockets")
    .set("files.img[18].isk.state", 1)
    .set("files.img[18].isk.src_addr", [0x0100_007f])
    .set(...end("src", dying?.port ?? 0))
    .set(...end("dst", dying?.remotePort ?? 0));
  assert.equal(of("PORT_TAKEN", set), []);
});

/** The TCP sockets of this host, with one that was closed a moment ago. */
async function dyingConnection(): Promise<readonly HostSocket[]> {
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise<void>((done) => {
    const client = connect(port, "127.0.0.1", () => client.end());
    client.on("close", () => done());
  });
  await new Promise((done) => server.close(done));
  return new Host(CRIU).sockets().filter((socket) => socket.port === port || socket.remotePort === port);
}

test("ADDRESS_MISSING: no interface has the address", () => {
  // 203.0.113.0/24 is for documentation, RFC 5737.
  const set = () => new DamagedSet("sockets").set("files.img[18].isk.src_addr", [0x0171_00cb]);
  const [finding, ...others] = of("ADDRESS_MISSING", set());
  assert.equal([finding?.expected, others], ["203.0.113.1", []]);
  assert.match(finding?.fix ?? "", "--remap-address 203.0.113.1=NEW ");
  assert.equal(of("ADDRESS_MISSING", set().set("files.img[18].isk.ip_opts.freebind", true)), []);
  assert.equal(of("ADDRESS_MISSING", new DamagedSet("sockets")), []);
});

test("ADDRESS_MISSING: criu binds IPv6 sockets to any address", () => {
  const [finding, ...others] = of(
    "ADDRESS_MISSING",
    new DamagedSet("sockets").set("files.img[18].isk.src_addr", [0xb80d_0120, 0, 0, 0x0100_0000]),
  );
  assert.equal([finding?.severity, others], ["warning", []]);
});

test("INTERFACE_MISSING: a socket is bound to an interface that is not there", () => {
  const [finding, ...others] = of(
    "INTERFACE_MISSING",
    new DamagedSet("sockets").set("files.img[18].isk.opts.so_bound_dev", "nosuch0"),
  );
  assert.equal([finding?.expected, others], ["nosuch0", []]);
  assert.equal(
    of("INTERFACE_MISSING", new DamagedSet("sockets").set("files.img[18].isk.opts.so_bound_dev", "lo")),
    [],
  );
});

test("NETWORK_LOCK: the tool that stops connections", () => {
  const method = (number: number) =>
    of("NETWORK_LOCK", new DamagedSet("sockets").set("inventory.img[0].network_lock_method", number)).length;
  const host = new Host(CRIU);
  assert.equal(
    [method(0), method(1), method(2)],
    [host.hasProgram("iptables-restore") ? 0 : 1, host.hasProgram("nft") ? 0 : 1, 0],
  );
});

test("rules that this machine keeps are silent", () => {
  const speaking = new Set(findings(quiet()).map(({ id }) => id));
  for (const id of ["PID_TAKEN", "PID_SETTING", "MEMORY_LOW", "FD_LIMIT", "MOUNT", "CGROUP"])
    assert.not.ok(speaking.has(id), id);
  assert.is(speaking.has("NOT_ROOT"), process.getuid?.() !== 0);
});

test("the host is described as it is", () => {
  const host = new Host(CRIU);
  assert.is(host.process(process.pid)?.state.length, 1);
  assert.is(host.process(2 ** 22 + 1), undefined);
  assert.ok(host.addresses().has("127.0.0.1"));
  assert.ok(host.interfaces().has("lo"));
  assert.ok(host.users().has(0));
  assert.is(host.hardLimits().length, RLIM_NLIMITS);
  assert.ok(host.availableMemory() > 1024 * 1024);
  assert.is(host.sysctl("kernel/no_such_thing"), undefined);
});

test.run();
