/**
 * Times crimg on archives that a real Podman makes of a container with 1 GiB of memory, plain and zstd, beside the programs
 * that do nothing but decompress, and criu alone.
 *
 *     CRIMG_CRIU=… node --import tsx bench/archives.ts [MiB]
 *
 * Wall seconds are medians of CRIMG_BENCH_RUNS (3) runs in turn after one that does not count; MiB is the largest peak
 * memory of crimg itself.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cleanUp, until } from "../test/helpers/live.js";
import { Podman } from "../test/helpers/podman.js";
import { suite } from "../test/helpers/suite.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const CRIMG = [process.execPath, join(here, "../bin/run.js")];
const IMAGE = "localhost/mem1g:1";
const runs = Number(process.env.CRIMG_BENCH_RUNS ?? 3);
const mebibytes = process.argv[2] ?? "1024";

interface Measured {
  readonly seconds: number;
  readonly mebibytes: number;
}

/** Makes the archives, in the directory of the engine. */
async function makeArchives(engine: Podman): Promise<void> {
  const image = join(engine.home, "image");
  const source = join(here, "programs/mem1g.c");
  execFileSync("gcc", ["-std=gnu11", "-static", "-O2", "-o", join(image, "bin/mem1g"), source]);
  execFileSync("tar", ["-C", image, "-cf", join(engine.home, "mem1g.tar"), "."]);
  engine.run("import", join(engine.home, "mem1g.tar"), IMAGE);
  const isolation = ["--net", "none", "--security-opt", "seccomp=unconfined"];
  const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
  const criu = ["--annotation", `org.criu.config=${join(engine.home, "criu.conf")}`];
  const program = [IMAGE, "/bin/mem1g", mebibytes];
  engine.run("run", "--detach", "--name", "mem", ...isolation, ...limits, ...criu, ...program);
  await until("the memory of the container", () => engine.run("logs", "mem").includes("ready"));
  for (const compression of ["none", "zstd"]) {
    const to = ["--compress", compression, "--export", join(engine.home, `${compression}.tar`)];
    engine.run("container", "checkpoint", "mem", "--leave-running", ...to);
  }
}

/** One process from its start to its end. */
function time(argv: readonly string[]): Measured {
  const started = process.hrtime.bigint();
  const child = spawnSync("/usr/bin/time", ["-f", "%M", ...argv], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (child.status !== 0) throw new Error(`${argv.join(" ")} ended with ${child.status}: ${child.stderr}`);
  return { seconds, mebibytes: Number(child.stderr.trim().split("\n").at(-1)) / 1024 };
}

/** Competitors in turn; gives the medians by name. */
function compare(title: string, all: Readonly<Record<string, () => Measured>>): Map<string, Measured> {
  const samples = new Map(Object.keys(all).map((name): [string, Measured[]] => [name, []]));
  for (let i = 0; i <= runs; i++)
    for (const [name, once] of Object.entries(all)) {
      const sample = once();
      if (i > 0) samples.get(name)?.push(sample);
    }
  const medians = new Map([...samples].map(([name, list]) => [name, median(list)]));
  const text = [...medians].map(
    ([name, { seconds, mebibytes }]) =>
      `${name} ${seconds.toFixed(2)} s${mebibytes > 0 ? ` ${mebibytes.toFixed(0)} MiB` : ""}`,
  );
  const [ours, peer] = [...medians.values()];
  const ratio = ours && peer ? `: ${(ours.seconds / peer.seconds).toFixed(2)} x` : "";
  console.log(`${title}: ${text.join(" | ")}${ratio}`);
  return medians;
}

function median(list: readonly Measured[]): Measured {
  const seconds = list.map((each) => each.seconds).sort((a, b) => a - b);
  return {
    seconds: seconds[Math.floor(seconds.length / 2)] as number,
    mebibytes: Math.max(...list.map((each) => each.mebibytes)),
  };
}

function shell(command: string): () => Measured {
  return () => ({ ...time(["sh", "-c", command]), mebibytes: 0 });
}

/** Restores without the engine; what criu took of it, its log tells. */
function restore(archive: string, image: string, scratch: string, criu: Measured[]): Measured {
  const [pid, log] = [join(scratch, "pid"), join(scratch, "log")];
  const measured = time([
    ...CRIMG,
    "restore",
    archive,
    "--rootfs",
    image,
    "-d",
    "--pidfile",
    pid,
    "--log",
    log,
  ]);
  process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL");
  const last = readFileSync(log, "latin1").trim().split("\n").at(-1);
  criu.push({ seconds: Number(/^\((\d+\.\d+)\)/.exec(last ?? "")?.[1]), mebibytes: 0 });
  return measured;
}

async function main(): Promise<void> {
  const engine = new Podman();
  const scratch = mkdtempSync(join(engine.home, "scratch-"));
  try {
    await makeArchives(engine);
    const [plain, zstd] = [join(engine.home, "none.tar"), join(engine.home, "zstd.tar")];
    const out = join(scratch, "out");
    for (const file of [plain, zstd])
      console.log(`${file}: ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB`);
    const crimg =
      (...args: string[]) =>
      (): Measured => {
        rmSync(out, { force: true });
        return time([...CRIMG, ...args]);
      };
    compare("show, plain", { crimg: crimg("show", plain) });
    compare("fds, plain", { crimg: crimg("show", plain, "fds") });
    compare("show, zstd", { crimg: crimg("show", zstd), "zstd -d": shell(`zstd -dc ${zstd} >/dev/null`) });
    compare("hostname, zstd", {
      crimg: crimg("edit", zstd, "--hostname", "other", "-o", out),
      "zstd -d | zstd": shell(`zstd -dc ${zstd} | zstd -qc >${out}`),
    });
    const edited = join(scratch, "plain.tar");
    cpSync(plain, edited);
    let edits = 0; // an edit that changes nothing writes nothing
    const inPlace = (): Measured => crimg("edit", edited, "--comm", `1=n${++edits}`, "--in-place")();
    compare("comm in place, plain", { crimg: inPlace });
    compare("comm to a new file, plain", {
      crimg: crimg("edit", plain, "--comm", "1=other", "-o", out),
      cp: shell(`rm -f ${out}; cp ${plain} ${out}`),
    });
    const criu: Measured[] = [];
    const image = join(engine.home, "image");
    const ours = compare("restore, plain", { crimg: () => restore(plain, image, scratch, criu) }).get(
      "crimg",
    );
    const alone = median(criu.slice(1)).seconds;
    console.log(
      `    criu alone ${alone.toFixed(2)} s; over it ${((ours?.seconds ?? 0) - alone).toFixed(2)} s`,
    );
  } finally {
    engine.end();
    await cleanUp();
  }
}

// The helpers that it shares with the tests expect a suite.
const bench = suite("archives", {}, 1800);
bench("times", main);
bench.run();
