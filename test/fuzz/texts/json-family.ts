import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { CriuImage } from "../../../src/formats/criu/image.js";
import { LinuxCrImage } from "../../../src/formats/linux-cr/image.js";
import { MemorySource } from "../../../src/io/source.js";
import { decodeImage } from "../../../src/ops/recode/decode-image.js";
import { decodeStream } from "../../../src/ops/recode/decode-stream.js";
import { encodeImage } from "../../../src/ops/recode/encode-image.js";
import { encodeStream } from "../../../src/ops/recode/encode-stream.js";
import { extendedStream } from "../../helpers/extended-stream.js";
import { fixtureImages, streamFixture } from "../../helpers/images.js";
import { PAYLOAD_IMAGES } from "../../helpers/payload-images.js";
import { Broken, type Family, type Mutant, steps } from "../family.js";
import { changedJson } from "./json.js";

const MAX_BYTES = 20_000;

/** Images of every kind by name, small enough to be changed by the thousand. */
const IMAGES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ...fixtureImages().map((path) => [basename(path), readFileSync(path)] as const),
  ...PAYLOAD_IMAGES.map(([name, bytes]) => [name, bytes] as const),
].filter(([, bytes]) => bytes.length <= MAX_BYTES);

const STREAMS = [
  ["minimal", readFileSync(streamFixture("minimal"))],
  ["extended", extendedStream()],
] as const;

/** The JSON of images and of streams, for encode. */
export const JSON_TEXTS: Family = {
  name: "json",
  share: 15,
  mutant(making): Mutant {
    const { random } = making;
    const isStream = random.chance(0.25);
    const [name, bytes] = isStream ? random.pick(STREAMS) : random.pick(IMAGES);
    const pretty = random.chance(0.5);
    let text = isStream ? streamJson(bytes, pretty) : imageJson(name, bytes, pretty);
    const told = steps(making, (each) => {
      const [changed, what] = changedJson(text, each);
      text = changed;
      return what;
    });
    return {
      steps: [`${name}${pretty ? ", pretty" : ""}`, ...told],
      operations: isStream
        ? [
            { name: "encode", run: () => encodesStream(text) },
            { name: "encode --lax", run: () => [...encodeStream(text, { lax: true })] },
          ]
        : [
            { name: "encode", run: () => encodesImage(name, text) },
            { name: "encode --lax", run: () => encodeImage(text, { lax: true }) },
          ],
    };
  },
};

function imageJson(name: string, bytes: Buffer, pretty: boolean): string {
  return [...decodeImage(new CriuImage(new MemorySource(bytes, name), name), { pretty })].join("");
}

function streamJson(bytes: Buffer, pretty: boolean): string {
  return [...decodeStream(new LinuxCrImage(new MemorySource(bytes, "stream")), { pretty })].join("");
}

function encodesImage(name: string, text: string): void {
  const bytes = encodeImage(text);
  if (!encodeImage(imageJson(name, bytes, false)).equals(bytes))
    throw new Broken("what encode wrote is not the same again");
}

function encodesStream(text: string): void {
  const bytes = Buffer.concat([...encodeStream(text)]);
  if (!Buffer.concat([...encodeStream(streamJson(bytes, false))]).equals(bytes))
    throw new Broken("what encode wrote is not the same again");
}
