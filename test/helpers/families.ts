import type { FileSet } from "../../src/io/file-set.js";
import { MemorySource } from "../../src/io/source.js";
import type { Document } from "../../src/model/document.js";
import { openFileSet, openStream } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import type { Finding } from "../../src/ops/validate/finding.js";
import { MODEL_RULES } from "../../src/ops/validate/rules/rules.js";
import { validate } from "../../src/ops/validate/validate.js";

/** Rules about what objects mean, which both families have. */
const ABOUT_MEANING: ReadonlySet<string> = new Set([...MODEL_RULES.map(({ id }) => id), "FIELD_VALUE"]);

/** An image of the other family, with what got lost on the way. */
export interface Converted {
  readonly document: Document;
  readonly losses: readonly string[];
}

export function converted(document: Document): Converted {
  const plan = planConversion(document);
  const losses = plan.losses.map(({ object, what }) => `${object}: ${what}`);
  if (plan.to === "linux-cr") {
    const bytes = Buffer.from(plan.stream.read(0, plan.stream.size));
    return { document: openStream(new MemorySource(bytes, "converted.ckpt")), losses };
  }
  const files = new Map(plan.files.map(({ name, content }) => [name, content]));
  const set: FileSet = {
    name: "converted",
    names: () => [...files.keys()].sort(),
    open: (file) => files.get(file),
    parent: () => undefined,
    close: () => {},
  };
  return { document: openFileSet(set), losses };
}

/** What the rules say of an image. */
export interface Meaning {
  readonly family: Document["family"];
  readonly isValid: boolean;
  /** Those about objects, not about their encoding. */
  readonly findings: readonly Finding[];
}

export function meaningOf(document: Document): Meaning {
  const { findings, valid } = validate(document);
  return {
    family: document.family,
    isValid: valid,
    findings: findings.filter(({ id }) => ABOUT_MEANING.has(id)),
  };
}

/** The findings as text, alike in both families: a record of a stream stands among those of a task, also where a set has an image for all. */
export function meaningTexts(meaning: Meaning, other: Meaning): string[] {
  const set = meaning.family === "criu" ? meaning : other;
  const ofAll = new Set(set.findings.filter(({ at }) => at.pid === undefined).map(({ id }) => id));
  const texts = meaning.findings.map(
    ({ id, at }) => `${id} ${at.fd ?? ""} ${ofAll.has(id) ? "" : (at.pid ?? "")}`,
  );
  return [...new Set(texts)].sort();
}
