import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { fileNameOf } from "../../../../../src/formats/criu/detect.js";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { FD_TYPES, type FileEntry } from "../../../../../src/formats/criu/tables/fdinfo.js";
import type { SkOptsEntry } from "../../../../../src/formats/criu/tables/sk-opts.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { openFileSet } from "../../../../../src/open.js";
import { COVERAGE } from "../../../../../src/ops/convert/coverage.js";
import { memoryFiles, SetBuilder } from "../../../../helpers/build-set.js";
import {
  type ConvertedStream,
  convertedFixture,
  convertedSet,
} from "../../../../helpers/converted-stream.js";
import { fixture } from "../../../../helpers/images.js";
import { openSet } from "../../../../helpers/open-set.js";
import { suite } from "../../../../helpers/suite.js";

const test = suite("convert: what a stream cannot hold of a set");
const R = RECORDS;
const BASE = "logger";
const PID = 1000;
const TABLE = 2;
const FIRST_FD = 100;
const NO_OWNER = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const OPTIONS: SkOptsEntry = {
  ...{ so_sndbuf: 212992, so_rcvbuf: 212992, so_snd_tmo_sec: 0n, so_snd_tmo_usec: 0n },
  ...{ so_rcv_tmo_sec: 0n, so_rcv_tmo_usec: 0n, so_filter: [] },
};
const UNIX = {
  ...{ type: 1, state: 1, flags: 2, uflags: 0, backlog: 0, peer: 0 },
  fown: NO_OWNER,
  opts: OPTIONS,
};

type Member = Omit<FileEntry, "type" | "id">;

/** The service of the fixture with more open files (each on a descriptor from 100 on) and other images. */
function withMore(
  files: Readonly<Record<number, readonly [type: string, member: Member]>>,
  change: (set: SetBuilder) => SetBuilder = (set) => set,
): ConvertedStream {
  const base = openSet(fixture(BASE));
  const typeOf = (name: string): number => FD_TYPES.values.get(name) as number;
  const more = Object.entries(files).map(([id, [type, member]]) => ({
    id: Number(id),
    type: typeOf(type),
    member,
  }));
  const set = new SetBuilder()
    .image(IMAGES.FILES, undefined, [
      ...base.set.records(IMAGES.FILES).map(({ value }) => value),
      ...more.map(({ id, type, member }) => ({ id, type, ...member })),
    ])
    .image(IMAGES.FDINFO, TABLE, [
      ...base.set.records(IMAGES.FDINFO, TABLE).map(({ value }) => value),
      ...more.map(({ id, type }, i) => ({ id, type, fd: FIRST_FD + i, flags: 0 })),
    ]);
  base.close();
  const directory = fixture(BASE);
  const original = new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
  return convertedSet(openFileSet(memoryFiles(new Map([...original, ...change(set).files]))));
}

function told({ losses }: ConvertedStream): string[] {
  return losses.map(({ object, what, why }) => `${object}: ${what} (${why})`);
}

function assertTold(converted: ConvertedStream, ...parts: string[]): void {
  const all = told(converted);
  assert.ok(
    all.some((text) => parts.every((part) => text.includes(part))),
    `${parts.join(" … ")} was not told: ${all.join("; ") || "nothing"}`,
  );
}

function reg(name: string, more: object = {}): [string, Member] {
  return ["REG", { reg: { id: 0, flags: 0o100000, pos: 0n, fown: NO_OWNER, name, build_id: [], ...more } }];
}

test("every image kind has a row", () => {
  assert.equal(Object.keys(COVERAGE).sort(), Object.keys(IMAGES).sort());
});

test("fixtures that a stream can hold whole lose nothing", () => {
  for (const name of ["logger", "locks", "deleted", "terminal", "tree", "threads"])
    assert.equal(told(convertedFixture(name)), [], name);
});

test("images of kinds without records are named with the reason", () => {
  const images = Object.entries(COVERAGE).filter(([, coverage]) => typeof coverage === "object");
  assert.ok(images.length > 3);
  const converted = withMore({}, (set) => {
    for (const [key] of images) {
      const kind = IMAGES[key as keyof typeof IMAGES];
      set.image(kind as typeof IMAGES.APPARMOR, kind.scope === "set" ? undefined : 1, []);
    }
    return set;
  });
  for (const [key] of images) {
    const kind = IMAGES[key as keyof typeof IMAGES];
    assertTold(converted, fileNameOf(kind, kind.scope === "set" ? undefined : 1), kind.doc);
  }
});

test("statistics and caches are no part of the tasks", () => {
  assert.equal(told(convertedFixture("logger")), []);
  assert.ok(readdirSync(fixture(BASE)).includes("stats-dump"));
});

test("a field that a newer criu wrote is told once, with its place", () => {
  const converted = withMore({}, (set) =>
    set.image(IMAGES.FS, PID, [
      {
        ...openSet(fixture(BASE)).set.required(IMAGES.FS, PID),
        _unknown: [{ number: 77, wireType: 0, data: Buffer.from([5]) }],
      },
    ]),
  );
  assertTold(converted, "fs-1000.img[0]", "field 77 of fs_entry");
  assert.is(converted.losses.length, 1);
});

test("open files of other types are left out, each told with its descriptor", () => {
  const fown = NO_OWNER;
  const converted = withMore({
    90: ["EXT", { ext: { id: 90, fown } }],
    91: ["NS", { nsf: { id: 91, ns_id: 1, ns_cflag: 1, flags: 0 } }],
    92: reg("file[1:2]", { ext: true }),
    93: ["UNIXSK", { usk: { ...UNIX, id: 93, ino: 7, uflags: 1, name: Buffer.alloc(0) } }],
    94: ["TTY", { tty: { id: 94, tty_info_id: 5, flags: 2, fown } }],
    95: ["MEMFD", { memfd: { id: 95, flags: 2, pos: 0n, fown, inode_id: 9 } }],
  });
  for (const [i, why] of [
    "plugin",
    "namespace",
    "outside of the set",
    "outside of the set",
    "which terminal",
    "memory",
  ].entries())
    assertTold(converted, `task 1000 fd ${FIRST_FD + i}`, why);
  assert.is(converted.losses.length, 6);
  const [table] = converted.all(R.FILE_TABLE);
  assert.is(table?.fdt_nfds, converted.all(R.FILE_DESC).length);
  assert.not.ok(converted.all(R.FILE_DESC).some(({ fd_descriptor: fd }) => fd >= FIRST_FD));
});

test("a descriptor whose open file is missing is told", () => {
  const base = openSet(fixture(BASE));
  const converted = withMore({}, (set) =>
    set.image(IMAGES.FDINFO, TABLE, [
      ...base.set.records(IMAGES.FDINFO, TABLE).map(({ value }) => value),
      { id: 999, type: 1, fd: 50, flags: 0 },
    ]),
  );
  assertTold(converted, "task 1000 fd 50", "no open file of this id");
});

test("what nobody has open is told: files, packets, bytes of pipes, locks, terminals", () => {
  const base = openSet(fixture(BASE));
  const converted = withMore({}, (set) =>
    set
      .image(IMAGES.FILES, undefined, [
        ...base.set.records(IMAGES.FILES).map(({ value }) => value),
        { id: 80, type: 1, ...reg("/var/left")[1] },
      ])
      .image(IMAGES.SK_QUEUES, undefined, [{ id_for: 70, length: 4, scm: [] }], [Buffer.from("left")])
      .image(IMAGES.PIPES_DATA, undefined, [{ pipe_id: 60, bytes: 3 }], [Buffer.from("abc")])
      .image(IMAGES.FILE_LOCKS, undefined, [{ flag: 1, type: 0, pid: PID, fd: 77, start: 0n, len: 0n }])
      .image(IMAGES.TTY_INFO, undefined, [{ ...TERMINAL, id: 4, pty: { index: 2 } }]),
  );
  assertTold(converted, "/var/left", "no task of the set has it open");
  assertTold(converted, "open file 70", "what waits in its queue");
  assertTold(converted, "pipe 60", "the 3 bytes");
  assertTold(converted, "task 1000 fd 77", "filelocks.img[0]");
  assertTold(converted, "terminal 2");
  assert.is(converted.losses.length, 5);
});

const TERMINAL = {
  ...{ id: 0, type: 1, locked: false, exclusive: false, packet_mode: false, sid: 0, pgrp: 0, rdev: 136 << 8 },
};

test("a slave whose master is outside keeps a place for it, and a hung-up one has no line discipline", () => {
  const converted = withMore(
    { 90: ["TTY", { tty: { id: 90, tty_info_id: 6, flags: 2, fown: NO_OWNER } }] },
    (set) => set.image(IMAGES.TTY_INFO, undefined, [{ ...TERMINAL, id: 6, pty: { index: 3 } }]),
  );
  assert.equal(told(converted), []);
  const [master, slave] = converted.all(R.TTY);
  assert.equal([master?.driver_subtype, slave?.driver_subtype, slave?.index], [1, 2, 3]);
  assert.is(slave?.flags, 1n << 18n);
  assert.is(converted.all(R.TTY_LDISC).length, 0);
  assert.equal(
    converted.all(R.TTY_EXTRA).map(({ flags }) => flags & 16),
    [16, 0],
  );
});

test("an owner of signals outside of the set, a watch without a path, a watched descriptor that is gone", () => {
  const owner = { ...NO_OWNER, pid: 4242, pid_type: 1 };
  const handle = { bytes: 8, type: 1, handle: [1n] };
  const watch = { id: 0, mask: 2, ignored_mask: 0, s_dev: 1, f_handle: handle };
  const converted = withMore({
    90: ["PIPE", { pipe: { id: 90, pipe_id: 5, flags: 0, fown: owner } }],
    91: [
      "INOTIFY",
      {
        ify: {
          ...{ id: 91, flags: 0, fown: NO_OWNER },
          wd: [
            { ...watch, wd: 1, i_ino: 11n },
            { ...watch, wd: 2, i_ino: 12n, f_handle: { ...handle, path: "/watched" } },
          ],
        },
      },
    ],
    92: [
      "EVENTPOLL",
      { epfd: { id: 92, flags: 0, fown: NO_OWNER, tfd: [{ id: 0, tfd: 66, events: 1, data: 0n }] } },
    ],
  });
  assertTold(converted, "open file 90", "owner for signals, 4242");
  assertTold(converted, "open file 91", "watch 1, of inode 11");
  assertTold(converted, "open file 92", "descriptor 66");
  assert.is(converted.losses.length, 3);
  assert.is(converted.all(R.INOTIFY)[0]?.nr_watches, 1);
  assert.is(converted.all(R.EPOLL_ITEMS)[0]?.num_items, 0);
});

test("a file in /proc of a dead process, a ghost and a link that the set does not have", () => {
  const remap = (orig: number, id: number, type: number) => ({
    orig_id: orig,
    remap_id: id,
    remap_type: type,
  });
  const converted = withMore({ 90: reg("/proc/55/maps"), 91: reg("/gone"), 92: reg("/linked") }, (set) =>
    set.image(IMAGES.REMAP_FPATH, undefined, [remap(90, 55, 2), remap(91, 7, 1), remap(92, 77, 0)]),
  );
  assertTold(converted, "open file 90", "dead process", "process 55");
  assertTold(converted, "open file 91", "its contents", "ghost-file-7.img");
  assertTold(converted, "open file 92", "no open file 77");
  assert.is(converted.all(R.FILE_UNLINKED).length, 0);
});

test("socket options that a stream has no place for", () => {
  const opts = { ...OPTIONS, so_bound_dev: "eth7", so_filter: [1n] };
  const converted = withMore({
    90: [
      "INETSK",
      {
        isk: {
          ...{ id: 90, ino: 3, family: 2, type: 2, proto: 17, state: 7, src_port: 53, dst_port: 0, flags: 2 },
          ...{ backlog: 0, src_addr: [0], dst_addr: [0], fown: NO_OWNER, opts, ip_opts: { tos: 16 } },
        },
      },
    ],
  });
  assertTold(converted, "UDP", "eth7");
  assertTold(converted, "UDP", "packet filter");
  assertTold(converted, "UDP", "type of service 16");
});

test("a chain of sockets that is longer than a reader follows is cut, and told", () => {
  const chain = Array.from({ length: 5000 }, (_, i) => [
    100 + i,
    [
      "UNIXSK",
      { usk: { ...UNIX, type: 2, id: 100 + i, ino: 100 + i, peer: 101 + i, name: Buffer.alloc(0) } },
    ],
  ]);
  const converted = withMore(Object.fromEntries(chain));
  assert.is(converted.all(R.SOCKET_UNIX).length, 5000);
  assertTold(converted, "its other end, socket 133", "one behind the other");
  assertTold(converted, "its other end, socket 5100", "the set does not have it");
  assert.is(converted.losses.length, 1 + Math.floor(5000 / 33));
});

test("locks of kinds and types that Linux no longer has", () => {
  const lock = { pid: PID, fd: 3, start: 0n, len: 0n };
  const converted = withMore({}, (set) =>
    set.image(IMAGES.FILE_LOCKS, undefined, [
      { ...lock, flag: 2, type: 32 | 64 },
      { ...lock, flag: 16, type: 0 },
      { ...lock, flag: 2, type: 1 },
    ]),
  );
  assertTold(converted, "task 1000 fd 3", "flock of type mandatory read");
  assertTold(converted, "task 1000 fd 3", "kind 16");
  assert.is(converted.losses.length, 2);
  assert.is(converted.all(R.FILE_LOCK).length, 1);
});

test("a file that must not be sought has no offset, and does not say that it can be", () => {
  const converted = withMore({ 90: reg("/dev/tty", { pos: (1n << 64n) - 1n }) });
  const objref = converted.all(R.FILE_DESC).find(({ fd_descriptor: fd }) => fd === FIRST_FD)?.fd_objref ?? 0;
  const record = converted.objects.get(objref)?.records[0] ?? 0;
  const { f_mode: mode, f_pos: position } = converted.image.value(record, R.FILE);
  assert.equal([mode, position], [1, 0n]);
});

test.run();
