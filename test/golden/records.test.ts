import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { assertGolden } from "../helpers/golden.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GOLDEN = join(ROOT, "fixtures/golden/records");

const test = suite("golden: decode, info, dump, find");

/** Golden file → what prints it. */
const VIEWS: Readonly<Record<string, string[]>> = {
  "logger.files.decode": ["decode", "fixtures/criu/logger/files.img"],
  "logger.files.pretty": ["decode", "--pretty", "fixtures/criu/logger/files.img"],
  "sockets.files.pretty": ["decode", "--pretty", "fixtures/criu/sockets/files.img"],
  "logger.core.pretty": ["decode", "--pretty", "fixtures/criu/logger/core-1000.img"],
  "logger.core.info": ["info", "fixtures/criu/logger/core-1000.img"],
  "logger.pages.info": ["info", "fixtures/criu/logger/pages-1.img"],
  "tree.pipes-data.nopl": ["decode", "--nopl", "fixtures/criu/tree/pipes-data.img"],
  "tree.pipes-data.dump": ["dump", "fixtures/criu/tree/pipes-data.img"],
  "tree.pipes-data.info.json": ["info", "--json", "fixtures/criu/tree/pipes-data.img"],
  "locks.filelocks.dump": ["dump", "fixtures/criu/locks/filelocks.img"],
  "unknown-field.dump": ["dump", "fixtures/malformed/unknown-field.img"],
  "escapes.dump.json": ["dump", "--json", "fixtures/malformed/escapes.img"],
  "logger.find": ["find", "fixtures/criu/logger", "logger"],
  "logger.find.json": ["find", "--json", "fixtures/criu/logger", "messages"],
  "sockets.find-address": ["find", "fixtures/criu/sockets", "127.0.0.1"],
};

for (const [name, args] of Object.entries(VIEWS))
  test(`crimg ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await crimg(args, { cwd: ROOT });
    assert.equal([code, stderr], [0, ""]);
    assertGolden(stdout, join(GOLDEN, name));
  });

test.run();
