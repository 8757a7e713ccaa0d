import { LinuxCrImage } from "../../src/formats/linux-cr/image.js";
import { type Part, parseImage } from "../../src/formats/linux-cr/parse.js";
import type { RecordKind, RecordValue } from "../../src/formats/linux-cr/record-kind.js";
import { MemorySource } from "../../src/io/source.js";
import type { Checkpoint } from "../../src/model/checkpoint.js";
import type { Document } from "../../src/model/document.js";
import type { Loss } from "../../src/model/loss.js";
import { openDocument, openStream } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import { fixture } from "./images.js";

/** A CRIU set and the stream that it was converted into. */
export interface ConvertedStream {
  readonly from: Checkpoint;
  readonly to: Checkpoint;
  readonly image: LinuxCrImage;
  readonly bytes: Buffer;
  readonly losses: readonly Loss[];
  /** The fields of all records of a kind in the order of the stream. */
  all<K extends RecordKind>(kind: K): RecordValue<K>[];
  /** The objects and other parts that hold a record of a kind. */
  objects: ReadonlyMap<number, Part>;
}

const known = new Map<string, ConvertedStream>();

/** A fixture as a stream; converted once. */
export function convertedFixture(name: string): ConvertedStream {
  const found = known.get(name) ?? convertedSet(openDocument(fixture(name)));
  known.set(name, found);
  return found;
}

export function convertedSet(document: Document): ConvertedStream {
  const plan = planConversion(document, "linux-cr");
  if (plan.to !== "linux-cr") throw new Error("the set became no stream");
  const bytes = plan.stream.read(0, plan.stream.size);
  const image = new LinuxCrImage(new MemorySource(bytes, "converted.ckpt"));
  const { objects, problem } = parseImage(image);
  if (problem !== undefined) throw problem;
  return {
    from: document.checkpoint,
    to: openStream(new MemorySource(bytes, "converted.ckpt")).checkpoint,
    image,
    bytes,
    losses: plan.losses,
    all: (kind) =>
      Array.from({ length: image.length }, (_, i) => i)
        .filter((i) => image.kind(i) === kind)
        .map((i) => image.value(i, kind)),
    objects,
  };
}
