import { CriuImage } from "../../../src/formats/criu/image.js";
import type { ByteSource } from "../../../src/io/source.js";
import { dumpImage } from "../../../src/ops/dump/dump-image.js";
import { findInImage } from "../../../src/ops/find/find.js";
import { matcherOf } from "../../../src/ops/find/matcher.js";
import { imageInfo } from "../../../src/ops/info/image-info.js";
import { decodeImage } from "../../../src/ops/recode/decode-image.js";
import { encodeImage } from "../../../src/ops/recode/encode-image.js";
import { shownJson } from "../answers.js";
import { Broken, type Operation } from "../family.js";

/** Everything that crimg does with a single image file. */
export function imageOperations(name: string, source: () => ByteSource): Operation[] {
  const open = (): CriuImage => new CriuImage(source(), name);
  return [
    {
      name: `decode ${name}`,
      run() {
        const json = [...decodeImage(open())].join("");
        const bytes = source();
        if (!encodeImage(json).equals(bytes.read(0, bytes.size)))
          throw new Broken("encode of decode is not the same");
      },
    },
    {
      name: `decode --pretty ${name}`,
      run: () => encodeImage([...decodeImage(open(), { pretty: true })].join("")),
    },
    { name: `dump ${name}`, run: () => shownJson([...dumpImage(open())].length) },
    { name: `info ${name}`, run: () => shownJson(imageInfo(open())) },
    { name: `find ${name}`, run: () => shownJson(findInImage(open(), matcherOf("1", {}))) },
  ];
}
