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
  ["threads", "core-1000.img[0].tc.rlimits.rlimits[7]", { cur: 10n, max: 9n }],
  ["threads", "core-1000.img[0].tc.timers.posix[1].it_id", 0],
  ["threads", "core-1000.img[0].thread_core.creds.cap_prm", [0, 0]],
  ["threads", "core-1000.img[0].thread_core.rseq_entry.rseq_abi_pointer", 8n],
  ["threads", "core-1000.img[0].tc.signals_s.signals[0].siginfo", Buffer.alloc(128, 65)],
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

/** Edits that both families can express. */
const EDITS: readonly (readonly [fixture: string, edit: string])[] = [
  ["threads", "expiry all=+30s"],
  ["threads", "expiry all=-10h"],
  ["threads", "expiry real==1500ns"],
  ["threads", "expiry prof=x0.3333"],
  ["threads", "expiry posix[1000:1]=x2"],
  ["threads", "expiry timerfd[1000]=+1s"],
  ["threads", "comm 1000=other"],
  ["locks", "lock 1000:4:100-199=read"],
  ["locks", "lock 1000:5=drop"],
  ["locks", "lease 1000:9=drop"],
];

for (const [fixture, edit] of EDITS)
  test(`--${edit} of ${fixture} means the same before and after convert`, () => {
    const set = new DamagedSet(fixture).open();
    const before = converted(edited(set, edit)).document;
    const after = edited(converted(set).document, edit);
    assert.equal(
      diffCheckpoints(before, after).differences.map(({ section, label }) => `${section} ${label}`),
      [],
    );
    assert.ok(diffCheckpoints(after, converted(set).document).differences.length > 0, "no change");
  });

/** An image as an edit leaves it. */
function edited(document: Document, text: string): Document {
  const at = text.indexOf(" ");
  const { splices } = planEdits(document, [{ kind: text.slice(0, at), text: text.slice(at + 1) }]);
  if (document.family === "linux-cr") {
    const source = new SplicedSource(document.image.source, [...splices.values()].flat());
    return openStream(new MemorySource(Buffer.from(source.read(0, source.size)), "edited.ckpt"));
  }
  const { fileSet } = document.set;
  return openFileSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, splices)));
}

test.run();
