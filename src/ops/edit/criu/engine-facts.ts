import { FACT_FILES, type FactKind, factAt } from "../../../formats/archive/facts.js";
import { JsonText, type Scalar } from "../../../formats/archive/json-text.js";
import type { FileSet } from "../../../io/file-set.js";
import type { Splice } from "../../../io/splice.js";
import type { Fact } from "../objects.js";

/** The files of an engine beside the images while edits are planned: a later edit sees what an earlier one did. */
export class EngineFacts {
  readonly #texts = new Map<string, JsonText | undefined>();

  constructor(private readonly files: FileSet) {}

  /** All values of a kind. Errors: FormatError for a file that is not JSON. */
  *all(kind: FactKind): Generator<Fact & { set(value: string | number): void }> {
    for (const file of FACT_FILES) {
      const text = this.#text(file);
      for (const scalar of text?.scalars() ?? []) {
        if (text === undefined || factAt(file, scalar.path) !== kind) continue;
        yield {
          file,
          field: fieldOf(scalar),
          value: scalar.value,
          beside: (key) => text.beside(scalar, key),
          set: (value) => text.set(scalar.path, value),
        };
      }
    }
  }

  /** The bytes to change by file. */
  *splices(): Generator<[file: string, splices: Splice[]]> {
    for (const [file, text] of this.#texts) {
      const splices = text?.splices() ?? [];
      if (splices.length > 0) yield [file, splices];
    }
  }

  #text(file: string): JsonText | undefined {
    if (!this.#texts.has(file)) {
      const source = this.files.open(file);
      const text = source && new JsonText(source, (path) => factAt(file, path) !== undefined);
      this.#texts.set(file, text);
    }
    return this.#texts.get(file);
  }
}

/** `mounts[3].source`. */
function fieldOf({ path }: Scalar): string {
  return path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${key}`))
    .join("");
}
