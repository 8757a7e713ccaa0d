import { createServer } from "node:net";
import * as assert from "uvu/assert";
import { hostOf } from "../../src/backends/slim/restore/host.js";
import { engineFacts, engineFactsOf } from "../../src/engine-facts.js";
import { type HostFacts, hostFacts, hostFilesOf, parseHostFacts } from "../../src/host-facts.js";
import { type HostFiles, LIVE_HOST } from "../../src/linux/host-files.js";
import type { Finding } from "../../src/ops/validate/finding.js";
import { Host } from "../../src/ops/validate/host/host.js";
import { validate } from "../../src/ops/validate/validate.js";
import { FIXTURE_NAMES } from "../helpers/images.js";
import { suite } from "../helpers/suite.js";
import { DamagedSet } from "./ops/validate/damaged-set.js";
import { DamagedStream, type StreamName } from "./ops/validate/damaged-stream.js";

const test = suite("facts of a host");

/** As they come to another machine. */
function sent(facts: HostFacts): HostFacts {
  return parseHostFacts(Buffer.from(JSON.stringify({ command: "facts", ...facts })), "host.json");
}

const FACTS = sent(hostFacts(undefined));
const IMAGES = [
  ...FIXTURE_NAMES.map((name) => [`set ${name}`, () => new DamagedSet(name).open()] as const),
  ...[...FIXTURE_NAMES, "minimal", "rich", "extended"].map(
    (name) => [`stream ${name}`, () => new DamagedStream(name as StreamName).open()] as const,
  ),
];

/** Whether the slim backend can restore an image depends on files too: directories of its unix sockets, locks. */
const isOfKernel = ({ id }: Finding): boolean => id !== "KERNEL_RESTART";
const ABLE = { path: "/usr/sbin/criu", version: "4.2", problem: undefined };

for (const [name, open] of IMAGES)
  test(`${name}: the verdict by the facts is the verdict on the host`, async () => {
    const document = open();
    const criu = name.endsWith(" sockets") ? { criu: ABLE } : {};
    const here = validate(document, { ...(await engineFacts(document, undefined)), ...criu });
    const there = validate(document, { ...(await engineFactsOf(document, FACTS)), ...criu });
    document.close();
    assert.equal(there.findings.filter(isOfKernel), here.findings.filter(isOfKernel));
    assert.is(there.valid, here.valid);
  });

/** Fails for what the host has and the facts do not. */
function complete(facts: HostFiles): HostFiles {
  const isOfTask = (path: string) => /^\/proc\/\d+/.test(path);
  return {
    ...facts,
    text: (path) => {
      const text = facts.text(path);
      if (text === undefined && !isOfTask(path)) assert.is(LIVE_HOST.text(path), undefined, path);
      return text;
    },
    names: (directory) => {
      const names = facts.names(directory);
      if (names.length === 0 && !isOfTask(directory)) assert.equal(LIVE_HOST.names(directory), [], directory);
      return names;
    },
  };
}

test("no rule asks for what the facts do not tell", async () => {
  for (const [, open] of IMAGES) {
    const document = open();
    const engines = await engineFactsOf(document, FACTS);
    validate(document, { ...engines, host: complete(hostFilesOf(FACTS)) });
    document.close();
  }
});

test("a port that was taken there, a pid and a name of the host", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  const facts = sent(hostFacts(undefined));
  await new Promise((done) => server.close(done));
  const ids = async (set: DamagedSet, host: HostFacts): Promise<string[]> => {
    const document = set.open();
    const { findings } = validate(document, await engineFactsOf(document, host));
    document.close();
    return findings.map(({ id }) => id);
  };
  const { files } = new DamagedSet("sockets").open().checkpoint;
  const listener = files.all.find(({ socket }) => socket?.state === "LISTEN" && socket.protocol === "TCP");
  const sockets = () =>
    new DamagedSet("sockets").set(`files.img[${listener?.origin.record}].isk.src_port`, port);
  assert.ok((await ids(sockets(), facts)).includes("PORT_TAKEN"));
  assert.not.ok((await ids(sockets(), { ...facts, files: {} })).includes("PORT_TAKEN"));
  const taken = { ...facts, tasks: [...facts.tasks, "1000 (other) S 1 1 1 1000"] };
  assert.ok((await ids(new DamagedSet("logger"), taken)).includes("PID_TAKEN"));
});

for (const [what, text, expected] of [
  ["not JSON", "{", /^host\.json: not JSON/],
  ["another answer of crimg", '{"command":"show"}', /^host\.json: not the facts of a host/],
  ["a list", "[]", /^host\.json: not the facts of a host/],
  ["facts without files", '{"command":"facts"}', /^host\.json: invalid or missing platform/],
] as const)
  test(`${what} is one sentence`, () => {
    assert.throws(
      () => parseHostFacts(Buffer.from(text), "host.json"),
      (error: Error) => expected.test(error.message),
    );
  });

test("a thread, a group or a session of there is taken as well, whatever name the task has", () => {
  const files = hostFilesOf({ ...FACTS, tasks: ["7 (a) b ) c) S 1 8 9 7 77 78"] });
  const host = hostOf(files, { vdso: undefined, terminal: undefined });
  assert.equal(
    [1, 7, 8, 9, 10, 77, 78].filter((id) => host.isTaken(id)),
    [7, 8, 9, 77, 78],
  );
  for (const id of [7, 78])
    assert.equal(new Host(undefined, undefined, files).process(id), { comm: "a) b ) c", state: "S" });
});

test("too many values are refused before they take memory", () => {
  const many = `{"command":"facts","addresses":[${"{},".repeat(600_000)}{}]}`;
  assert.throws(
    () => parseHostFacts(Buffer.from(many), "host.json"),
    (error: Error) => /^host\.json: more than \d+ quotes, commas and brackets/.test(error.message),
  );
});

test("more threads than a machine has are refused", () => {
  for (const tasks of [
    [`1 (a) S 1 1 1 ${"2 ".repeat(300_000)}`],
    Array.from({ length: 300 }, (_, pid) => `${pid} (a) S 1 1 1 ${"2 ".repeat(1000)}`),
  ])
    assert.throws(
      () => sent({ ...FACTS, tasks }),
      (error: Error) => /^host\.json: more than 262144 threads/.test(error.message),
    );
});

test("each member of another form is named", () => {
  const { command: _command, ...members } = FACTS as HostFacts & { command: string };
  for (const name of Object.keys(members))
    assert.throws(
      () => sent({ ...FACTS, [name]: 7 }),
      (error: Error) => error.message.includes(`invalid or missing ${name} `),
    );
});

test.run();
