import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as assert from "uvu/assert";

/**
 * Compares `actual` with the text of the golden file `path`. With `BLESS=1` the file is written instead, so that
 * a change of output is a reviewed diff. A missing golden file is a failure, not a first recording.
 */
export function assertGolden(actual: string, path: string): void {
  if (process.env.BLESS === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
    return;
  }
  assert.ok(existsSync(path), `${path} is missing: run the test with BLESS=1 and check the diff`);
  assert.fixture(
    actual,
    readFileSync(path, "utf8"),
    `differs from ${path}; if intended run with BLESS=1 and check the diff`,
  );
}
