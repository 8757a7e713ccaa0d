import * as assert from "uvu/assert";
import type { InetSkEntry } from "../../../src/formats/criu/tables/sk-inet.js";
import type { NetlinkSkEntry } from "../../../src/formats/criu/tables/sk-netlink.js";
import type { PacketSockEntry } from "../../../src/formats/criu/tables/sk-packet.js";
import type { UnixSkEntry } from "../../../src/formats/criu/tables/sk-unix.js";
import type { RecordKind } from "../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import { encodeRecord } from "../../../src/formats/linux-cr/write.js";
import * as criu from "../../../src/model/criu/sockets.js";
import { StreamReader } from "../../../src/model/linux-cr/reader.js";
import { encodeExtra } from "../../../src/model/linux-cr/socket-options.js";
import * as linuxCr from "../../../src/model/linux-cr/sockets.js";
import type { Socket } from "../../../src/model/socket.js";
import { convertedFixture } from "../../helpers/converted-stream.js";
import { suite } from "../../helpers/suite.js";

const test = suite("sockets are encoded as they were decoded");
/** What belongs to the open file, or names others in the set. */
const ELSEWHERE = ["id", "ino", "peer", "flags", "uflags", "fown", "ns_id", "mnt_id"];

type Entry = UnixSkEntry | InetSkEntry | NetlinkSkEntry | PacketSockEntry;

function encode(type: string, socket: Socket): object | undefined {
  if (type === "UNIXSK") return criu.encodeUnix(socket);
  if (type === "INETSK") return criu.encodeInet(socket);
  return type === "NETLINKSK" ? criu.encodeNetlink(socket) : criu.encodePacketSocket(socket);
}

/** A message in which nothing is said, which is the same as none. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value) || Array.isArray(value))
    return false;
  return Object.values(value).every((inner) => inner === undefined);
}

for (const fixture of ["sockets", "container", "tree"])
  test(`${fixture}: entries of the set`, () => {
    const { from } = convertedFixture(fixture);
    let compared = 0;
    for (const { type, socket, record } of from.files.all) {
      if (socket === undefined) continue;
      const entry = Object.entries(record as Entry).filter(
        ([name, value]) => value !== undefined && !ELSEWHERE.includes(name) && !isEmpty(value),
      );
      assert.equal(encode(type, socket), Object.fromEntries(entry), socket.local);
      compared++;
    }
    assert.ok(compared > 0);
  });

for (const fixture of ["sockets", "container", "tree"])
  test(`${fixture}: records of the stream`, () => {
    const { image } = convertedFixture(fixture);
    const reader = new StreamReader(image);
    const same = (index: number | undefined, kind: RecordKind, fields: object): void => {
      const { offset, size } = image.range(index as number);
      const bytes = encodeRecord(kind, image.dialect, image.byteOrder, { ...fields });
      assert.equal(bytes, Buffer.from(image.source.read(offset, size)), image.label(index as number));
    };
    let compared = 0;
    for (const part of reader.objects("SOCK")) {
      const socket = linuxCr.decodeSocket(reader, part);
      same(reader.index(part, RECORDS.SOCKET), RECORDS.SOCKET, linuxCr.encodeSocket(socket));
      const unix = reader.find(part, RECORDS.SOCKET_UNIX);
      if (unix !== undefined && socket.unix !== undefined) {
        const { this: objref, peer, peercred: credentials = 0 } = unix.value;
        const { peerName } = socket.unix;
        const others = { objref, peer, peerName, credentials };
        same(unix.index, RECORDS.SOCKET_UNIX, linuxCr.encodeUnix(socket, others));
        same(reader.index(part, RECORDS.SOCKET_EXTRA), RECORDS.SOCKET_EXTRA, encodeExtra(socket));
      } else
        for (const [kind, fields] of linuxCr.encodeAddress(socket, socket.connection()))
          same(reader.index(part, kind), kind, fields);
      compared++;
    }
    assert.ok(compared > 0);
  });

test.run();
