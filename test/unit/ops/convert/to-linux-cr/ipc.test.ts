import * as assert from "uvu/assert";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { Losses } from "../../../../../src/model/loss.js";
import { Context } from "../../../../../src/ops/convert/to-linux-cr/context.js";
import { writeIpc } from "../../../../../src/ops/convert/to-linux-cr/ipc.js";
import { SetBuilder } from "../../../../helpers/build-set.js";
import { convertedFixture } from "../../../../helpers/converted-stream.js";
import { suite } from "../../../../helpers/suite.js";
import { walkStream } from "../../../../helpers/walk-stream.js";

const test = suite("convert: System V objects of a set in a stream");
const R = RECORDS;

test("a segment with its pages, a queue with its messages, a set with its values", () => {
  const { all, image, objects } = convertedFixture("container");
  const [segment] = all(R.IPC_SHM);
  assert.equal([segment?.perms.key, segment?.perms.mode, segment?.shm_segsz], [0x63726d67, 0o600, 8192n]);
  assert.is(segment?.mlock_uid, 0xffffffff);
  assert.not.ok(objects.has(segment?.objref ?? 0), "its number is hidden");
  const [queue] = all(R.IPC_MSG);
  assert.equal([queue?.q_qnum, queue?.q_cbytes, queue?.q_qbytes], [1n, 16n, 16384n]);
  const [message] = all(R.IPC_MSG_MSG);
  assert.equal([message?.m_type, message?.m_ts], [7n, 16]);
  const at = Array.from({ length: image.length }, (_, i) => i);
  const messageAt = at.find((i) => image.kind(i) === R.IPC_MSG_MSG) ?? 0;
  assert.is(image.bytes(messageAt + 1).toString("latin1"), "a message".padEnd(16, "\0"));
  const semaphores = at.find((i) => image.kind(i) === R.IPC_SEM) ?? 0;
  assert.equal(image.numbers(semaphores + 1), [0, 0, 5, 0, 0, 0]);
  const lists = all(R.IPC).map(({ ipc_type: type, ipc_count: count }) => [type, count]);
  assert.equal(lists, [
    [502, 1],
    [503, 1],
    [505, 1],
  ]);
});

const DESC = { key: 1, uid: 2, gid: 3, cuid: 4, cgid: 5, mode: 0o640, id: 9 };

const LIMITS = {
  ...{ sem_ctls: [1, 2, 3, 4], msg_ctlmax: 5, msg_ctlmnb: 6, msg_ctlmni: 7, auto_msgmni: 0 },
  ...{ shm_ctlmax: 8n, shm_ctlall: 9n, shm_ctlmni: 10, shm_rmid_forced: 0 },
  ...{ mq_queues_max: 1, mq_msg_max: 2, mq_msgsize_max: 3 },
};

/** A record of id 1 tells the byte order to the walk of the framing. */
const HEAD = Buffer.from([1, 0, 0, 0, 8, 0, 0, 0]);

function listsOf(set: SetBuilder): { bytes: Buffer; context: Context } {
  const context = new Context(set.image(IMAGES.IPC_VAR, 11, [LIMITS]).set(), new Losses());
  writeIpc(context, 11);
  const source = context.writer.source("lists");
  return { bytes: Buffer.concat([HEAD, source.read(0, source.size)]), context };
}

test("a long message is cut where the kernel cuts it, an empty one has an empty piece", () => {
  const long = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i & 0xff));
  const set = new SetBuilder().image(
    IMAGES.IPCNS_MSG,
    11,
    [{ desc: DESC, qbytes: 65536, qnum: 2 }],
    [Buffer.concat([framed(10_000), long, framed(0)])],
  );
  const { bytes } = listsOf(set);
  const buffers = walkStream(bytes).records.filter(({ id }) => id === 4);
  assert.equal(
    buffers.map(({ size }) => size - 8),
    [4048, 4088, 10_000 - 4048 - 4088, 0],
  );
  const content = buffers.map(({ offset, size }) => bytes.subarray(offset + 8, offset + size));
  assert.equal(Buffer.concat(content), long);
});

/** An ipc_msg of type 1: a size word, then fields 1 and 2 as varints. */
function framed(size: number): Buffer {
  const varint: number[] = [];
  let rest = size;
  do {
    varint.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  const message = Buffer.from([8, 1, 16, ...varint]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(message.length);
  return Buffer.concat([length, message]);
}

test("old sets keep the contents of a segment behind its record: the last page is filled up", () => {
  const contents = Buffer.alloc(4096 + 100, 0x55);
  const set = new SetBuilder().image(
    IMAGES.IPCNS_SHM,
    11,
    [{ desc: DESC, size: BigInt(contents.length) }],
    [contents],
  );
  const { bytes, context } = listsOf(set);
  const [pages] = walkStream(bytes).records.filter(({ id }) => id === 4);
  assert.is(pages?.size, 8 + 2 * 8 + 2 * 4096);
  const at = (pages?.offset ?? 0) + 8;
  assert.equal([bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8)], [0n, 1n]);
  assert.equal(bytes.subarray(at + 16, at + 16 + contents.length), contents);
  assert.ok(context.known("INODE", "sysv 9"), "mappings of it find its number");
});

test.run();
