/** Each kind of edit that a restored program can feel: the set is edited, CRIU restores it, the program tells. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { dump, needCriu, restore } from "../helpers/criu.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  kill,
  type LiveProgram,
  locksOf,
  startProgram,
  until,
} from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const edited = suite("edited programs", {}, 120);
edited.after(cleanUp);

const dir = freshDirectory("edited");
const [work, images] = [join(dir, "work"), join(dir, "images")];
const SECRET = "correct-horse-battery";
let live: LiveProgram;
let port = "";
let count = 0;

edited.before(async () => {
  needCriu();
  for (const path of [work, images]) mkdirSync(path);
  live = await startProgram("editable", work, { SECRET });
  await goesOn(live.log, 2);
  port = /^port (\d+)$/m.exec(logText())?.[1] ?? "";
  await dump(live.pid, images, live.options.dump);
});

function logText(): string {
  return readFileSync(live.log, "utf8");
}

/** The log since the last restore. */
let since = 0;
const fresh = (): string => logText().slice(since);

/** Edits the set into a new one, finds it valid, restores it, and waits until the program goes on. */
async function restoreEdited(...args: string[]): Promise<void> {
  const out = join(dir, `edited-${count++}`);
  const edit = await crimg(["edit", images, ...args, "-o", out]);
  assert.is(edit.code, 0, edit.stderr);
  const check = await crimg(["validate", out, "--root", "/"]);
  assert.is(check.code, 0, check.stdout + check.stderr);
  since = logText().length;
  await restore(out, live.options.restore);
  await goesOn(live.log, 5);
}

edited.after.each(async () => {
  await kill(live);
});

/** What a server says to someone who connects; the reason when it does not answer. */
function answerOf(to: NetConnectOpts): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(to);
    socket.setTimeout(5000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => resolve(data.toString()));
    socket.on("error", ({ message }) => resolve(message));
  });
}

edited("as it is, it goes on with both ends of all it has", async () => {
  await restoreEdited("--comm", `${live.pid}=plain`);
  assert.match(fresh(), /^pipe \d+ b'line \d+\\n' pair b'x'$/m);
  assert.is(await answerOf({ host: "127.0.0.1", port: Number(port) }), "hello\n");
  assert.is(locksOf(live.pid).length, 2);
});

edited("--redact: the secret is in no file of the image, and not in the program that goes on", async () => {
  assert.is((await crimg(["grep", SECRET, images])).code, 0);
  await restoreEdited("--redact", SECRET);
  const out = join(dir, `edited-${count - 1}`);
  assert.is((await crimg(["grep", "--utf16", SECRET, out])).code, 1);
  for (const name of readdirSync(out))
    assert.not.ok(readFileSync(join(out, name)).includes(SECRET), `${name} holds it`);
  const environment = readFileSync(`/proc/${live.pid}/environ`, "latin1");
  assert.match(environment, /SECRET=\*{21}\0/);
});

edited("--fd: the end of a pipe becomes a file that grows; the other end reads end of file", async () => {
  const out = join(dir, "out.txt");
  writeFileSync(out, "before\n");
  await restoreEdited("--fd", `${live.pid}:20=${out},append`);
  assert.match(readFileSync(out, "utf8"), /^before\nline \d+\nline \d+\n/);
  await until("end of file in the pipe", () => /^pipe \d+ b'' pair/m.test(fresh()), fresh);
});

edited("--drop-fd: the last reader of a pipe goes, and epoll waits no more for it", async () => {
  await restoreEdited("--drop-fd", `${live.pid}:21`);
  assert.match(fresh(), /^pipe Broken pipe Bad file descriptor pair b'x'$/m);
  const epoll = readFileSync(`/proc/${live.pid}/fdinfo/24`, "utf8");
  assert.match(epoll, /^tfd: +23 /m);
  assert.not.match(epoll, /^tfd: +21 /m);
});

edited("--drop-fd: the other end of a socket pair reads end of file", async () => {
  await restoreEdited("--drop-fd", `${live.pid}:22`);
  await until("end of file in the pair", () => /^pipe .* pair b''$/m.test(fresh()), fresh);
});

edited("--fd on an end of a socket pair", async () => {
  const out = join(dir, "pair.txt");
  writeFileSync(out, "");
  await restoreEdited("--fd", `${live.pid}:22=${out}`);
  await until("bytes in the file", () => readFileSync(out, "utf8").startsWith("xxx"));
});

edited("--lease and --lock: one is dropped, the other becomes shared", async () => {
  await restoreEdited("--lease", `${live.pid}:27=drop`, "--lock", `${live.pid}:28=shared`);
  const [lock, ...more] = locksOf(live.pid);
  assert.match(lock ?? "", /^FLOCK ADVISORY READ /);
  assert.equal(more, []);
});

edited("--expiry: an hour that was left becomes a moment", async () => {
  await restoreEdited("--expiry", "real=300ms");
  await until("the alarm", () => fresh().includes("alarm"), fresh, 5);
});

edited("--tcp-listen-remap and --remap-address: it answers elsewhere, and no more where it was", async () => {
  const other = String(Number(port) === 40123 ? 40124 : 40123);
  await restoreEdited("--tcp-listen-remap", `${port}:${other}`, "--remap-address", "127.0.0.1=127.0.0.2");
  assert.is(await answerOf({ host: "127.0.0.2", port: Number(other) }), "hello\n");
  assert.match(await answerOf({ host: "127.0.0.1", port: Number(port) }), /ECONNREFUSED/);
});

edited("--remap-path of a unix socket: it answers under the new name", async () => {
  const moved = join(dir, "elsewhere.sock");
  await restoreEdited("--remap-path", `${join(work, "sock")}=${moved}`);
  assert.is(await answerOf({ path: moved }), "hello\n");
});

edited("--comm and --env show in /proc", async () => {
  await restoreEdited("--comm", `${live.pid}=renamed`, "--env", `${live.pid}:PATH=/x`);
  assert.is(readFileSync(`/proc/${live.pid}/comm`, "utf8"), "renamed\n");
  assert.match(readFileSync(`/proc/${live.pid}/environ`, "latin1"), /(^|\0)PATH=\/x\0/);
});

edited("the set that all were made from is as criu wrote it", async () => {
  const { stdout } = await crimg(["log", images]);
  assert.match(stdout, /no edits in/);
  await restore(images, live.options.restore);
  await goesOn(live.log, 5);
});

edited.run();
