/** What crimg extracts from a real checkpoint is what the program had at that moment. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openDocument } from "../../src/index.js";
import { chooseExtractable } from "../../src/ops/extract/extract.js";
import { joined } from "../helpers/bytes.js";
import { dump, needCriu } from "../helpers/criu.js";
import { cleanUp, freshDirectory, goesOn, startProgram, statOf, until } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("extract from real checkpoints");
test.before(() => {
  needCriu();
});
test.after(cleanUp);

test("deleted files, byte for byte", async () => {
  const directory = freshDirectory("extract");
  const [work, images] = [join(directory, "work"), join(directory, "images")];
  mkdirSync(work);
  mkdirSync(images);
  const live = await startProgram("deleted", work);
  await goesOn(live.log, 2);
  process.kill(live.pid, "SIGSTOP");
  await until("the program to stop", () => statOf(live.pid)?.state === "T");
  const contents = new Map<number, Buffer>();
  for (const fd of readdirSync(`/proc/${live.pid}/fd`)) {
    const link = `/proc/${live.pid}/fd/${fd}`;
    const stat = statSync(link);
    if (stat.isFile() && stat.nlink === 0 && readlinkSync(link).endsWith(" (deleted)"))
      contents.set(Number(fd), readFileSync(link));
  }
  assert.ok(contents.size >= 5, `${contents.size} deleted files`);
  await dump(live.pid, images, live.options.dump);
  const document = openDocument(images);
  for (const [fd, expected] of contents) {
    const chosen = chooseExtractable(document.checkpoint, { object: `${live.pid}:${fd}` });
    const found = joined(chosen.flatMap((each) => [...each.contents()]));
    assert.ok(found.equals(expected), `descriptor ${fd}`);
  }
  document.close();
});

test.run();
