import * as assert from "uvu/assert";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { suite } from "../../../../helpers/suite.js";
import { type PlannedStream, plannedStream } from "./planned-stream.js";

const test = suite("--fd, --drop-fd and policies in streams");

function fds({ checkpoint }: PlannedStream, pid = 1): string[] {
  const { descriptors = [] } = checkpoint.task(pid)?.descriptors ?? {};
  return descriptors.map(
    ({ fd, type, file }) => `${fd} ${type}${file?.path === undefined ? "" : ` ${file.path}`}`,
  );
}

test("a descriptor goes with its file, its locks and the count of its table", () => {
  const before = plannedStream("rich", ["comm 1=x"]);
  const after = plannedStream("rich", ["drop-fd 1:4"]);
  assert.equal(
    fds(after),
    fds(before).filter((line) => !line.startsWith("4 ")),
  );
  assert.is(after.all(RECORDS.FILE_TABLE)[0]?.fdt_nfds, 9);
  assert.is(after.objects.size, before.objects.size - 1);
  assert.is(after.texts(RECORDS.FILE_NAME).includes("/run/fifo"), false);
});

test("a file that another descriptor or a mapping needs stays defined where it was", () => {
  const shared = plannedStream("rich", ["drop-fd 1:0"]);
  assert.ok(fds(shared).includes("1 REG /var/log/app.log"));
  const first = plannedStream("tree", ["drop-fd 1000:0"]);
  const other = first.checkpoint.tasks.find(
    ({ pid, descriptors }) => pid !== 1000 && descriptors !== undefined,
  );
  assert.ok(other?.descriptors?.descriptors.every(({ file }) => file !== undefined));
});

test("locks of the description go over to a descriptor that still has it; POSIX locks end", () => {
  const { all, checkpoint } = plannedStream("rich", ["drop-fd 1:0"]);
  assert.equal(
    all(RECORDS.FILE_LOCK)
      .map(({ fl_flags }) => fl_flags)
      .sort((a, b) => a - b),
    [2, 32],
  );
  assert.ok(checkpoint.locks.every(({ fd }) => fd === 1));
});

test("the unread bytes of a pipe go over to the end that stays", () => {
  const { all, image, plan } = plannedStream("rich", ["drop-fd 1:2"]);
  assert.is(all(RECORDS.PIPE_BUF).length, 2);
  const buffer = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === RECORDS.PIPE_BUF && image.payload(i).size > 0,
  ) as number;
  assert.is(image.bytes(buffer).toString(), "queued");
  assert.match(plan.warnings.join(), /nothing reads from the pipe any more: 1,7:3/);
});

test("the other end of a socket pair reads end of file, and queues of the closed one go", () => {
  const { all, plan } = plannedStream("rich", ["drop-fd 1:5"]);
  assert.equal(
    all(RECORDS.SOCKET_UNIX).map(({ peer }) => peer),
    [0],
  );
  assert.equal(
    all(RECORDS.SOCKET).map(({ sock }) => sock.shutdown),
    [3],
  );
  assert.is(all(RECORDS.SOCKET_QUEUE).length, 2);
  assert.match(plan.warnings.join(), /will read end of file/);
});

test("every descriptor of a table may go, in any order", () => {
  for (const order of [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    [5, 0, 9, 1, 8, 2, 7, 3, 6, 4],
  ]) {
    const { all, checkpoint } = plannedStream(
      "rich",
      order.map((fd) => `drop-fd 1:${fd}`),
    );
    assert.is(all(RECORDS.FILE_TABLE)[0]?.fdt_nfds, 0);
    assert.is(all(RECORDS.FILE_DESC).length, 0);
    assert.is(all(RECORDS.FILE).length, 1, "the program's own file stays");
    assert.is(checkpoint.locks.length, 0);
  }
});

test("behind the last descriptor, what others need is defined before the queues", () => {
  // The program's file is defined with the last descriptor, before the queues of the sockets.
  const { after } = plannedStream("sockets", ["comm 1000=x"]);
  const { checkpoint } = plannedStream(after, ["comm 1000=y"]);
  const all = checkpoint.task(1000)?.descriptors?.descriptors ?? [];
  const last = all.at(-1)?.fd as number;
  for (const { fd } of all)
    assert.ok(plannedStream("sockets", [`drop-fd 1000:${fd}`, `drop-fd 1000:${last}`]));
});

test("an epoll instance no longer waits for a file that is gone", () => {
  const before = plannedStream("threads", ["comm 1000=x"]);
  const epolls = before.all(RECORDS.EPOLL_ITEMS).reduce((sum, { num_items }) => sum + num_items, 0);
  let dropped = 0;
  for (const { fd, type } of before.checkpoint.task(1000)?.descriptors?.descriptors ?? []) {
    if (type === "EVENTPOLL" || type === "MEMFD") continue;
    const after = plannedStream("threads", [`drop-fd 1000:${fd}`]);
    dropped += epolls - after.all(RECORDS.EPOLL_ITEMS).reduce((sum, { num_items }) => sum + num_items, 0);
  }
  assert.is(dropped, epolls);
  assert.ok(epolls > 0);
});

test("a descriptor becomes a file with a number that nothing else has", () => {
  const after = plannedStream("rich", ["fd 1:2=/srv/out.txt,append", "fd 1:7=/srv/in.txt"]);
  assert.ok(fds(after).includes("2 REG /srv/out.txt"));
  assert.ok(fds(after).includes("7 REG /srv/in.txt"));
  const out = after.checkpoint.files.all.find(({ path }) => path === "/srv/out.txt");
  assert.is((out?.flags ?? 0) & 0o2003, 0o2000);
  assert.is(after.all(RECORDS.TTY).length, 0, "the terminal went with its last file");
});

test("descriptors that shared one description share the new one", () => {
  const { checkpoint } = plannedStream("rich", ["fd 1:1=/srv/log", "fd 7:0=/srv/log"]);
  const [a, b] = checkpoint.task(1)?.descriptors?.descriptors ?? [];
  assert.is(a?.fileId, b?.fileId);
  assert.is(a?.file?.path, "/srv/log");
});

test("two edits of one descriptor need two runs", () => {
  assert.throws(() => plannedStream("rich", ["fd 1:2=/a", "drop-fd 1:2"]), /run of its own/);
});

test("policies: the first that matches decides for each descriptor", () => {
  const policy = (action: string, more: object) =>
    ({
      path: undefined,
      type: undefined,
      fd: undefined,
      to: undefined,
      append: false,
      action,
      ...more,
    }) as never;
  const after = plannedStream("rich", [], {}, [
    policy("drop", { type: "PIPE" }),
    policy("remap", { path: "/var/log/*", to: "/logs/" }),
    policy("reopen", { type: "TTY", to: "/srv/out", append: true }),
  ]);
  assert.is(fds(after).filter((line) => line.includes("PIPE")).length, 0);
  assert.ok(fds(after).includes("0 REG /logs/app.log"));
  assert.ok(fds(after).includes("7 REG /srv/out"));
  assert.throws(
    () => plannedStream("rich", [], {}, [policy("error", { type: "TTY" })]),
    /a policy refuses descriptor 1,7:7 \(TTY\)/,
  );
});

test.run();
