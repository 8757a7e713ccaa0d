/** inotify instances, devices, files of /proc and sealed memory files under the slim backend. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { cleanUp, freshDirectory, kill, progress, start, until } from "../helpers/live.js";
import { needsSlim, refusal, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const inotify = suite("slim: inotify and special files", {}, 180);
const dir = freshDirectory("slim-inotify");
inotify.before(needsSlim);
inotify.after(cleanUp);

inotify(
  "watches keep their numbers and what they wait for, and nothing is told that nobody caused",
  async () => {
    const work = join(dir, "watches");
    mkdirSync(work);
    const live = await survives("watches", work, 3);
    // The watch for one event, on the way, is still for one.
    await until("the fortieth tick", () => progress(live.log).ticks > 42);
    assert.equal(progress(live.log).failures, []);
    await kill(live);
  },
);

const python = (code: string) => ["/usr/bin/python3", "-c", code];

/** Starts a program and waits until it has written `ready` to its standard output. */
async function ready(name: string, code: string) {
  const output = join(dir, `${name}.out`);
  const live = await start(python(code), { cwd: dir, output });
  await until(`${name} to be ready`, () => spawnSync("grep", ["-q", "ready", output]).status === 0);
  return live;
}

inotify("events that wait are refused: there is no way to queue them again", async () => {
  const live = await ready(
    "events",
    `import ctypes, os, time
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0)
libc.inotify_add_watch(fd, b"${dir}", 0x100)
open("${join(dir, "caused")}", "w").close()
print("ready", flush=True)
time.sleep(1000)`,
  );
  const { stderr } = await refusal(live, join(dir, "events.ckpt"));
  assert.match(stderr, /the inotify instance \d+ of task \d+ has \d+ bytes of unread events/);
  await kill(live);
});

inotify("other devices and fanotify are refused by name", async () => {
  const live = await ready(
    "devices",
    `import ctypes, os, time
libc = ctypes.CDLL(None)
libc.fanotify_init(0, 0)
kmsg = os.open("/dev/kmsg", os.O_WRONLY)
print("ready", flush=True)
time.sleep(1000)`,
  );
  const { stderr } = await refusal(live, join(dir, "devices.ckpt"));
  assert.match(stderr, /is anon_inode:\[fanotify\], which the slim backend cannot save/);
  assert.match(stderr, /is \/dev\/kmsg, which the slim backend cannot save/);
  await kill(live);
});

inotify("a file that is watched and has no path any more is refused", async () => {
  const live = await ready(
    "nameless",
    `import ctypes, os, time
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0)
gone = "${join(dir, "gone")}"
held = os.open(gone, os.O_CREAT | os.O_RDWR)
libc.inotify_add_watch(fd, gone.encode(), 0x2)
os.unlink(gone)
print("ready", flush=True)
time.sleep(1000)`,
  );
  const { stderr } = await refusal(live, join(dir, "nameless.ckpt"));
  assert.match(stderr, /watches \(as 1\) the inode \d+, which has no known path/);
  await kill(live);
});

inotify.run();
