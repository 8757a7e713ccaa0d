import * as assert from "uvu/assert";
import { IMAGES } from "../../../src/formats/criu/images.js";
import type { ThreadInfoX86 } from "../../../src/formats/criu/tables/core-x86.js";
import type { RecordKind } from "../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import { encodeRecord } from "../../../src/formats/linux-cr/write.js";
import * as criu from "../../../src/model/criu/registers.js";
import { StreamReader } from "../../../src/model/linux-cr/reader.js";
import * as linuxCr from "../../../src/model/linux-cr/registers.js";
import { convertedFixture } from "../../helpers/converted-stream.js";
import { fixture } from "../../helpers/images.js";
import { openSet } from "../../helpers/open-set.js";
import { suite } from "../../helpers/suite.js";

const test = suite("registers are encoded as they were decoded");
const FIXTURES = ["container", "deleted", "locks", "logger", "sockets", "terminal", "threads", "tree"];

/** A message without the fields that it may do without. */
function stored(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([name, inner]) => [name, stored(inner)]));
}

for (const name of FIXTURES)
  test(`${name}: core images of the set`, () => {
    const { set } = openSet(fixture(name));
    let compared = 0;
    for (const tid of set.ids(IMAGES.CORE)) {
      const { thread_info: info } = set.required(IMAGES.CORE, tid);
      if (info === undefined) continue;
      const { clear_tid_addr } = info;
      const encoded: ThreadInfoX86 = { clear_tid_addr, ...criu.encodeRegisters(criu.decodeRegisters(info)) };
      assert.equal(stored(encoded), stored(info), `thread ${tid}`);
      compared++;
    }
    assert.ok(compared > 0);
  });

for (const name of FIXTURES)
  test(`${name}: records of the stream`, () => {
    const { image } = convertedFixture(name);
    const reader = new StreamReader(image);
    let compared = 0;
    for (const part of reader.tree.tasks) {
      if (reader.index(part, RECORDS.CPU) === undefined) continue;
      const same = (kind: RecordKind, fields: object, payload?: Buffer): void => {
        const index = reader.index(part, kind) as number;
        const { offset, size } = image.range(index);
        const bytes = encodeRecord(kind, image.dialect, image.byteOrder, { ...fields }, payload);
        assert.equal(bytes, Buffer.from(image.source.read(offset, size)), image.label(index));
      };
      const { general, isCompat, extended, descriptors } = linuxCr.decodeRegisters(reader, part);
      same(RECORDS.CPU, linuxCr.encodeRegisters(general, isCompat).fields);
      same(RECORDS.CPU_FPU, {}, extended.fxsave);
      const area = linuxCr.encodeThreadArea({ isCompat, descriptors });
      same(RECORDS.THREAD, area.fields, area.payload);
      const xstate = linuxCr.encodeExtended(extended);
      if (xstate !== undefined) same(RECORDS.XSTATE, xstate.fields, xstate.payload);
      compared++;
    }
    assert.ok(compared > 0);
  });

test.run();
