/**
 * What happens to sqlite in a transaction when its directory moves. sqlite compares the path that it remembers with the
 * file it has open, and criu loses POSIX locks on files that are mapped as well: crimg cannot mend either, so it warns.
 */
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { needCriu } from "../helpers/criu.js";
import { dumpAndMove, findingsOf, idsOf, type Places, placesFor, succeeds } from "../helpers/journey.js";
import { cleanUp, kill, type Live, locksOf, startProgram, until } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const sqlite = suite("sqlite in a transaction");
sqlite.before(() => {
  needCriu();
});
sqlite.after(cleanUp);

/** Starts it in the work directory, in a transaction. */
async function inTransaction(journalMode: string): Promise<{ live: Live; places: Places }> {
  const places = placesFor(`sqlite-${journalMode.toLowerCase()}`);
  const live = await startProgram("journal", places.work, { JOURNAL_MODE: journalMode });
  return { live, places };
}

/** Lets the restored program go on, and gives what it says after `ready`. */
async function goOn({ pid }: Live, directory: string): Promise<string[]> {
  process.kill(pid, "SIGUSR1");
  return (await says(directory, "done")).slice(1, -1);
}

async function says(directory: string, word: string): Promise<string[]> {
  const lines = (): string[] => {
    try {
      return readFileSync(join(directory, "log"), "utf8").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  };
  await until(word, () => lines().includes(word));
  return lines();
}

sqlite("commits in its own directory", async () => {
  const { live, places } = await inTransaction("DELETE");
  await dumpAndMove(live.pid, places, ["--file-locks"]);
  renameSync(places.moved, places.work);
  await succeeds("restore", places.images, "--detach");
  assert.equal(await goOn(live, places.work), ["INSERT ok", "COMMIT ok", "BEGIN ok", "INSERT ok"]);
  await kill(live);
});

sqlite("in its default journal mode cannot commit once it is moved, and crimg warns of it", async () => {
  const { live, places } = await inTransaction("DELETE");
  await dumpAndMove(live.pid, places, ["--file-locks"]);
  const moved = ["--remap-path", `${places.work}=${places.moved}`];
  const { code, stderr } = await crimg(["restore", places.images, ...moved, "--detach"]);
  assert.is(code, 0, stderr);
  assert.match(stderr, /warning: .*data\.sqlite looks like a sqlite database in a transaction/);
  assert.equal(await goOn(live, places.moved), [
    "INSERT ok",
    "COMMIT: disk I/O error",
    "BEGIN ok",
    "INSERT: attempt to write a readonly database",
  ]);
  assert.ok(readdirSync(places.moved).includes("data.sqlite-journal"), "the hot journal stays");
  await kill(live);
});

sqlite(
  "with a write-ahead log goes on, but criu loses the locks of its -shm, and crimg warns of it",
  async () => {
    const { live, places } = await inTransaction("WAL");
    const locks = locksOf(live.pid).filter((lock) => lock.endsWith("data.sqlite-shm"));
    assert.ok(locks.length > 0);
    await dumpAndMove(live.pid, places, ["--file-locks"]);
    await succeeds("edit", places.images, "--remap-path", `${places.work}=${places.moved}`, "--in-place");
    const { findings } = await findingsOf(places.images);
    assert.equal(idsOf(findings, "error"), []);
    assert.equal(idsOf(findings, "warning"), ["LOCK_MAPPED"]);
    await succeeds("restore", places.images, "--detach");
    assert.equal(
      locksOf(live.pid).filter((lock) => lock.endsWith("data.sqlite-shm")),
      [],
    );
    assert.equal(await goOn(live, places.moved), ["INSERT ok", "COMMIT ok", "BEGIN ok", "INSERT ok"]);
    await kill(live);
  },
);

sqlite.run();
