import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { cleanUp, freshDirectory } from "../../../../helpers/live.js";
import { suite } from "../../../../helpers/suite.js";
import { plannedStream, streamBytes } from "./planned-stream.js";

const test = suite("names, addresses, checks and single fields of streams");
test.after(cleanUp);

test("--comm: of a task or thread, 16 bytes as before", () => {
  const { checkpoint, changes, after } = plannedStream("rich", ["comm 8=fifteen-letters"]);
  assert.equal(changes, ["STRING.text: thread -> fifteen-letters"]);
  assert.is(checkpoint.task(7)?.threads[1]?.comm, "fifteen-letters");
  assert.is(after.length, streamBytes("rich").length);
  assert.is(plannedStream("rich", ["comm 77=x"]).plan.unmatched.length, 1);
});

test("--hostname: of each UTS namespace; other fields of uname stay", () => {
  const { all } = plannedStream("rich", ["hostname a-much-longer-name"]);
  assert.equal(
    all(RECORDS.UTS_NS).map(({ nodename, sysname }) => [nodename, sysname]),
    [["a-much-longer-name", "Linux"]],
  );
  assert.match(plannedStream("logger", ["hostname x"]).plan.unmatched[0] as string, /no UTS namespace/);
});

test("--cgroup: every controller of every set", () => {
  const { texts } = plannedStream("container", ["cgroup /crimg-demo=/elsewhere"]);
  const [set] = texts(RECORDS.CGROUP_SET);
  assert.ok(set?.includes("/elsewhere/"));
  assert.not.ok(set?.includes("/crimg-demo"));
});

test("--env: in the pages where it stands, and nothing grows", () => {
  const { after, changes, plan } = plannedStream("container", ["env 1:PATH=/bin"]);
  assert.is(after.length, streamBytes("container").length);
  assert.is(changes.length, 1);
  assert.ok(after.includes("PATH=/bin\0"));
  assert.match(plan.notes.join(), /getenv/);
  assert.throws(() => plannedStream("container", [`env 1:PATH=${"x".repeat(99)}`]), /memory cannot grow/);
  assert.is(plannedStream("container", ["env 1:NO_SUCH=1"]).plan.unmatched.length, 1);
});

test("--remap-address and --tcp-listen-remap: everywhere that a socket keeps them", () => {
  const { checkpoint, after } = plannedStream("sockets", ["remap-address 127.0.0.1=10.11.12.13"]);
  const locals = checkpoint.files.all.flatMap(({ socket }) => socket?.local ?? []);
  assert.ok(locals.some((local) => local.startsWith("10.11.12.13:")));
  assert.not.ok(locals.some((local) => local.includes("127.0.0.1")));
  const again = plannedStream(after, ["remap-address 10.11.12.13=127.0.0.1"]);
  assert.ok(again.after.equals(streamBytes("sockets")));
  const listening = plannedStream("container", ["tcp-listen-remap 8080:81"]).checkpoint.files.all;
  assert.ok(listening.some(({ socket }) => socket?.localPort === 81));
  assert.is(plannedStream("container", ["tcp-listen-remap 81:82"]).plan.unmatched.length, 1);
});

test("--accept-file takes what is stored from the file as it is now; --no-file-check drops it", () => {
  const root = freshDirectory("accept");
  const [log] = plannedStream("logger", ["comm 1000=x"])
    .checkpoint.files.all.flatMap((file) => file.path ?? [])
    .filter((name) => name.endsWith("logger.conf"));
  fs.mkdirSync(path.join(root, path.dirname(log as string)), { recursive: true });
  fs.writeFileSync(path.join(root, log as string), "longer than it was");
  fs.chmodSync(path.join(root, log as string), 0o600);
  const before = plannedStream("logger", ["comm 1000=x"]).all(RECORDS.FILE_IDENTITY);
  const accepted = plannedStream("logger", ["accept-file logger.conf"], { root }).all(RECORDS.FILE_IDENTITY);
  const changed = accepted.filter(({ size }, i) => size !== before[i]?.size);
  assert.equal(
    changed.map(({ size, mode }) => [size, mode]),
    [[18n, 0o100600]],
  );
  const { plan } = plannedStream("logger", ["accept-file *"], { root });
  assert.ok(plan.warnings.some((warning) => warning.includes("there is nothing to accept")));
  const dropped = plannedStream("logger", ["no-file-check logger.conf"]).all(RECORDS.FILE_IDENTITY);
  assert.is(dropped.length, before.length - 1);
});

for (const [text, change] of [
  ["[0].time=77", "HEADER.time: 1280000000 -> 77"],
  ["app.ckpt[0].time=0x4d", "HEADER.time: 1280000000 -> 77"],
  ["app[145].rlim[3].rlim_cur=9", "SIGNAL.rlim[3].rlim_cur: 3 -> 9"],
  ["[74].sock.shutdown=3", "SOCKET.sock.shutdown: 0 -> 3"],
  [
    "[50].text=/a/longer/path/of/a/log.txt",
    "FILE_NAME.text: /var/log/app.log -> /a/longer/path/of/a/log.txt",
  ],
  ["[160].exit_signal=4294967295", undefined],
] as const)
  test(`--set ${text}`, () => {
    const { changes, plan } = plannedStream("rich", [`set ${text}`]);
    assert.equal(changes, change === undefined ? [] : [change]);
    assert.equal(plan.unmatched, []);
  });

test("--set of a mode takes octal, as it is shown", () => {
  const { image } = plannedStream("logger", ["comm 1000=x"]);
  const index = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === RECORDS.FILE_IDENTITY,
  );
  const { changes } = plannedStream("logger", [`set [${index}].mode=0100600`]);
  assert.equal(changes.length, 1);
  assert.match(changes[0] ?? "", /-> 33152$/);
});

test("--set of bytes, in hexadecimal", () => {
  const { image } = plannedStream("rich", ["set [60].payload=00ff10"]);
  const index = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === RECORDS.PIPE_BUF,
  );
  assert.is(image.bytes(index as number).toString("hex"), "00ff10");
  assert.equal(
    plannedStream("rich", ["set [170].blocked=0100000000000000"]).all(RECORDS.SIGNAL_TASK).at(-1)?.blocked[0],
    1,
  );
});

test("--set tells what it cannot do", () => {
  for (const [text, error] of [
    ["[50].nothing=1", /FILE_NAME has no field nothing; it has payload/],
    ["[0].nothing=1", /HEADER has no field nothing; it has magic/],
    ["[0].constants=1", /name a field inside/],
    ["[0].time=soon", /invalid number "soon"/],
    ["[0].time=010", /leading zero in a number \(octal is 0o10\)/],
    ["[0].rev=70000", /invalid value 70000 \(expected an integer from 0 to 65535\)/],
    ["[0]=absent", /would damage the image/],
    ["[13]=absent", /would damage the image/],
    ["[47].fdt_nfds=9", /would damage the image/],
    ["[0]=1", /name a field behind/],
    ["time=3", /invalid "time" \(expected \[RECORD\]\.FIELD\)/],
  ] as const)
    assert.throws(() => plannedStream("rich", [`set ${text}`]), error, text);
  assert.is(plannedStream("rich", ["set [99999].time=3"]).plan.unmatched.length, 1);
  assert.is(plannedStream("rich", ["set other.ckpt[0].time=3"]).plan.unmatched.length, 1);
});

test("a stream that is cut off, or of a failed checkpoint, is refused with its place", () => {
  assert.throws(() => plannedStream(streamBytes("rich").subarray(0, 9000), ["comm 1=x"]), /truncated/);
});

test.run();
