/** Descriptors of every kind, and System V objects, go into a linux-cr stream and back into a set that CRIU restores: the program finds all of them as they were. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openDocument } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import type { Loss } from "../../src/ops/convert/loss.js";
import { writeConversion } from "../../src/ops/convert/write.js";
import { diffCheckpoints } from "../../src/ops/diff/diff.js";
import { dump, needCriu, restore } from "../helpers/criu.js";
import { openBy, placesFor } from "../helpers/journey.js";
import { cleanUp, goesOn, kill, progress, startProgram, treeOf } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const files = suite("converted files of every kind", undefined, 120);
files.before(() => {
  needCriu();
});
files.after(cleanUp);

function convert(from: string, to: string): readonly Loss[] {
  const document = openDocument(from);
  try {
    const conversion = planConversion(document);
    writeConversion(conversion, to, false, () => {});
    return conversion.losses;
  } finally {
    document.close();
  }
}

files(
  "sockets, queues, locks, terminals, deleted and memory files, System V objects are as they were",
  async () => {
    const { work, images } = placesFor("converted-endpoints");
    const [stream, again] = [join(images, "../stream.ckpt"), join(images, "../again")];
    const live = await startProgram("endpoints", work);
    await goesOn(live.log, 2);
    const open = openBy(treeOf(live.pid));
    await dump(live.pid, images, live.options.dump);
    assert.equal(convert(images, stream), []);
    assert.equal(convert(stream, again), []);
    const [before, after] = [openDocument(images), openDocument(again)];
    const { differences, memory } = diffCheckpoints(before, after);
    before.close();
    after.close();
    assert.equal(differences, []);
    assert.equal(memory, []);
    rmSync(images, { recursive: true });
    await restore(again, live.options.restore);
    await goesOn(live.log, 10);
    assert.equal(progress(live.log).failures, []);
    assert.equal(openBy(treeOf(live.pid)), open);
    await kill(live);
  },
);

files.run();
