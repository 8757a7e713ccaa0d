/** The slim backend: sockets of all kinds come back with what waits in them, and who they are connected to. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { dump, needCriu } from "../helpers/criu.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  gone,
  progress,
  start,
  startProgram,
  statOf,
  until,
} from "../helpers/live.js";
import { exchange, httpGet, redis, startNginx, startRedis } from "../helpers/services.js";
import { checkpointed, needsSlim, refusal, restored, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const sockets = suite("slim sockets", {}, 120);
const dir = freshDirectory("slim-sockets");

sockets.before(needsSlim);
sockets.after(cleanUp);

function place(name: string): string {
  const work = join(dir, name);
  mkdirSync(work);
  return work;
}

sockets("sockets come back with their queues, names and connections, three times over", async () => {
  const work = place("sockets");
  const { log, pid } = await survives("sockets", work, 3);
  const [, port] = /tcp port (\d+)/.exec(readFileSync(log, "utf8")) ?? [];
  const answered = (answer: string): boolean => answer.endsWith("\n");
  assert.match(await exchange({ port: Number(port) }, "", answered), /^tick \d+\n$/);
  for (const path of [join(work, "relative.sock"), join(work, "absolute.sock")])
    assert.match(await exchange({ path }, "", answered), /^tick \d+\n$/, path);
  // Node cannot say an abstract name that is shorter than all of sun_path.
  const ask = `import socket; s = socket.socket(socket.AF_UNIX); s.connect("\\0crimg-sockets-${pid}"); print(s.recv(99).decode())`;
  assert.match(
    spawnSync("/usr/bin/python3", ["-c", ask], { encoding: "utf8", timeout: 5000 }).stdout,
    /^tick \d+/,
  );
  assert.not(existsSync(join(work, "deleted.sock")));
  assert.is(statSync(join(work, "relative.sock")).mode & 0o777, 0o755);
});

sockets("connections between two processes go on with full buffers, and signals of files with them", () =>
  survives("connections", place("connections"), 3),
);

sockets("options and names are what the program set", async () => {
  const work = place("endpoints");
  const live = await startProgram("endpoints", work, { NAMESPACES: "host" });
  await goesOn(live.log, 2);
  const image = `${work}.ckpt`;
  await checkpointed(live, image);
  await restored(image);
  await goesOn(live.log, 5);
  assert.equal(progress(live.log).failures, []);
});

sockets("redis-server counts on", async () => {
  const work = place("redis");
  const server = await startRedis(work);
  assert.is(await redis(server, "INCR visits"), ":1");
  await checkpointed(server, `${work}.ckpt`);
  await restored(`${work}.ckpt`);
  assert.is(await redis(server, "INCR visits"), ":2");
  assert.is(await redis({ path: join(work, "redis.sock") }, "INCR visits"), ":3");
});

sockets("nginx serves on", async () => {
  const work = place("nginx");
  const server = await startNginx(work);
  await checkpointed(server, `${work}.ckpt`);
  await restored(`${work}.ckpt`);
  assert.match(await httpGet(server, "/hello.txt"), /200 OK[\s\S]*hello from nginx/);
  assert.match(await httpGet({ path: join(work, "nginx.sock") }, "/hello.txt"), /hello from nginx/);
});

sockets("diff sees that the sockets of one program are the same, and those of two are not", async () => {
  const work = place("twice");
  const live = await startProgram("sockets", work);
  await goesOn(live.log, 1);
  const images = [1, 2].map((nth) => join(dir, `twice.${nth}.ckpt`));
  // Stopped, it moves no messages between the two looks.
  process.kill(live.pid, "SIGSTOP");
  await until("the program to stop", () => statOf(live.pid)?.state === "T");
  for (const image of images) {
    const { code, stderr } = await crimg(["checkpoint", String(live.pid), "-R", "-o", image]);
    assert.is(code, 0, stderr);
  }
  process.kill(live.pid, "SIGCONT");
  await goesOn(live.log, 2);
  assert.equal(progress(live.log).failures, []);
  const same = await crimg(["diff", ...images, "--only", "sockets"]);
  assert.is(same.code, 0, same.stdout + same.stderr);
  const other = await startProgram("sockets", place("other"));
  const image = join(dir, "other.ckpt");
  assert.is((await crimg(["checkpoint", String(other.pid), "-R", "-o", image])).code, 0);
  const [first = ""] = images;
  const differs = await crimg(["diff", first, image, "--only", "sockets", "--match-by", "tree"]);
  assert.is(differs.code, 1, differs.stdout + differs.stderr);
  assert.match(differs.stdout, /127\.0\.0\.1:\d+/);
});

sockets("a checkpoint of sockets becomes a CRIU set with the same sockets", async () => {
  const work = place("converted");
  const live = await startProgram("sockets", work);
  await goesOn(live.log, 1);
  const image = `${work}.ckpt`;
  await checkpointed(live, image);
  const set = `${work}.criu`;
  // All that is lost is what criu has no place for: the rest of a sleep.
  const { code, json } = await crimgJson(["convert", image, set, "--lossy"]);
  assert.is(code, 0, JSON.stringify(json));
  const { losses } = json as { losses: { object: string }[] };
  assert.equal(
    losses.filter(({ object }) => !/^task \d+$/.test(object)),
    [],
  );
  assert.ok(readdirSync(set).some((name) => name.startsWith("tcp-stream-")));
  const compared = await crimg(["diff", image, set, "--only", "sockets"]);
  assert.is(compared.code, 0, compared.stdout + compared.stderr);
});

sockets("sockets that criu dumped are restored from the stream that its set becomes", async () => {
  needCriu();
  const work = place("from-criu");
  const images = place("from-criu.images");
  const live = await startProgram("sockets", work);
  await goesOn(live.log, 2);
  await dump(live.pid, images, live.options.dump);
  await gone(live.pid);
  const image = `${work}.ckpt`;
  const converted = await crimg(["convert", images, image]);
  assert.is(converted.code, 0, converted.stdout + converted.stderr);
  const { ticks } = progress(live.log);
  await restored(image);
  await goesOn(live.log, 5);
  assert.ok(progress(live.log).ticks > ticks);
  assert.equal(progress(live.log).failures, []);
});

sockets("a restore that fails leaves no socket and no name behind", async () => {
  const work = place("failed");
  const live = await startProgram("sockets", work);
  await goesOn(live.log, 1);
  const image = `${work}.ckpt`;
  await checkpointed(live, image);
  rmSync(join(work, "absolute.sock"));
  writeFileSync(join(work, "absolute.sock"), "somebody's file");
  const { code, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach", "--force"]);
  assert.is(code, 1, stderr);
  assert.match(stderr, /absolute\.sock is now another file/);
  assert.is(statSync(join(work, "absolute.sock")).isFile(), true);
  rmSync(join(work, "absolute.sock"));
  await restored(image);
  await goesOn(live.log, 3);
  assert.equal(progress(live.log).failures, []);
});

const OUTSIDE = `
import os, socket, sys, time
os.chdir(sys.argv[1])
log = open("log", "a", buffering=1)
one, two = socket.socketpair()
near, far = os.pipe()
if os.fork() == 0:
    # The other ends belong to a process that is not in the tree.
    if os.fork() == 0:
        os.setsid()
        open("holder", "w").write(str(os.getpid()))
        time.sleep(100)
    os._exit(0)
os.wait()
two.close()
os.close(near)
client = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
log.write("ready\\n")
while True:
    time.sleep(0.05)
    log.write("tick 1 ok\\n")
`;

sockets("ends outside the tree are refused, each with who has it, and the program runs on", async () => {
  const work = place("outside");
  const program = join(work, "outside.py");
  writeFileSync(program, OUTSIDE);
  const server = await startRedis(place("outside-redis"));
  const live = await start(["/usr/bin/python3", program, work, String(server.port)], { cwd: "/" });
  const log = join(work, "log");
  await until(
    "the program to be ready",
    () => existsSync(log) && readFileSync(log, "utf8").includes("ready"),
  );
  const { stderr } = await refusal(live, `${work}.ckpt`);
  assert.match(
    stderr,
    /is a socket that is connected to socket:\[\d+\] outside the tree \(task \d+, python3, has it/,
  );
  assert.match(
    stderr,
    /is the pipe pipe:\[\d+\], which is also open outside the tree \(task \d+, python3, has it/,
  );
  assert.match(stderr, /is a TCP connection \(port \d+ to port \d+\) whose other end is outside the tree/);
  assert.not(existsSync(`${work}.ckpt`));
  await goesOn(log, 2);
  process.kill(Number(readFileSync(join(work, "holder"), "utf8")), "SIGKILL");
});

sockets.run();
