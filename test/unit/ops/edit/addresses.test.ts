import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { InetSkEntry } from "../../../../src/formats/criu/tables/sk-inet.js";
import { formatAddress, parseAddress } from "../../../../src/schema/ip-address.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { suite } from "../../../helpers/suite.js";
import { edits, planned } from "./planned.js";

const test = suite("src/ops/edit/kinds: remap-address and tcp-listen-remap");

const LISTEN = 10;
const ESTABLISHED = 1;
const NO_OPTIONS = {
  ...{
    so_sndbuf: 0,
    so_rcvbuf: 0,
    so_snd_tmo_sec: 0n,
    so_snd_tmo_usec: 0n,
    so_rcv_tmo_sec: 0n,
    so_rcv_tmo_usec: 0n,
  },
  so_filter: [],
};

interface Ends {
  readonly src: string;
  readonly dst?: string;
  readonly state?: number;
  readonly proto?: number;
}

/** A set with these sockets, `address port` each. */
function sockets(...all: Ends[]): SetBuilder {
  const entries = all.map(({ src, dst = "", state = LISTEN, proto = 6 }, i): InetSkEntry => {
    const [address = "", port] = src.split(" ");
    const [peer = "", peerPort] = dst.split(" ");
    const words = parseAddress(address) ?? [];
    return {
      ...{ id: i + 1, ino: i + 1, family: words.length === 4 ? 10 : 2, type: 1, proto, state },
      ...{ src_port: Number(port), dst_port: Number(peerPort ?? 0), flags: 2, backlog: 0 },
      ...{ src_addr: words, dst_addr: dst === "" ? [0] : (parseAddress(peer) ?? []) },
      fown: { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 },
      opts: NO_OPTIONS,
    };
  });
  return new SetBuilder().image(IMAGES.INVENTORY, undefined, [{ img_version: 1 }]).image(
    IMAGES.FILES,
    undefined,
    entries.map((isk) => ({ type: 4, id: isk.id, isk })),
  );
}

const ends = (after: ReturnType<typeof planned>["after"]): string[] =>
  after
    .records(IMAGES.FILES)
    .flatMap(({ value }) =>
      value.isk === undefined
        ? []
        : [`${formatAddress(value.isk.src_addr)}:${value.isk.src_port} ${formatAddress(value.isk.dst_addr)}`],
    );

test("IPv4, also mapped into IPv6, and IPv6; wildcards and others stay", () => {
  const set = sockets(
    { src: "10.0.0.3 80" },
    { src: "::ffff:10.0.0.3 81" },
    { src: "0.0.0.0 82" },
    { src: ":: 83" },
    { src: "10.0.0.33 84" },
    { src: "fd00::1 85" },
  );
  const { after } = planned(
    set.document(),
    edits("remap-address 10.0.0.3=192.168.1.9", "remap-address fd00::1=fd00::2"),
  );
  assert.equal(ends(after), [
    "192.168.1.9:80 0.0.0.0",
    "::ffff:192.168.1.9:81 0.0.0.0",
    "0.0.0.0:82 0.0.0.0",
    ":::83 0.0.0.0",
    "10.0.0.33:84 0.0.0.0",
    "fd00::2:85 0.0.0.0",
  ]);
});

test("a swap changes each address once", () => {
  const set = sockets({ src: "10.0.0.1 1", dst: "10.0.0.2 2", state: ESTABLISHED });
  const { after } = planned(
    set.document(),
    edits("remap-address 10.0.0.1=10.0.0.2", "remap-address 10.0.0.2=10.0.0.1"),
  );
  assert.equal(ends(after), ["10.0.0.2:1 10.0.0.1"]);
});

test("a connection to a peer outside is warned of, one inside the set is not", () => {
  const outside = sockets({ src: "10.0.0.1 1", dst: "10.0.0.9 2", state: ESTABLISHED });
  assert.match(
    planned(outside.document(), edits("remap-address 10.0.0.1=10.0.0.5")).plan.warnings.join(),
    /peer outside the set/,
  );
  const inside = sockets(
    { src: "10.0.0.1 1", dst: "10.0.0.1 2", state: ESTABLISHED },
    { src: "10.0.0.1 2", dst: "10.0.0.1 1", state: ESTABLISHED },
  );
  const { plan, after } = planned(inside.document(), edits("remap-address 10.0.0.1=10.0.0.5"));
  assert.equal(plan.warnings, []);
  assert.equal(ends(after), ["10.0.0.5:1 10.0.0.5", "10.0.0.5:2 10.0.0.5"]);
});

test("images of a big-endian machine hold the words the other way round", () => {
  const set = sockets({ src: "10.0.0.3 80" });
  const swapped = new Map([...set.files].map(([name, bytes]) => [name, bigEndian(bytes)]));
  const files = swapped.get("files.img") as Buffer;
  // The address field: tag 11 (0x58) and the word 10.0.0.3 as such a machine reads it.
  const little = Buffer.from([0x58, 0x8a, 0x80, 0x80, 0x18]);
  const at = files.indexOf(little);
  assert.ok(at > 0);
  const big = Buffer.from([0x58, 0x83, 0x80, 0x80, 0x50]);
  big.copy(files, at);
  for (const [name, bytes] of swapped) set.files.set(name, bytes);
  const { after } = planned(set.document(), edits("remap-address 10.0.0.3=10.0.0.4"));
  assert.equal(after.records(IMAGES.FILES)[0]?.value.isk?.src_addr, [0x0a000004]);
});

/** Magic and size words turned round; the messages are the same on all machines. */
function bigEndian(image: Buffer): Buffer {
  const out = Buffer.from(image);
  const head = out.readUInt32LE(0) === 0x54564319 ? 8 : 4;
  for (let at = 0; at < head; at += 4) out.subarray(at, at + 4).swap32();
  for (let at = head; at < out.length; ) {
    const size = out.readUInt32LE(at);
    out.subarray(at, at + 4).swap32();
    at += 4 + size;
  }
  return out;
}

test("addresses in raw images of the network are told and left", () => {
  const set = sockets({ src: "10.0.0.3 80" });
  set.files.set("ifaddr-9.img", Buffer.concat([Buffer.alloc(20), Buffer.from([10, 0, 0, 3])]));
  set.files.set("iptables-9.img", Buffer.from("-A INPUT -s 10.0.0.3/32 -j DROP\n"));
  const { plan } = planned(set.document(), edits("remap-address 10.0.0.3=10.0.0.4"));
  assert.equal(plan.left.map(({ image, field }) => `${image} ${field}`).sort(), [
    "ifaddr-9.img 0x14",
    "iptables-9.img 0xc",
  ]);
});

for (const bad of [
  "10.0.0.1",
  "10.0.0.1=x",
  "10.0.0.1=fd00::1",
  "0.0.0.0=10.0.0.1",
  "::=fd00::1",
  "10.0.0.256=10.0.0.1",
]) {
  test(`--remap-address ${bad} is a usage error`, () => {
    assert.throws(
      () => planned(sockets().document(), edits(`remap-address ${bad}`)),
      (error: unknown) => (error as { code: string }).code === "USAGE",
    );
  });
}

test("listening ports move; connections, UDP and other ports stay", () => {
  const set = sockets(
    { src: "0.0.0.0 8080" },
    { src: ":: 8080" },
    { src: "10.0.0.1 8080", dst: "10.0.0.2 999", state: ESTABLISHED },
    { src: "0.0.0.0 8080", proto: 17, state: 7 },
    { src: "0.0.0.0 80" },
  );
  const { after, plan } = planned(
    set.document(),
    edits("tcp-listen-remap 8080:8081,443:8443", "tcp-listen-remap 80:81"),
  );
  assert.equal(
    ends(after).map((each) => each.split(" ")[0]),
    ["0.0.0.0:8081", ":::8081", "10.0.0.1:8080", "0.0.0.0:8080", "0.0.0.0:81"],
  );
  assert.match(plan.left[0]?.why ?? "", /connection with 10\.0\.0\.2:999/);
});

test("a port that nothing listens at is no match", () => {
  const { plan } = planned(sockets({ src: "0.0.0.0 80" }).document(), edits("tcp-listen-remap 81:82"));
  assert.match(plan.unmatched[0] ?? "", /no TCP socket listens at port 81/);
});

for (const bad of ["80", "80:0", "80:65536", "a:b", "80=81"]) {
  test(`--tcp-listen-remap ${bad} is a usage error`, () => {
    assert.throws(() => planned(sockets().document(), edits(`tcp-listen-remap ${bad}`)), /OLD:NEW/);
  });
}

test.run();
