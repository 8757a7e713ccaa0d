import * as assert from "uvu/assert";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import type { TtyInfoEntry } from "../../../../../src/formats/criu/tables/tty.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { TERMIOS } from "../../../../../src/formats/linux-cr/tables/tty.js";
import { convertedFixture } from "../../../../helpers/converted-stream.js";
import { fixture } from "../../../../helpers/images.js";
import { openSet } from "../../../../helpers/open-set.js";
import { suite } from "../../../../helpers/suite.js";

const test = suite("convert: terminals of a set in a stream");
const R = RECORDS;
const { all, image, objects, losses } = convertedFixture("terminal");

function infos(): TtyInfoEntry[] {
  const document = openSet(fixture("terminal"));
  const found = document.set.records(IMAGES.TTY_INFO).map(({ value }) => value);
  document.close();
  return found;
}

function firstOf(kind: (typeof R)[keyof typeof R]): number {
  return Array.from({ length: image.length }, (_, i) => i).find((i) => image.kind(i) === kind) ?? -1;
}

test("both ends are there once: the master first, the slave with a link to it", () => {
  const [master, slave, none] = all(R.TTY);
  assert.is(none, undefined);
  assert.equal([master?.driver_subtype, slave?.driver_subtype], [1, 2]);
  assert.is(master?.link_objref, 0);
  assert.ok((master?.file_objref ?? 0) > 0, "a number is kept for the file of the master");
  assert.is(slave?.file_objref, 0);
  assert.is(objects.get(slave?.link_objref ?? 0)?.records[0], firstOf(R.TTY));
});

test("modes, control characters, size and unread input", () => {
  const entries = infos();
  const [master, slave] = all(R.TTY);
  for (const [end, rdev] of [
    [master, 0x502],
    [slave, 136 << 8],
  ] as const) {
    const entry = entries.find((one) => one.rdev === rdev);
    for (const name of ["c_iflag", "c_oflag", "c_cflag", "c_lflag"] as const)
      assert.is(end?.termios[name], entry?.termios?.[name]);
    assert.equal(
      [end?.winsize.ws_row, end?.winsize.ws_col],
      [entry?.winsize?.ws_row, entry?.winsize?.ws_col],
    );
    const words = Buffer.alloc(20);
    for (let i = 0; i < 5; i++) words.writeUInt32LE(entry?.termios?.c_cc[i] ?? 0, i * 4);
    assert.equal(end?.termios.c_cc, words.subarray(0, 19));
  }
  const [first, second] = all(R.TTY_LDISC);
  assert.equal([first?.datalen, second?.datalen], [0, "unread input".length]);
  const buffers = Array.from({ length: image.length }, (_, i) => i).filter((i) => image.kind(i) === R.BUFFER);
  assert.ok(buffers.some((i) => image.bytes(i).toString() === "unread input"));
});

test("the session leader has the slave as its controlling terminal, with its group in the foreground", () => {
  const tasks = all(R.SIGNAL);
  const leaders = tasks.filter(({ tty_objref: tty }) => tty !== 0);
  assert.is(leaders.length, 1);
  const [slave] = [...objects.values()].filter(
    ({ rule, records }) => rule === "TTY" && image.value(records[0] as number, R.TTY).driver_subtype === 2,
  );
  assert.is(leaders[0]?.tty_objref, slave?.objref);
  const [extra] = all(R.TTY_EXTRA);
  assert.is(leaders[0]?.tty_pgrp, extra?.pgrp_ref);
  assert.is(extra?.sid_ref, extra?.pgrp_ref, "the shell is the leader of both");
});

test("locked modes, owner and device number; the name under which it was opened", () => {
  for (const { flags, rdev } of all(R.TTY_EXTRA)) {
    assert.is(flags & 8, 8);
    assert.ok([0x502, 136 << 8].includes(rdev));
  }
  assert.is(image.payload(firstOf(R.TTY_EXTRA)).size, TERMIOS.size);
  const names = Array.from({ length: image.length }, (_, i) => i)
    .filter((i) => image.kind(i) === R.OPENED_NAME)
    .map((i) => image.text(i));
  assert.equal(names, ["/dev/ptmx", "/dev/pts/0"]);
});

test("nothing of it is lost", () => {
  assert.equal(losses, []);
});

test.run();
