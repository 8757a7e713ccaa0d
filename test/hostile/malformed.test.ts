import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CASES, MALFORMED, malformedBytes } from "../../scripts/malformed.js";
import { isCrimgError } from "../../src/io/errors.js";
import { encodeImage } from "../../src/ops/recode/encode-image.js";
import { assertBytes } from "../helpers/bytes.js";
import { assertGolden } from "../helpers/golden.js";
import { decoded } from "../helpers/recode.js";
import { suite } from "../helpers/suite.js";

const test = suite("hostile: malformed images");

test("the files are those of scripts/malformed.ts", () => {
  assert.equal(
    readdirSync(MALFORMED).filter((name) => name.endsWith(".img")),
    Object.keys(CASES).sort(),
  );
  for (const [name, hex] of Object.entries(CASES))
    assertBytes(readFileSync(join(MALFORMED, name)), malformedBytes(hex), name);
});

for (const name of Object.keys(CASES))
  test(`${name}: it comes back to the byte, or one sentence says what is wrong`, () => {
    const bytes = readFileSync(join(MALFORMED, name));
    let outcome: string;
    try {
      outcome = decoded(bytes, { fileName: name });
      assertBytes(encodeImage(outcome), bytes);
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      outcome = `${error.code}: ${error.message}\n`;
    }
    assertGolden(outcome, join(MALFORMED, name.replace(".img", ".txt")));
  });

test.run();
