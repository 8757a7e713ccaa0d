import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import { ARCHITECTURES } from "../../../../src/formats/linux-cr/revisions.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { MemorySource } from "../../../../src/io/source.js";
import { DIALECTS } from "../../../helpers/arbitrary-stream.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";
import { type WalkedRecord, walkStream } from "../../../helpers/walk-stream.js";

const test = suite("linux-cr: revision");
const HEADER_BYTES = 8;

const open = (bytes: Buffer): LinuxCrImage => new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));

/** The stream with a record that is its header and nothing else. */
function cut(bytes: Buffer, { offset, size }: WalkedRecord): Buffer {
  const changed = Buffer.concat([bytes.subarray(0, offset + HEADER_BYTES), bytes.subarray(offset + size)]);
  if (bytes[0] === 1) changed.writeUInt32LE(HEADER_BYTES, offset + 4);
  else changed.writeUInt32BE(HEADER_BYTES, offset + 4);
  return changed;
}

/** Opens, or is refused in one sentence. */
function opens(bytes: Buffer, what: string): LinuxCrImage | undefined {
  try {
    return open(bytes);
  } catch (error) {
    assert.ok(isCrimgError(error), `${what}: ${String((error as Error).stack)}`);
    return undefined;
  }
}

test("a stream of each header set and architecture is told as what it is", () => {
  for (const dialect of DIALECTS) {
    const { candidates } = open(richStream(dialect)).revision;
    assert.ok(
      candidates.some(({ commit, arch }) => commit === dialect.commit && arch === dialect.arch),
      `${dialect.commit} on ${dialect.arch.name}`,
    );
  }
});

test("any record may be cut to its header", () => {
  let tried = 0;
  for (const dialect of DIALECTS) {
    const bytes = richStream(dialect);
    const { records } = walkStream(bytes);
    // One of a kind will do: each is looked at alike.
    const first = new Map(records.map((record) => [`${record.id} ${record.size}`, record]));
    for (const record of [records[0] as WalkedRecord, ...first.values()])
      if (record.size > HEADER_BYTES) {
        const what = `${dialect.commit} on ${dialect.arch.name}, record ${record.id} at ${record.offset}`;
        const image = opens(cut(bytes, record), what);
        if (record.offset > 0) assert.ok(image, what);
        tried++;
      }
  }
  assert.ok(tried > 1000, String(tried));
});

test("a TREE of 8 bytes, found by a flipped bit, is no number of tasks", () => {
  const bytes = richStream({ commit: "5c3471a", arch: ARCHITECTURES.X86_64 }, { dialectRecords: true });
  bytes[291] = (bytes[291] as number) ^ 1;
  assert.ok(open(bytes).length > 0);
});

test.run();
