/**
 * What crimg shows of a checkpoint is what /proc shows of the program that was dumped and left running.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import * as assert from "uvu/assert";
import { grep, openDocument, searchable, VIEWS } from "../../src/index.js";
import { openFlagNames } from "../../src/linux/open-flags.js";
import { signalsIn } from "../../src/linux/signals.js";
import type { Document } from "../../src/model/document.js";
import { dump, needCriu } from "../helpers/criu.js";
import { placesFor } from "../helpers/journey.js";
import { cleanUp, goesOn, startProgram, treeOf } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const PROGRAMS = ["threads", "tree", "sockets"];
const test = suite<{ live: Map<string, { pids: number[]; document: Document }> }>("show against /proc", {
  live: new Map(),
});

test.before(async ({ live }) => {
  needCriu();
  for (const name of PROGRAMS) {
    const { work, images } = placesFor(name);
    const program = await startProgram(name, work);
    await goesOn(program.log, 3);
    await dump(program.pid, images, ["--leave-running", ...program.options.dump]);
    const pids = treeOf(program.pid).filter((pid) => proc(pid, "cmdline") !== "");
    live.set(name, { pids, document: openDocument(images) });
  }
});
test.after(cleanUp);

/** The tree program changes the close-on-exec flag of this descriptor all the time. */
const TOGGLED = 50;

const proc = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, "latin1");
const status = (pid: number, tid: number, key: string): string =>
  new RegExp(`^${key}:\\s*(.*)$`, "m").exec(proc(pid, `task/${tid}/status`))?.[1]?.trim() ?? "";
const mask = (pid: number, tid: number, key: string): bigint => BigInt(`0x${status(pid, tid, key)}`);

for (const name of PROGRAMS) {
  test(`${name}: mappings`, ({ live }) => {
    const { pids, document } = live.get(name) as NonNullable<ReturnType<typeof live.get>>;
    for (const pid of pids) {
      const there = proc(pid, "maps")
        .trim()
        .split("\n")
        .filter((line) => !/\[v(var|dso|syscall|var_vclock)\]$/.test(line))
        .map((line) => line.split(/\s+/).slice(0, 2).join(" "));
      const shown = (VIEWS.maps(document, { pids: [pid] }).tasks[0]?.mappings ?? [])
        .filter(({ kind }) => !["vdso", "vvar", "vsyscall", "guard"].includes(String(kind)))
        .map(({ start, end, permissions }) => {
          return `${start.slice(2).padStart(8, "0")}-${end.slice(2).padStart(8, "0")} ${permissions}`;
        });
      assert.equal(shown, there, `pid ${pid}`);
    }
  });

  test(`${name}: what grep finds in memory is at that address of the live program`, ({ live }) => {
    const { pids, document } = live.get(name) as NonNullable<ReturnType<typeof live.get>>;
    for (const pid of pids) {
      const [variable = ""] = proc(pid, "environ").split("\0");
      const unsearched = { lazy: 0, missing: 0, errors: [] };
      const hits = [...grep(searchable(document.checkpoint, [pid]), variable, { options: {}, unsearched })];
      const found = hits.filter(({ area }) => area === "environment");
      assert.is(found.length, 1, `${variable} of pid ${pid}`);
      const memory = openSync(`/proc/${pid}/mem`, "r");
      const bytes = Buffer.alloc(variable.length);
      readSync(memory, bytes, 0, bytes.length, found[0]?.address as bigint);
      closeSync(memory);
      assert.is(bytes.toString(), variable);
    }
  });

  test(`${name}: command line and environment`, ({ live }) => {
    const { pids, document } = live.get(name) as NonNullable<ReturnType<typeof live.get>>;
    for (const pid of pids) {
      const [task] = VIEWS.env(document, { pids: [pid] }).tasks;
      const variables = task?.environment.map(({ name, value }) => `${name}=${value}`);
      assert.equal(task?.argv, proc(pid, "cmdline").split("\0").slice(0, -1), `pid ${pid}`);
      assert.equal(variables, proc(pid, "environ").split("\0").slice(0, -1), `pid ${pid}`);
    }
  });

  test(`${name}: descriptors`, ({ live }) => {
    const { pids, document } = live.get(name) as NonNullable<ReturnType<typeof live.get>>;
    const pathOf = (pid: number, fd: string): string => readlinkSync(`/proc/${pid}/fd/${fd}`);
    for (const pid of pids) {
      const shown = VIEWS.fds(document, { pids: [pid] }).tasks[0]?.descriptors ?? [];
      const there = readdirSync(`/proc/${pid}/fd`).sort((a, b) => Number(a) - Number(b));
      assert.equal(
        shown.map(({ fd }) => String(fd)),
        there,
        `pid ${pid}`,
      );
      for (const { fd, type, file, flags, closeOnExec } of shown) {
        if (["REG", "PIPE", "FIFO"].includes(type))
          assert.is(file, pathOf(pid, String(fd)).replace(/ \(deleted\)$/, ""));
        const bits = Number.parseInt(/^flags:\s*(\d+)$/m.exec(proc(pid, `fdinfo/${fd}`))?.[1] ?? "", 8);
        const named = openFlagNames(bits, "x86_64");
        if (fd !== TOGGLED) assert.is(closeOnExec, named.includes("O_CLOEXEC"), `fd ${fd} of ${pid}`);
        if (flags !== undefined && type === "REG")
          assert.equal(
            flags,
            named.filter((flag) => flag !== "O_CLOEXEC"),
          );
      }
    }
  });

  test(`${name}: signals, threads and credentials`, ({ live }) => {
    const { pids, document } = live.get(name) as NonNullable<ReturnType<typeof live.get>>;
    for (const pid of pids) {
      const [signals] = VIEWS.signals(document, { pids: [pid] }).tasks;
      const [creds] = VIEWS.creds(document, { pids: [pid] }).tasks;
      const actions = (action: string) =>
        signals?.actions.filter((each) => each.action === action).map(({ name }) => name);
      assert.equal(actions("handle"), signalsIn(mask(pid, pid, "SigCgt")), `caught by ${pid}`);
      assert.equal(actions("ignore"), signalsIn(mask(pid, pid, "SigIgn")), `ignored by ${pid}`);
      const tids = readdirSync(`/proc/${pid}/task`).map(Number);
      assert.equal(
        signals?.threads.map(({ tid }) => tid),
        tids,
      );
      for (const [at, tid] of tids.entries()) {
        assert.equal(signals?.threads[at]?.blocked, signalsIn(mask(pid, tid, "SigBlk")), `blocked in ${tid}`);
        const own = creds?.threads[at];
        assert.is(own?.uids.join("\t"), status(pid, tid, "Uid"));
        assert.is(own?.gids.join("\t"), status(pid, tid, "Gid"));
        assert.is(own?.noNewPrivs, status(pid, tid, "NoNewPrivs") === "1");
        assert.is(own?.comm, status(pid, tid, "Name"));
        const bits = mask(pid, tid, "CapEff").toString(2).replaceAll("0", "").length;
        assert.is(own?.effective.length, bits, `capabilities of ${tid}`);
      }
    }
  });

  test(`${name}: limits`, ({ live }) => {
    const { pids, document } = live.get(name) as NonNullable<ReturnType<typeof live.get>>;
    for (const pid of pids) {
      const shown = VIEWS.rlimits(document, { pids: [pid] }).tasks[0]?.limits.map(
        ({ soft, hard }) => `${soft} ${hard}`,
      );
      const there = proc(pid, "limits")
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.slice(26).trim().split(/\s+/).slice(0, 2).join(" "));
      assert.equal(shown, there, `pid ${pid}`);
    }
  });
}

test.run();
