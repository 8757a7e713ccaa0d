import * as assert from "uvu/assert";
import { IMAGES } from "../../../src/formats/criu/images.js";
import type { Part } from "../../../src/formats/linux-cr/parse.js";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import { encodeRecord, textPayload } from "../../../src/formats/linux-cr/write.js";
import * as criu from "../../../src/model/criu/mappings.js";
import { linuxCrCheckpoint } from "../../../src/model/linux-cr/checkpoint.js";
import * as linuxCr from "../../../src/model/linux-cr/mappings.js";
import { StreamReader } from "../../../src/model/linux-cr/reader.js";
import { Segments } from "../../../src/model/linux-cr/segments.js";
import type { Mapping, MemoryDescriptor } from "../../../src/model/mapping.js";
import { convertedFixture } from "../../helpers/converted-stream.js";
import { fixture } from "../../helpers/images.js";
import { openSet } from "../../helpers/open-set.js";
import { suite } from "../../helpers/suite.js";

const test = suite("address spaces are encoded as they were decoded");
const FIXTURES = ["container", "deleted", "locks", "logger", "sockets", "terminal", "threads", "tree"];

/** What is stored, without fields that an entry may do without. */
function stored(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

for (const name of FIXTURES)
  test(`${name}: entries of the set`, () => {
    const { set, checkpoint } = openSet(fixture(name));
    let compared = 0;
    for (const pid of set.ids(IMAGES.MM)) {
      const { vmas, exe_file_id, aios, thp_disabled, ...marks } = set.required(IMAGES.MM, pid);
      const task = checkpoint.task(pid);
      assert.equal(stored(criu.encodeMm(task?.mm as MemoryDescriptor)), stored(marks));
      for (const [i, vma] of vmas.entries()) {
        const mapping = task?.mappings[i] as Mapping;
        assert.equal(stored(criu.encodeMapping(mapping, vma.shmid) ?? {}), stored(vma), mapping.name);
        compared++;
      }
    }
    assert.ok(compared > 0);
  });

for (const name of FIXTURES)
  test(`${name}: records of the stream`, () => {
    const { image } = convertedFixture(name);
    const reader = new StreamReader(image);
    const { files } = linuxCrCheckpoint(image, reader);
    const same = (index: number, bytes: Buffer): void => {
      const { offset, size } = image.range(index);
      assert.equal(bytes, Buffer.from(image.source.read(offset, size)), image.label(index));
    };
    let compared = 0;
    for (const mm of reader.objects("MM")) {
      const { index, value } = reader.get(mm, RECORDS.MM);
      const { map_count, exe_objref } = value;
      const marks = { map_count, exe_objref, ...linuxCr.encodeMm(linuxCr.decodeMm(reader, mm)) };
      same(index, encodeRecord(RECORDS.MM, image.dialect, image.byteOrder, marks));
      let nth = 0;
      for (const mapping of linuxCr.decodeMappings(reader, mm, files, new Segments(reader))) {
        const part = mm.parts[nth++] as Part;
        const found = reader.get(part, RECORDS.VMA);
        const { vma_type, vma_objref, ino_objref, ino_size } = found.value;
        const { vma, extra, text, isPlain } = linuxCr.encodeMapping(mapping, {
          file: vma_objref > 0 ? vma_objref : undefined,
          inode: ino_objref,
          size: ino_size,
          isAgain: vma_type === 5 || vma_type === 8,
        });
        same(found.index, encodeRecord(RECORDS.VMA, image.dialect, image.byteOrder, vma));
        const second = reader.index(part, RECORDS.VMA_EXTRA);
        assert.is(second === undefined, isPlain, mapping.name);
        if (second !== undefined) {
          const payload = textPayload(RECORDS.VMA_EXTRA, text);
          same(second, encodeRecord(RECORDS.VMA_EXTRA, image.dialect, image.byteOrder, extra, payload));
        }
        compared++;
      }
    }
    assert.ok(compared > 0);
  });

test.run();
