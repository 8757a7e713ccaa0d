/**
 * The way that crimg is for: a live program is dumped, its directory moves away, crimg says what is wrong, edits the set,
 * finds it right, restores it; the program goes on with its descriptors, offsets, locks and leases, and undo
 * gives the set as criu wrote it.
 */
import * as assert from "uvu/assert";
import { needCriu } from "../helpers/criu.js";
import {
  asMoved,
  digestsOf,
  dumpAndMove,
  findingsOf,
  idsOf,
  openBy,
  placesFor,
  succeeds,
} from "../helpers/journey.js";
import { cleanUp, goesOn, kill, progress, startProgram, treeOf } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const moved = suite("moved programs");
moved.before(() => {
  needCriu();
});
moved.after(cleanUp);

interface Case {
  /** Ids of the warnings that remain when all is mended: what criu itself does wrong with such a program. */
  readonly warnings: readonly string[];
  /** Its children come and go, so only the root is compared. */
  readonly alone?: true;
  /** Descriptors that it changes all the time. */
  readonly changing?: RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  logger: { warnings: [] },
  locks: { warnings: ["LEASE_BREAKING"] },
  deleted: { warnings: [] },
  sockets: { warnings: [] },
  threads: { warnings: [] },
  tree: { warnings: [], changing: / fd 50 / },
  terminal: { warnings: [] },
  counter: { warnings: [], alone: true },
  transaction: { warnings: [] },
};

for (const [name, { warnings, alone, changing }] of Object.entries(CASES))
  moved(`${name} goes on in another directory, and undo gives the first set back`, async () => {
    const places = placesFor(name);
    const { images, work } = places;
    const live = await startProgram(name, work);
    await goesOn(live.log, 3);
    const pids = alone ? [live.pid] : treeOf(live.pid);
    const opened = (): string[] => openBy(pids).filter((line) => changing?.test(line) !== true);
    const open = opened();
    const digests = await dumpAndMove(live.pid, places, live.options.dump);

    const broken = await findingsOf(images);
    assert.not(broken.valid, "the files are gone, and validate finds nothing");
    assert.ok(idsOf(broken.findings, "error").includes("FILE_MISSING"));

    const { stderr } = await succeeds(
      "edit",
      images,
      "--remap-path",
      `${work}=${places.moved}`,
      "--in-place",
    );
    assert.is(/warning: .* sqlite database/.test(stderr), name === "transaction", stderr);
    const mended = await findingsOf(images, "--host");
    assert.equal(idsOf(mended.findings, "error"), []);
    assert.equal(idsOf(mended.findings, "warning"), warnings);

    const log = live.log.replace(work, places.moved);
    const before = progress(log).ticks;
    await succeeds("restore", images, "--detach");
    await goesOn(log, 10);
    assert.equal(progress(log).failures, []);
    assert.ok(progress(log).ticks > before);
    assert.equal(opened(), asMoved(open, places));
    await kill(live);

    await succeeds("undo", images);
    assert.equal(digestsOf(images), digests);
  });

moved.run();
