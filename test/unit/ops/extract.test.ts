import * as assert from "uvu/assert";
import type { Document } from "../../../src/model/document.js";
import { chooseExtractable, type Extractable, extractables } from "../../../src/ops/extract/extract.js";
import { joined } from "../../helpers/bytes.js";
import { suite } from "../../helpers/suite.js";
import { DamagedSet } from "./validate/damaged-set.js";
import { DamagedStream, type StreamName } from "./validate/damaged-stream.js";

const test = suite("src/ops/extract");

const set = (name: string) => new DamagedSet(name).open();
const both = (name: string): Document[] => [set(name), new DamagedStream(name as StreamName).open()];

function bytesOf(chosen: readonly Extractable[]): Buffer {
  return joined(chosen.flatMap((each) => [...each.contents()]));
}

function extracted(document: Document, object: string, more: object = {}): string {
  return bytesOf(chooseExtractable(document.checkpoint, { object, ...more })).toString("latin1");
}

for (const name of ["deleted", "sockets", "tree", "container", "threads"])
  test(`${name}: each object is as long as is said`, () => {
    for (const document of both(name)) {
      const all = [...extractables(document.checkpoint)];
      assert.ok(all.length > 0);
      for (const each of all) assert.is(BigInt(bytesOf([each]).length), each.size(), each.name);
    }
  });

test("deleted files by their names and descriptors, the same from both families; directories and links hold nothing", () => {
  const home = "/var/lib/crimg-demo/deleted";
  for (const document of both("deleted")) {
    assert.is(extracted(document, `${home}/small`), "s".repeat(100));
    assert.is(extracted(document, `${home}/small (deleted)`), "s".repeat(100));
    assert.is(extracted(document, "1000:4"), "s".repeat(100));
    assert.is(extracted(document, "1000:9"), "unnamed");
    assert.is(extracted(document, "1000:7"), extracted(document, `${home}/twin`));
    assert.is(extracted(document, `${home}/other-twin`), "t".repeat(300));
    assert.is(extracted(document, "1000:11"), "in flight");
    for (const object of ["1000:12", "1000:13", "1000:14", "1000:0", "7:7", "nothing"])
      assert.throws(() => extracted(document, object), /no object ".*" \(crimg extract IMG lists all\)/);
  }
});

test("a file of 64 MiB with 6 bytes stays a hole", () => {
  for (const document of both("deleted")) {
    const [sparse] = chooseExtractable(document.checkpoint, { object: "1000:8" });
    let zeros = 0;
    let bytes = 0;
    for (const piece of sparse?.contents() ?? [])
      if (Buffer.isBuffer(piece)) bytes += piece.length;
      else zeros += piece.zeros;
    assert.is(bytes + zeros, 64 * 1024 * 1024);
    assert.ok(bytes < 64 * 1024);
  }
});

test("messages one after the other, or one of them; what a TCP connection has received", () => {
  for (const document of both("sockets")) {
    const name = "unix DGRAM [260661]";
    assert.match(extracted(document, name), /^to datagram 2\0+to datagram 1\0+$/);
    assert.match(extracted(document, name, { message: 1 }), /^to datagram 1\0+$/);
    assert.match(extracted(document, "TCP 127.0.0.1:40100 -> 127.0.0.1:55187"), /^to connection/);
    assert.throws(() => extracted(document, name, { kind: "tmpfs" }), /no object/);
  }
});

test("shared memory, System V, and what a tmpfs holds", () => {
  for (const document of both("threads")) assert.is(extracted(document, "memfd:buffer").length, 8192);
  for (const document of both("container")) {
    assert.is(extracted(document, "[SysV 0]").length, 8192);
    assert.match(extracted(document, "message queue 0"), /^a message\0/);
  }
  assert.is(extracted(set("container"), "/tmp").slice(0, 2), "\x1f\x8b");
});

test("two things with one name are told apart by their kind", () => {
  const { checkpoint } = set("sockets");
  const unsent = {
    ...checkpoint,
    fileSystems: () => [{ kind: "tmpfs", name: "unix STREAM [260659]", pieces: () => [] }],
  };
  const wanted = { object: "unix STREAM [260659]" };
  assert.throws(
    () => chooseExtractable(unsent as unknown as typeof checkpoint, wanted),
    /choose one with --kind: received by socket, tmpfs/,
  );
});

test.run();
