import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeImage } from "../../../../src/ops/recode/encode-image.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { suite } from "../../../helpers/suite.js";

const DIRECTORY = fileURLToPath(new URL("../../../../fixtures/go-crit", import.meta.url));

const test = suite("ops: encode JSON that go-crit wrote");

for (const name of readdirSync(DIRECTORY).filter((file) => file.endsWith(".json")))
  test(`${name}: it gives the image that go-crit read`, () => {
    const image = readFileSync(join(DIRECTORY, name.replace(".json", ".img")));
    assertBytes(encodeImage(readFileSync(join(DIRECTORY, name)), { name }), image);
  });

test.run();
