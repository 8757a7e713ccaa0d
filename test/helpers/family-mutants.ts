import { CriuImage } from "../../src/formats/criu/image.js";
import { MemorySource } from "../../src/io/source.js";
import type { Document } from "../../src/model/document.js";
import { DamagedSet } from "../unit/ops/validate/damaged-set.js";
import { DamagedStream, type StreamName } from "../unit/ops/validate/damaged-stream.js";
import { type DomainField, domainFields, type Mutant, mutantsOf } from "./domain-mutants.js";
import { FIXTURE_NAMES } from "./images.js";
import { randomBy } from "./kills.js";

/** An image in which one field has another value of its domain, or one outside of it. */
export interface MutantImage {
  readonly name: string;
  /** The field without the record that it is in: `core.thread_core.sched_nice`. */
  readonly field: string;
  readonly mutant: Mutant;
  /** The image as it was, by name. */
  readonly original: string;
  openOriginal(): Document;
  open(): Document;
}

/** Every mutant of every set. */
export function* setMutants(): Generator<MutantImage> {
  for (const fixture of FIXTURE_NAMES) {
    const document = new DamagedSet(fixture).open();
    for (const { name, kind } of document.set.files) {
      if (kind?.magic === undefined) continue;
      const bytes = new DamagedSet(fixture).read(name);
      for (const { table, value, index } of new CriuImage(new MemorySource(bytes, name), name).records())
        for (const field of domainFields(table, value))
          for (const mutant of mutantsOf(field))
            yield {
              name: `${name}[${index}].${field.path} = ${mutant.value} of ${fixture}`,
              field: `${kind.name}.${templateOf(field)}`,
              mutant,
              original: fixture,
              openOriginal: () => new DamagedSet(fixture).open(),
              open: () => new DamagedSet(fixture).set(`${name}[${index}].${field.path}`, mutant.value).open(),
            };
    }
    document.close();
  }
}

const STREAMS: readonly StreamName[] = ["minimal", "extended", "rich", ...(FIXTURE_NAMES as StreamName[])];

/** Every mutant of every stream. */
export function* streamMutants(): Generator<MutantImage> {
  for (const stream of STREAMS) {
    const { image } = new DamagedStream(stream);
    for (let index = 0; index < image.length; index++) {
      const table = image.layout(index);
      const kind = image.kind(index);
      if (table === undefined || kind === undefined) continue;
      for (const field of domainFields(table, image.fields(index)))
        for (const mutant of mutantsOf(field))
          yield {
            name: `${kind.name}[${index}].${field.path} = ${mutant.value} of ${stream}.ckpt`,
            field: `${kind.name}.${templateOf(field)}`,
            mutant,
            original: `${stream}.ckpt`,
            openOriginal: () => new DamagedStream(stream).open(),
            open: () => new DamagedStream(stream).setAt(index, changeOf(field.path, mutant.value)).open(),
          };
    }
  }
}

function templateOf({ path }: DomainField): string {
  return path.replaceAll(/\[\d+\]/g, "[]");
}

function changeOf(path: string, value: number | bigint): Readonly<Record<string, unknown>> {
  return path.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Readonly<
    Record<string, unknown>
  >;
}

/** So many mutants of each field and kind of value, drawn by a seed; as many as there are where that is fewer. */
export function* sample(mutants: Iterable<MutantImage>, each: number, seed: number): Generator<MutantImage> {
  const groups = new Map<string, MutantImage[]>();
  for (const image of mutants) {
    const key = `${image.field} ${image.mutant.kind}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [image]);
    else group.push(image);
  }
  const next = randomBy(seed);
  for (const group of groups.values())
    for (let i = 0; i < each && group.length > 0; i++)
      yield* group.splice(Math.floor(next() * group.length), 1);
}
