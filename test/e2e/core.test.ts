/** A core that crimg writes of a checkpoint says what gdb's gcore said of the program while it lived. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openDocument } from "../../src/index.js";
import { crimg } from "../helpers/cli.js";
import { CoreFile } from "../helpers/core-file.js";
import { dump, needCriu } from "../helpers/criu.js";
import { placesFor } from "../helpers/journey.js";
import { cleanUp, goesOn, program, startProgram, statOf, until } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { suite } from "../helpers/suite.js";

const test = suite("core against gcore");
test.before(() => {
  needCriu();
  needs("gdb", "readelf");
});
test.after(cleanUp);

/** What gdb says of every thread: its calls with their frames, its general registers, the top of its stack. */
const ASK = [
  ...["bt", "info registers rsp rbp rbx r12 r13 r14 r15 eflags fs_base"],
  ...["x/64xg $sp", "p $xmm0", "p $st0"],
];

function gdb(args: readonly string[]): string {
  return execFileSync("gdb", ["-batch", "-nx", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, DEBUGINFOD_URLS: "" },
  });
}

function asked(exe: string, core: string): string[] {
  const said = gdb([exe, "-c", core, ...ASK.flatMap((each) => ["-ex", `thread apply all ${each}`])]);
  return (
    said
      .slice(said.indexOf("\nThread "))
      .split("\n")
      .map((line) => line.replace(/^Thread \d+ \(.*?(\d+)\)+:$/, "Thread $1:"))
      // criu sets a thread back to the instruction of the system call that it was in.
      .map((line) => line.replace(/^#0 +0x[0-9a-f]+ in/, "#0 in"))
  );
}

/** Where the kernel writes the number of the processor whenever a thread runs, rseq(2). */
function rseqAreas(images: string): bigint[] {
  const document = openDocument(images);
  const areas = document.checkpoint.tasks.flatMap(({ threads }) =>
    threads.map(({ rseq }) => rseq?.address ?? 0n),
  );
  document.close();
  return areas;
}

for (const name of ["threads", "still"])
  test(`${name}: every thread, and all memory that both have`, async () => {
    const { work, images } = placesFor(`core-${name}`);
    const live = await startProgram(name, work);
    if (name === "threads") await goesOn(live.log, 2);
    process.kill(live.pid, "SIGSTOP");
    await until("the program to stop", () => statOf(live.pid)?.state === "T");
    const [theirs, ours] = ["gcore", "crimg"].map((who) => join(images, `../${who}.core`)) as [
      string,
      string,
    ];
    gdb(["-p", `${live.pid}`, "-ex", "set use-coredump-filter off", "-ex", `generate-core-file ${theirs}`]);
    await dump(live.pid, images, [...live.options.dump, "--file-locks"]);
    const made = await crimg(["core", images, "-p", `${live.pid}`, "-o", ours]);
    assert.equal([made.code, made.stderr], [0, ""]);
    assert.equal(asked(program(name), ours), asked(program(name), theirs));

    const [mine, gcore] = [ours, theirs].map((file) => new CoreFile(readFileSync(file))) as [
      CoreFile,
      CoreFile,
    ];
    const page = 4096;
    const kernels = rseqAreas(images);
    let compared = 0;
    for (const { address, fileSize } of mine.segments)
      for (let at = 0; at < fileSize; at += page) {
        const start = address + BigInt(at);
        const pages = [mine, gcore]
          .map((core) => core.memory(start, page))
          .map((each) => each && Buffer.from(each));
        const [one, other] = pages;
        if (one === undefined || other === undefined) continue;
        for (const area of kernels)
          if (area >= start && area < start + BigInt(page))
            for (const each of [one, other]) each.fill(0, Number(area - start), Number(area - start) + 32);
        const differ = one.findIndex((byte, i) => byte !== other[i]);
        assert.is(differ, -1, `memory at ${(start + BigInt(differ)).toString(16)}`);
        compared++;
      }
    assert.ok(compared > 20, `${compared} pages`);
    const listed = execFileSync("readelf", ["-lW", ours], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    assert.is(listed.match(/^ {2}LOAD /gm)?.length, mine.segments.length);
  });

test.run();
