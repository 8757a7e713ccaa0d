import * as assert from "uvu/assert";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import type { TcpStreamEntry } from "../../../../../src/formats/criu/tables/sk-inet.js";
import type { SkPacketEntry } from "../../../../../src/formats/criu/tables/sk-queue.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import type { Checkpoint } from "../../../../../src/model/checkpoint.js";
import type { OpenFile } from "../../../../../src/model/open-file.js";
import type { Socket } from "../../../../../src/model/socket.js";
import { convertedFixture } from "../../../../helpers/converted-stream.js";
import { fixture } from "../../../../helpers/images.js";
import { openSet } from "../../../../helpers/open-set.js";
import { suite } from "../../../../helpers/suite.js";

const test = suite("convert: sockets of a set in a stream");
const R = RECORDS;
const LISTEN = 10;

/** Sockets by the descriptor of the one task that has them. */
function sockets(checkpoint: Checkpoint): Map<number, Socket> {
  const found = new Map<number, Socket>();
  for (const { fd, file } of checkpoint.tasks[0]?.descriptors?.descriptors ?? [])
    if (file?.socket !== undefined) found.set(fd, file.socket);
  return found;
}

function fdOf(checkpoint: Checkpoint, file: OpenFile | undefined): number | undefined {
  const all = checkpoint.tasks[0]?.descriptors?.descriptors ?? [];
  return file === undefined ? undefined : all.find((each) => each.file?.id === file.id)?.fd;
}

test("families, types, states, names, ports and peers are the same", () => {
  const { from, to } = convertedFixture("sockets");
  const after = sockets(to);
  let compared = 0;
  for (const [fd, before] of sockets(from)) {
    const now = after.get(fd);
    for (const key of ["family", "type", "protocol", "state", "inode", "local", "remote"] as const)
      assert.is(now?.[key], before[key], `fd ${fd} ${key}`);
    assert.is(now?.localPort, before.localPort);
    assert.is(now?.remotePort, before.remotePort);
    assert.is(now?.backlog, before.backlog);
    assert.is(fdOf(to, now?.peer), fdOf(from, before.peer), `fd ${fd} peer`);
    compared++;
  }
  assert.is(compared, 24);
});

test("each packet that waited is there with its bytes, in order", () => {
  const { from, image, objects } = convertedFixture("sockets");
  const document = openSet(fixture("sockets"));
  const queues = document.set.image(IMAGES.SK_QUEUES);
  const expected = new Map<number, Buffer[]>();
  for (const { value, payload } of queues?.records() ?? []) {
    const { id_for: id } = value as SkPacketEntry;
    const data = queues?.source.read(payload[0]?.offset ?? 0, payload[0]?.size ?? 0) as Buffer;
    const ino = from.files.get(id, "UNIXSK")?.record.ino as number;
    expected.set(ino, [...(expected.get(ino) ?? []), data]);
  }
  let packets = 0;
  for (const part of objects.values()) {
    if (part.rule !== "SOCK") continue;
    const extra = part.records.find((i) => image.kind(i) === R.SOCKET_EXTRA) as number;
    const ino = Number(image.value(extra, R.SOCKET_EXTRA).inode);
    const [received, unsent] = part.deferred?.parts ?? [];
    if (part.records.some((i) => image.kind(i) === R.TCP_EXTRA)) continue;
    const data = (received?.parts ?? []).map(({ records }) => image.bytes(records[1] as number));
    assert.equal(data, expected.get(ino) ?? [], `socket ${ino}`);
    packets += data.length;
    if (received === undefined) continue;
    const { total_bytes: total } = image.value(received.records[0] as number, R.SOCKET_QUEUE);
    assert.is(total, Buffer.concat(data).length);
    assert.is(unsent?.parts.length, 0);
  }
  assert.is(packets, 13);
  document.close();
});

test("the sum of a message is what its BUFFER holds behind data_offset", () => {
  const { all, image } = convertedFixture("sockets");
  assert.is(all(R.SOCKET_BUFFER).length, 15);
  for (let i = 0; i < image.length; i++) {
    if (image.kind(i) !== R.SOCKET_BUFFER) continue;
    const head = image.value(i, R.SOCKET_BUFFER);
    assert.is(head.lin_len, image.payload(i + 1).size);
    assert.is((head.lin_len ?? 0) - (head.data_offset ?? 0), head.skb_len);
    assert.is(head.nr_frags, 0);
  }
});

test("a pair stands inside of one another, and names both ends", () => {
  const { all, objects, image } = convertedFixture("tree");
  const ends = all(R.SOCKET_UNIX);
  assert.is(ends.length, 2);
  const [inner, outer] = ends;
  assert.is(inner?.peer, outer?.this);
  assert.is(outer?.peer, inner?.this);
  assert.ok((inner?.this ?? 0) > (outer?.this ?? 0), "the records of the peer come first");
  for (const part of objects.values())
    if (part.rule === "SOCK") assert.is(image.kind(part.deferred?.parts[0]?.records[0] ?? 0), R.SOCKET_QUEUE);
});

test("listening sockets have no queues, all others two", () => {
  const { objects, image } = convertedFixture("sockets");
  for (const { rule, records, deferred } of objects.values()) {
    if (rule !== "SOCK") continue;
    const { sock, has_buffers: has } = image.value(records[0] as number, R.SOCKET);
    assert.is(deferred?.parts.length ?? 0, sock.state === LISTEN ? 0 : 2);
    assert.is(has, sock.state === LISTEN ? 0 : 1);
  }
});

test("names: a relative one with its directory, a deleted one, an abstract one; owner and mode of the file", () => {
  const { all } = convertedFixture("sockets");
  const names = new Map(
    all(R.SOCKET_UNIX).map((one) => [
      one.laddr.subarray(2, one.laddr_len).toString("latin1"),
      { linked: one.flags, family: one.laddr.readUInt16LE() },
    ]),
  );
  assert.equal(names.get("relative.sock\0"), { linked: 1, family: 1 });
  assert.equal(names.get("deleted.sock\0"), { linked: 0, family: 1 });
  assert.equal(names.get("\0crimg-sockets-1000"), { linked: 0, family: 1 });
  assert.is(all(R.SOCKET_EXTRA).filter(({ flags, mode }) => flags === 1 && mode === 0o140755).length, 4);
});

test("addresses stand in network byte order, ports too", () => {
  const { all } = convertedFixture("container");
  const [inet] = all(R.SOCKET_INET);
  assert.equal([...(inet?.laddr ?? [])].slice(0, 8), [2, 0, 8080 >> 8, 8080 & 0xff, 127, 0, 0, 1]);
  assert.is(inet?.num, 8080);
  assert.is(inet?.sport, ((8080 & 0xff) << 8) | (8080 >> 8));
  assert.is(inet?.rcv_saddr, 0x0100007f);
});

test("options: buffer sizes as setsockopt(2) takes them, times in ns, and which are stored", () => {
  const { all } = convertedFixture("sockets");
  const [first] = all(R.SOCKET);
  assert.is(first?.sock.sndbuf, 212992 / 2);
  assert.is(first?.sock.rcvtimeo, 10_000_000_000n);
  assert.is(first?.sock.sndtimeo, 0n);
  const stored = all(R.SOCKET_EXTRA).map(({ so_options: options }) => (options >> 32n) & 0x1ffn);
  assert.ok(stored.includes(0x1ffn), "all options of unix sockets are stored");
  assert.ok(stored.includes(0x1ffn & ~6n), "the set says nothing of credentials of internet sockets");
});

test("a connection has its sequence numbers, what was agreed on, and both queues", () => {
  const { from, image, objects, losses } = convertedFixture("sockets");
  assert.equal(losses, []);
  const connections = [...objects.values()].filter(({ records }) =>
    records.some((i) => image.kind(i) === R.TCP_EXTRA),
  );
  assert.is(connections.length, 2);
  for (const { records, deferred } of connections) {
    const find = (kind: (typeof R)[keyof typeof R]) => records.find((i) => image.kind(i) === kind) as number;
    const ino = Number(image.value(find(R.SOCKET_EXTRA), R.SOCKET_EXTRA).inode);
    const { tcp } = image.value(find(R.SOCKET_INET), R.SOCKET_INET);
    const extra = image.value(find(R.TCP_EXTRA), R.TCP_EXTRA);
    const document = openSet(fixture("sockets"));
    const [stream] = document.set.records(IMAGES.TCP_STREAM, ino);
    const { value } = stream as { value: TcpStreamEntry };
    document.close();
    assert.is(tcp?.rcv_nxt, value.inq_seq);
    assert.is(((tcp?.rcv_nxt ?? 0) - (tcp?.copied_seq ?? 0)) >>> 0, value.inq_len);
    assert.is(tcp?.write_seq, value.outq_seq);
    assert.equal(
      [extra.opt_mask, extra.snd_wscale, extra.rcv_wscale, extra.mss_clamp, extra.timestamp, extra.flags],
      [value.opt_mask, value.snd_wscale, value.rcv_wscale, value.mss_clamp, value.timestamp, 15],
    );
    const bytes = (deferred?.parts ?? []).map(
      (queue) => image.value(queue.records[0] as number, R.SOCKET_QUEUE).total_bytes,
    );
    assert.equal(bytes, [value.inq_len, value.outq_len]);
  }
  assert.is([...sockets(from).values()].filter(({ connected }) => connected).length, 2);
});

test("netlink and packet sockets, and descriptors in flight, stand in records of the extension", () => {
  const { all, image, objects } = convertedFixture("sockets");
  assert.is(all(R.SOCKET_NETLINK)[0]?.portid, 1000);
  assert.is(all(R.SOCKET_PACKET).length, 1);
  const rights = Array.from({ length: image.length }, (_, i) => i).filter(
    (i) => image.kind(i) === R.PACKET_RIGHTS,
  );
  assert.is(rights.length, 1);
  const [passed] = image.numbers(rights[0] as number);
  const file = objects.get(passed as number);
  const name = file?.records.find((i) => image.kind(i) === R.FILE_NAME) as number;
  assert.match(image.text(name), /\/sockets\/passed$/);
});

test.run();
