// One meaning in both families: what is found in an image, and what an edit does to it, is the same for the image and
// for what convert makes of it.
import * as assert from "uvu/assert";
import { OverlayFileSet } from "../../src/io/file-set.js";
import { MemorySource } from "../../src/io/source.js";
import { SplicedSource } from "../../src/io/splice.js";
import type { Document } from "../../src/model/document.js";
import { openFileSet, openStream } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import { diffCheckpoints } from "../../src/ops/diff/diff.js";
import { splicedFiles } from "../../src/ops/edit/check.js";
import { planEdits } from "../../src/ops/edit/plan-edits.js";
import { MODEL_RULES } from "../../src/ops/validate/rules/rules.js";
import { validate } from "../../src/ops/validate/validate.js";
import { suite } from "../helpers/suite.js";
import { DamagedSet } from "../unit/ops/validate/damaged-set.js";

const test = suite("both families mean the same", undefined, 120);
const ABOUT_MEANING: ReadonlySet<string> = new Set([...MODEL_RULES.map(({ id }) => id), "FIELD_VALUE"]);

/** A field with a value that the kernel, or criu 4.2.1, refuses. */
const REFUSED: readonly (readonly [fixture: string, place: string, value: unknown])[] = [
  ["threads", "core-1000.img[0].thread_core.sched_nice", 45],
  ["threads", "core-1000.img[0].thread_core.sched_nice", -99],
  ["threads", "core-1000.img[0].thread_core.sched_policy", 77],
  ["threads", "core-1000.img[0].thread_core.sched_prio", 7],
  ["threads", "core-1000.img[0].thread_core.pdeath_sig", 99],
  ["threads", "core-1000.img[0].thread_core.creds.secbits", 0x4000],
  ["threads", "core-1000.img[0].thread_core.futex_rla_len", 12],
  ["threads", "core-1000.img[0].tc.timers.posix[0].si_signo", 99],
  ["threads", "core-1000.img[0].tc.timers.posix[0].it_sigev_notify", 77],
  ["threads", "core-1000.img[0].tc.timers.posix[0].clock_id", 55],
  ["locks", "filelocks.img[0].start", -1n],
  ["locks", "filelocks.img[0].type", 2],
  ["locks", "files.img[4].reg.flags", 0],
  ["locks", "files.img[8].reg.flags", 2],
  ["logger", "fs-1000.img[0].umask", 0o1777],
  ["logger", "mm-1000.img[0].mm_end_code", 0n],
  ["logger", "mm-1000.img[0].mm_brk", 1n],
  ["threads", "mm-1000.img[0].vmas[7].end", 0x7ff35c01b000n],
  ["container", "ipcns-shm-11.img[0].desc.id", 0x8000_0000],
  ["container", "ipcns-shm-11.img[0].size", 0n],
  ["container", "ipcns-var-11.img[0].shm_rmid_forced", 2],
  ["container", "ipcns-var-11.img[0].msg_next_id", 0xffff_fff0],
];

/** Findings about the meaning of objects, each with its object. */
function meaningOf(document: Document): string[] {
  const { findings } = validate(document);
  const ids = findings
    .filter(({ id }) => ABOUT_MEANING.has(id))
    .map(({ id, at }) => `${id} ${at.pid}:${at.fd}`);
  return [...new Set(ids)].sort();
}

function converted(document: Document): { readonly document: Document; readonly losses: readonly string[] } {
  const plan = planConversion(document, "linux-cr");
  if (plan.to !== "linux-cr") throw new Error("a set becomes a stream");
  const bytes = Buffer.from(plan.stream.read(0, plan.stream.size));
  return {
    document: openStream(new MemorySource(bytes, "converted.ckpt")),
    losses: plan.losses.map(({ object, what }) => `${object}: ${what}`),
  };
}

for (const [fixture, place, value] of REFUSED)
  test(`${place} = ${value} of ${fixture} is invalid in both`, () => {
    const set = new DamagedSet(fixture).set(place, value).open();
    assert.not.ok(validate(set).valid, "the set is valid");
    const found = meaningOf(set);
    assert.ok(found.length > 0, "no rule about the meaning found it");
    const stream = converted(set);
    assert.equal(meaningOf(stream.document), found);
    assert.not.ok(validate(stream.document).valid, "the stream is valid");
  });

/** Edits that both families can express, of a fixture. */
const EDITS: readonly (readonly [fixture: string, kind: string, text: string])[] = [
  ["container", "hostname", "elsewhere"],
  ["container", "env", "1:PATH=/bin"],
];

function edited(document: Document, kind: string, text: string): Document {
  const { splices } = planEdits(document, [{ kind, text }]);
  if (document.family === "criu") {
    const { fileSet } = document.set;
    return openFileSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, splices)));
  }
  return openStream(new SplicedSource(document.image.source, [...splices.values()].flat()));
}

function differences(left: Document, right: Document): readonly unknown[] {
  const { differences: all, memory } = diffCheckpoints(left, right);
  return [...all, ...memory];
}

for (const [fixture, kind, text] of EDITS)
  test(`--${kind} ${text} of ${fixture} is the same in both`, () => {
    const set = new DamagedSet(fixture).open();
    const stream = converted(set).document;
    const after = edited(stream, kind, text);
    assert.ok(differences(stream, after).length > 0, "nothing was edited");
    assert.equal(differences(converted(edited(set, kind, text)).document, after), []);
  });

test.run();
