import * as assert from "uvu/assert";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import { type PageRun, StreamWriter } from "../../../../src/formats/linux-cr/stream-writer.js";
import { MemorySource } from "../../../../src/io/source.js";
import { PAGE_SIZE } from "../../../../src/linux/mman.js";
import { suite } from "../../../helpers/suite.js";
import { walkStream } from "../../../helpers/walk-stream.js";

const test = suite("formats: linux-cr: stream writer");

function bytesOf(writer: StreamWriter): Buffer {
  const source = writer.source("test");
  return source.read(0, source.size);
}

test("objects and hidden numbers come from one counter", () => {
  const writer = new StreamWriter();
  assert.is(writer.numbers(3), 1);
  assert.is(writer.objref("CRED"), 4);
  assert.is(writer.number(), 5);
  assert.is(writer.objref("FILE"), 6);
  const bytes = bytesOf(writer);
  // OBJREF: id 6, 16 bytes, type u32 at 8, number s32 at 12; CRED is type 14, FILE type 4 in 5c3471a.
  const words = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(i * 4));
  assert.equal(words, [6, 16, 14, 4, 6, 16, 4, 6]);
});

test("a payload of ranges makes the record as long as it is", () => {
  const writer = new StreamWriter();
  const source = new MemorySource(Buffer.from("0123456789"), "digits");
  writer.record(RECORDS.PIPE_BUF, {}, [{ source, offset: 3, size: 4 }, { zeros: 2 }, Buffer.from("!")]);
  writer.text(RECORDS.FILE_NAME, "/a");
  assert.is(writer.size, 15 + 11);
  const bytes = bytesOf(writer);
  assert.is(bytes.readUInt32LE(4), 15);
  assert.is(bytes.toString("latin1", 8, 15), "3456\0\0!");
  assert.is(bytes.toString("latin1", 23), "/a\0");
});

test("a page list is cut into batches of 8192 keys and ends with an empty one", () => {
  const memory = Buffer.alloc(3 * PAGE_SIZE);
  for (let page = 0; page < 3; page++) memory.fill(page + 1, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
  const source = new MemorySource(memory, "memory");
  const runs: PageRun[] = [
    { key: 0x1000n, pages: 8191 },
    { key: 0x9000_0000n, pages: 3, from: { source, offset: 0 } },
  ];
  const writer = new StreamWriter();
  writer.record(RECORDS.HEADER);
  writer.pages(runs, BigInt(PAGE_SIZE));
  const bytes = bytesOf(writer);
  const { records, end } = walkStream(bytes);
  assert.is(records.shift()?.id, 1);
  assert.is(end, bytes.length);
  assert.equal(
    records.map(({ id, size }) => [id, size]),
    [
      [403, 16],
      [4, 8 + 8192 * (8 + PAGE_SIZE)],
      [403, 16],
      [4, 8 + 2 * (8 + PAGE_SIZE)],
      [403, 16],
    ],
  );
  assert.equal(
    records.filter(({ id }) => id === 403).map(({ offset }) => bytes.readBigUInt64LE(offset + 8)),
    [8192n, 2n, 0n],
  );
  const [first, second] = records.filter(({ id }) => id === 4).map(({ offset }) => offset + 8) as [
    number,
    number,
  ];
  assert.is(bytes.readBigUInt64LE(first + 8190 * 8), 0x1000n + 8190n * 4096n);
  assert.is(bytes.readBigUInt64LE(first + 8191 * 8), 0x9000_0000n);
  const lastPage = first + 8192 * 8 + 8191 * PAGE_SIZE;
  assert.is(bytes[lastPage - 1], 0);
  assert.is(bytes[lastPage], 1);
  assert.equal(
    [bytes.readBigUInt64LE(second), bytes.readBigUInt64LE(second + 8)],
    [0x9000_1000n, 0x9000_2000n],
  );
  assert.equal([bytes[second + 16], bytes[second + 16 + PAGE_SIZE]], [2, 3]);
});

test("page indexes count by one", () => {
  const writer = new StreamWriter();
  writer.pages([{ key: 5n, pages: 2 }], 1n);
  const bytes = bytesOf(writer);
  assert.equal([bytes.readBigUInt64LE(24), bytes.readBigUInt64LE(32)], [5n, 6n]);
});

test.run();
