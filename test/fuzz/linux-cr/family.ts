import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LinuxCrImage } from "../../../src/formats/linux-cr/image.js";
import { ARCHITECTURES } from "../../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../../src/io/source.js";
import { openDocument, openStream } from "../../../src/open.js";
import { dumpStream } from "../../../src/ops/dump/dump-stream.js";
import { findInStream } from "../../../src/ops/find/find-in-stream.js";
import { matcherOf } from "../../../src/ops/find/matcher.js";
import { streamInfo } from "../../../src/ops/info/stream-info.js";
import { decodeStream } from "../../../src/ops/recode/decode-stream.js";
import { encodeStream } from "../../../src/ops/recode/encode-stream.js";
import { DIALECTS } from "../../helpers/arbitrary-stream.js";
import { extendedStream } from "../../helpers/extended-stream.js";
import { STREAM_FIXTURES, streamFixture } from "../../helpers/images.js";
import { richStream } from "../../helpers/rich-stream.js";
import { shownJson } from "../answers.js";
import { documentOperations } from "../document-operations.js";
import { Broken, type Family, type Making, type Mutant, type Operation, steps } from "../family.js";
import { changeStream } from "./changes.js";

const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;

/** Streams that mutants are made of, by name; those that hold every record are taken more often. */
const BASES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ...STREAM_FIXTURES.filter((name) => name !== "tree").map(
    (name) => [name, readFileSync(streamFixture(name))] as const,
  ),
  ...["extended", "extended", "extended"].map((name) => [name, extendedStream()] as const),
  ...["rich", "rich", "rich"].map((name) => [name, richStream(NEWEST, { dialectRecords: true })] as const),
  ...DIALECTS.map(
    (dialect) => [`${dialect.commit} ${dialect.arch.name}`, richStream(dialect)] as const,
  ).filter((_, i) => i % 7 === 0),
];

/** Streams of linux-cr with fields, payloads and records changed. */
export const LINUX_CR: Family = {
  name: "linux-cr",
  share: 30,
  mutant(making: Making): Mutant {
    const { random, scratch } = making;
    const [base, original] = random.pick(BASES);
    let bytes = original;
    const told = steps(making, (each) => {
      const [changed, what] = changeStream(bytes, each);
      bytes = changed;
      return what;
    });
    const file = join(scratch, "mutant.ckpt");
    writeFileSync(file, bytes);
    const fresh = mkdtempSync(join(scratch, "out-"));
    let made = 0;
    return {
      steps: [base, ...told],
      operations: [
        ...documentOperations({
          random,
          open: () => openDocument(file),
          original: () => openStream(new MemorySource(original, base)),
          records: Array.from({ length: 5 }, () => String(random.below(200))),
          fresh: () => join(fresh, `${made++}.ckpt`),
        }),
        ...recordOperations(bytes),
      ],
      digest: () => createHash("sha256").update(readFileSync(file)).digest("hex"),
    };
  },
};

function recordOperations(bytes: Buffer): Operation[] {
  const open = (): LinuxCrImage => new LinuxCrImage(new MemorySource(bytes, "mutant.ckpt"));
  return [
    {
      name: "decode",
      run() {
        const json = [...decodeStream(open())].join("");
        if (!Buffer.concat([...encodeStream(json)]).equals(bytes))
          throw new Broken("encode of decode is not the same");
      },
    },
    {
      name: "decode --pretty",
      run: () => [...encodeStream([...decodeStream(open(), { pretty: true })].join(""))],
    },
    { name: "dump", run: () => [...dumpStream(open())].length },
    { name: "info", run: () => shownJson(streamInfo(open())) },
    { name: "find", run: () => shownJson(findInStream(open(), matcherOf("1", {}))) },
  ];
}
