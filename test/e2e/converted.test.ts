/** A set that went through a linux-cr stream and back is restored by CRIU: the program goes on as if nothing had been. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Loss } from "../../src/model/loss.js";
import { openDocument } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import { writeConversion } from "../../src/ops/convert/write.js";
import { diffCheckpoints } from "../../src/ops/diff/diff.js";
import { dump, needCriu, restore } from "../helpers/criu.js";
import { openBy, placesFor } from "../helpers/journey.js";
import { cleanUp, goesOn, kill, progress, startProgram, treeOf } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const converted = suite("converted programs", undefined, 120);
converted.before(() => {
  needCriu();
});
converted.after(cleanUp);

/** Converts, and gives what was lost. */
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

/** What `crimg diff` finds between two images. */
function differences(left: string, right: string) {
  const [one, two] = [openDocument(left), openDocument(right)];
  try {
    const { differences: items, memory } = diffCheckpoints(one, two);
    return { items, memory };
  } finally {
    one.close();
    two.close();
  }
}

/** How long its children live is chance. */
const WITH_CHILDREN = ["tree", "counter"];

for (const name of [
  "logger",
  "locks",
  "deleted",
  "threads",
  "tree",
  "terminal",
  "counter",
  "transaction",
  "sockets",
  "editable",
]) {
  converted(`${name} goes on after a dump that was a stream in between`, async () => {
    const { work, images } = placesFor(`converted-${name}`);
    const [stream, again] = [join(images, "../stream.ckpt"), join(images, "../again")];
    const live = await startProgram(name, work);
    await goesOn(live.log, 2);
    const open = openBy(treeOf(live.pid));
    await dump(live.pid, images, live.options.dump);
    assert.equal(convert(images, stream), []);
    assert.equal(convert(stream, again), []);
    assert.equal(differences(images, again), { items: [], memory: [] });
    rmSync(images, { recursive: true });
    await restore(again, live.options.restore);
    await goesOn(live.log, 10);
    assert.equal(progress(live.log).failures, []);
    if (!WITH_CHILDREN.includes(name)) assert.equal(openBy(treeOf(live.pid)), open);
    await kill(live);
  });
}

converted.run();
