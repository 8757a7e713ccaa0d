import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CriuImage } from "../../../src/formats/criu/image.js";
import { CriuImageSet } from "../../../src/formats/criu/image-set.js";
import { LinuxCrImage } from "../../../src/formats/linux-cr/image.js";
import { ARCHITECTURES } from "../../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../../src/io/source.js";
import { Losses } from "../../../src/model/loss.js";
import { toCriu } from "../../../src/ops/convert/to-criu/to-criu.js";
import { fieldScalar } from "../../../src/schema/decode.js";
import { fieldVisitor } from "../../../src/schema/visit.js";
import { memoryFiles } from "../../helpers/build-set.js";
import { extendedStream } from "../../helpers/extended-stream.js";
import { fixture } from "../../helpers/images.js";
import { richStream } from "../../helpers/rich-stream.js";

/** A whole set that mutants are made of. */
export interface BaseSet {
  readonly name: string;
  readonly files: ReadonlyMap<string, Buffer>;
  /** Numbers by which its records name one another. */
  readonly ids: readonly bigint[];
}

/** `tree` has the same kinds of images as others and eight times the bytes. */
const FIXTURES = ["container", "deleted", "locks", "logger", "sockets", "terminal", "threads"];

const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;

const ID_NAMES = /(^|_)(id|ids|ino|pid|ppid|pgid|sid|tid|fd|peer|parent|prev|shmid|threads|owner|key|tfd)$/;

/** Real sets, and those that streams with every object become. */
export function baseSets(): BaseSet[] {
  return [
    ...FIXTURES.map((name) => base(name, fixtureFiles(fixture(name)))),
    base("rich", converted(richStream(NEWEST, { dialectRecords: true }))),
    base("extended", converted(extendedStream())),
  ];
}

function fixtureFiles(directory: string): Map<string, Buffer> {
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
}

function converted(stream: Buffer): Map<string, Buffer> {
  const files = toCriu(new LinuxCrImage(new MemorySource(stream, "stream")), new Losses());
  return new Map(files.map(({ name, content }) => [name, content.read(0, content.size)]));
}

function base(name: string, files: Map<string, Buffer>): BaseSet {
  return { name, files, ids: idsOf(files) };
}

function idsOf(files: ReadonlyMap<string, Buffer>): bigint[] {
  const ids = new Set<bigint>();
  const set = new CriuImageSet(memoryFiles(files));
  for (const { name, kind } of set.files) {
    if (kind?.magic === undefined) continue;
    const image = set.imageNamed(name) as CriuImage;
    for (const { table, value } of image.records())
      fieldVisitor(table, (field, field_) => ID_NAMES.test(field_) && fieldScalar(field) !== "string")?.(
        value,
        ({ owner, name: key }) => {
          for (const id of [owner[key]].flat())
            if (typeof id === "number" || typeof id === "bigint") ids.add(BigInt(id));
        },
      );
  }
  return [...ids];
}
