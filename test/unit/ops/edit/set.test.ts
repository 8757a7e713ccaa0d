import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { suite } from "../../../helpers/suite.js";
import { edits, planned } from "./planned.js";

const test = suite("src/ops/edit/kinds/set");

const set = (text: string, name = "logger") => planned(name, edits(`set ${text}`));
const reg = (index: number, { after }: ReturnType<typeof set>) =>
  after.records(IMAGES.FILES)[index]?.value.reg;

test("numbers, names of flags, text, and fields taken away", () => {
  assert.is(reg(3, set("files.img[3].reg.pos=0x10"))?.pos, 16n);
  assert.is(reg(3, set("files[3].reg.pos=18446744073709551615"))?.pos, 2n ** 64n - 1n);
  assert.is(reg(3, set("files.img[3].reg.flags=O_WRONLY | O_APPEND"))?.flags, 0o2001);
  assert.is(reg(3, set("files.img[3].reg.name=[not JSON]"))?.name, "[not JSON]");
  assert.is(reg(4, set("files.img[4].reg.size=absent"))?.size, undefined);
  assert.equal(reg(0, set("files.img[0].reg.build_id=absent"))?.build_id, []);
});

test("octal where it is shown so: a mode and a umask as chmod takes them", () => {
  assert.is(reg(3, set("files.img[3].reg.mode=0100600"))?.mode, 0o100600);
  assert.is(reg(3, set("files.img[3].reg.mode=0o100600"))?.mode, 0o100600);
  assert.is(reg(3, set("files.img[3].reg.mode=33152"))?.mode, 33152);
  assert.is(set("fs-1000.img[0].umask=022").after.required(IMAGES.FS, 1000).umask, 0o22);
});

test("lists and messages as JSON, elements by index, new elements at the end", () => {
  assert.equal(reg(0, set("files.img[0].reg.build_id=[1,0x2]".replace("0x2", "2")))?.build_id, [1, 2]);
  const first = reg(0, set("files.img[0].reg.build_id[0]=7"))?.build_id;
  assert.is(first?.[0], 7);
  assert.is(first?.length, 5);
  assert.is(reg(0, set("files.img[0].reg.build_id[5]=9"))?.build_id.length, 6);
  assert.is(reg(0, set("files.img[0].reg.build_id[0]=absent"))?.build_id.length, 4);
  const fown = '{"uid":1,"euid":2,"signum":3,"pid_type":0,"pid":4}';
  assert.is(reg(3, set(`files.img[3].reg.fown=${fown}`))?.fown.signum, 3);
});

test("an absent message is made around the field", () => {
  const { after } = set("core-1000.img.thread_core.sas.ss_size=4096");
  assert.is(after.required(IMAGES.CORE, 1000).thread_core?.sas?.ss_size, 4096n);
});

test("one record needs no index, several do; a record can be taken away", () => {
  assert.is(set("core-1000.tc.comm=x").after.required(IMAGES.CORE, 1000).tc?.comm, "x");
  assert.throws(() => set("files.img.reg.pos=1"), /files\.img has \d+ records; say which/);
  const before = set("core-1000.tc.comm=x").after.records(IMAGES.FILES).length;
  assert.is(set("files.img[2]=absent").after.records(IMAGES.FILES).length, before - 1);
});

test("an address as a person writes it, an enum by its name", () => {
  const { after } = set("files.img[18].isk.src_addr=10.1.2.3", "sockets");
  assert.equal(after.records(IMAGES.FILES)[18]?.value.isk?.src_addr, [0x0302010a]);
  assert.is(set("files.img[18].type=REG", "sockets").after.records(IMAGES.FILES)[18]?.value.type, 1);
});

test("a page's bytes and payloads stay where they are", () => {
  const { plan } = set("files.img[3].reg.pos=1");
  assert.equal([...plan.splices.keys()], ["files.img"]);
});

test("an image or a record that is not there is no match", () => {
  for (const text of ["nothing.img[0].x=1", "files.img[99].reg.pos=1"])
    assert.is(set(text).plan.unmatched.length, 1);
});

const REFUSED: readonly [string, RegExp][] = [
  ["files.img[3].reg.poss=1", /reg_file_entry has no field poss; it has id, flags, pos/],
  ["files.img[3].reg.pos=x", /invalid value .* of pos/],
  ["files.img[3].reg.pos=010", /invalid value "010" of pos: leading zero in a number \(octal is 0o10\)/],
  ["files.img[3].reg.mode=0109", /leading zero/],
  ["files.img[3].reg.pos=-1", /from 0 to 18446744073709551615/],
  ["files.img[3].reg.flags=4294967296", /from 0 to 4294967295/],
  ["files.img[3].reg.pos=1e3", /invalid value .* of pos/],
  ["files.img[3].reg.name=absent", /required/],
  ["files.img[3].reg.pos.x=1", /reg\.pos has no fields/],
  ["files.img[3].reg[0].pos=1", /not a list/],
  ['files.img[3].reg.fown={"uid":1}', /missing/],
  ['files.img[3].reg.fown={"uidd":1}', /unknown field/],
  ["files.img[0].reg.build_id[9]=1", /no element/],
  ["files.img[0].reg.build_id[9]=absent", /no files\.img/],
  ["files.img[3]=1", /name a field/],
  ["pages-1.img[0].x=1", /raw image/],
  ["files.img", /expected IMAGE/],
];
for (const [text, expected] of REFUSED) {
  test(`${text} is refused in one sentence`, () => {
    assert.throws(() => set(text), expected);
  });
}

test("a value that changes how long a payload is would make another image, and is refused", () => {
  assert.throws(
    () => set("fifo-data.img[0].bytes=2", "deleted"),
    /would damage the image|would leave|would not have/,
  );
});

test("a change stays in its record: equal messages of two records are two", () => {
  const uids = ["1000", "1003"].map((pid) => `set core-${pid}.img[0].thread_core.creds.uid=7`);
  const { changes } = planned("tree", edits(...uids));
  assert.is(changes.length, 2, changes.join("\n"));
});

test.run();
