import * as assert from "uvu/assert";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { suite } from "../../../../helpers/suite.js";
import { plannedStream, streamBytes } from "./planned-stream.js";

const test = suite("--remap-path in streams");
const DEMO = "/var/lib/crimg-demo";

for (const name of ["logger", "locks", "deleted", "sockets", "terminal", "threads", "tree"])
  test(`${name}: every path moves, and nothing else`, () => {
    const { checkpoint, texts, plan } = plannedStream(name, [`remap-path ${DEMO}=/srv/a/longer/demo`]);
    const names = [
      ...texts(RECORDS.FILE_NAME),
      ...texts(RECORDS.INOTIFY_WATCH),
      ...texts(RECORDS.OPENED_NAME),
    ];
    assert.is(names.filter((path) => path.includes(DEMO)).length, 0);
    assert.ok(names.some((path) => path.startsWith("/srv/a/longer/demo/")));
    assert.ok(checkpoint.tasks.some((task) => task.exe?.path?.startsWith("/srv/a/longer/demo/")));
    assert.equal(plan.unmatched, []);
    const back = plannedStream(name, [`remap-path ${DEMO}=/srv/a/longer/demo`]);
    const again = plannedStream(back.after, [`remap-path /srv/a/longer/demo=${DEMO}`]);
    assert.ok(again.after.equals(streamBytes(name)), "the way back gives the same bytes");
  });

test("by whole components, the longest OLD first, whatever their order", () => {
  const { texts } = plannedStream("rich", [
    "remap-path /var=/v",
    "remap-path /var/log=/logs",
    "remap-path /usr/bi=/never",
    "remap-path /work=/elsewhere",
  ]);
  const names = texts(RECORDS.FILE_NAME);
  assert.ok(names.includes("/logs/app.log"));
  assert.ok(names.includes("/usr/bin/app"));
  assert.ok(names.includes("/elsewhere"));
});

test("what looks alike stays and is told: an edit that matches nothing is told as well", () => {
  const { plan } = plannedStream("rich", ["remap-path /usr/bi=/never"]);
  assert.equal(plan.unmatched.length, 1);
  assert.equal(
    plan.left.map(({ value, why }) => `${value}: ${why}`),
    ["/usr/bin/app: not OLD itself and not below it"],
  );
});

test("unix sockets: absolute names with their length, relative ones by their directory, abstract ones not", () => {
  const { all, texts, plan } = plannedStream("sockets", [`remap-path ${DEMO}/sockets=/s`]);
  const named = all(RECORDS.SOCKET_UNIX).find(({ laddr }) => laddr.includes("/s/absolute.sock"));
  assert.is(
    named?.laddr_len,
    2 + "/s/absolute.sock".length + (named?.laddr[2 + 16] === 0 ? named.laddr_len - 18 : 0),
  );
  assert.ok(texts(RECORDS.STRING).filter((directory) => directory === "/s").length >= 2);
  assert.ok(plan.changes.some(({ field }) => field === "laddr_len"));
});

test("a socket name that does not fit into an address is refused", () => {
  assert.throws(
    () => plannedStream("sockets", [`remap-path ${DEMO}=/${"x".repeat(100)}`]),
    /a socket address holds 108/,
  );
});

test("a path longer than the format takes is refused, with its record", () => {
  assert.throws(
    () => plannedStream("rich", [`remap-path /var=/${"x/".repeat(2045)}x`]),
    /expected at most 4095\) .*in \[50\]/,
  );
});

test("the link of a deleted file moves with it, and what to do on disk is noted", () => {
  const { texts, plan } = plannedStream("deleted", [`remap-path ${DEMO}=/srv`]);
  assert.ok(texts(RECORDS.FILE_NAME).includes("/srv/deleted/link_remap.13"));
  assert.ok(plan.notes.some((note) => note.includes("move that to /srv/deleted/link_remap.13 on disk")));
});

test("memory that still holds the old path is told by task and address", () => {
  const { plan } = plannedStream("logger", [`remap-path ${DEMO}=/srv`], { scanMemory: true });
  const { mentions = [] } = plan;
  assert.ok(mentions.length > 0);
  const bytes = streamBytes("logger");
  let hits = 0;
  for (let at = bytes.indexOf(DEMO); at !== -1; at = bytes.indexOf(DEMO, at + 1)) hits++;
  const inNames = plan.changes.length;
  assert.is(mentions.length, hits - inNames, "all places in the image but the names are in memory");
  assert.ok(mentions.every(({ pid, address }) => pid === 1000 && address > 0n));
});

test.run();
