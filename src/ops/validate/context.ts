import type { SalvagedSet } from "../../formats/criu/salvage.js";
import { shellCommand, shellQuote } from "../../io/shell.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import type { Descriptor, DescriptorTable, OpenFile } from "../../model/open-file.js";
import type { Origin } from "../../model/origin.js";
import type { SalvagedCriuDocument, SalvagedDocument } from "../../model/salvaged.js";
import type { Place } from "./finding.js";

/** What a place is about besides the record. */
export type PlaceOfObject = Pick<Place, "pid" | "fd" | "path" | "field">;

/** What rules of both families look at: the model over what could be read, and facts that several rules share. */
export abstract class ImageContext {
  abstract readonly family: SalvagedDocument["family"];
  readonly #document: SalvagedDocument;
  readonly #shared = new Map<unknown, unknown>();

  constructor(document: SalvagedDocument) {
    this.#document = document;
  }

  /** Built at first use. Errors: FormatError for a stream that is damaged where the model looks. */
  get checkpoint(): Checkpoint {
    return this.#document.checkpoint;
  }

  /** What `make` gives for this image, made at the first call. */
  share<T>(make: (context: this) => T): T {
    if (!this.#shared.has(make)) this.#shared.set(make, make(this));
    return this.#shared.get(make) as T;
  }

  /** Where an object of the model stands, as the place of a finding. */
  abstract placeOf(origin: Origin, more?: PlaceOfObject): Place;

  /** The `crimg edit` command that takes a record away; undefined where the format counts it elsewhere. */
  abstract dropRecordCommand(origin: Origin): string | undefined;

  /** The `crimg edit` command that sets a number of an open file. */
  abstract setFileCommand(file: OpenFile, field: "flags" | "position", value: number): string;

  /** The one that gives an open file another path, or what else has this one; undefined where none can. */
  abstract renameCommand(file: OpenFile | undefined, path: string, to: string): string | undefined;
  /** The `crimg edit` command that gives the field at an origin another value. */
  abstract setFieldCommand(origin: Origin, value: number | bigint | string): string;

  /** A descriptor of a task. */
  descriptor(pid: number, fd: number): Descriptor | undefined {
    return this.share(descriptorsByPid).get(pid)?.get(fd);
  }

  /** The image's name as a word of a command line. */
  get quotedName(): string {
    return shellQuote(this.#document.name);
  }

  /** The `crimg edit` command that changes this image in place. */
  editCommand(...args: readonly string[]): string {
    return shellCommand(["crimg", "edit", this.#document.name, ...args, "--in-place"]);
  }
}

/** Descriptors by number, for each pid. */
export function descriptorsByPid({
  checkpoint,
}: ImageContext): ReadonlyMap<number, ReadonlyMap<number, Descriptor>> {
  const byTable = new Map<DescriptorTable, Map<number, Descriptor>>();
  const byPid = new Map<number, Map<number, Descriptor>>();
  for (const { pid, descriptors } of checkpoint.tasks) {
    if (descriptors === undefined) continue;
    let numbers = byTable.get(descriptors);
    if (numbers === undefined) {
      numbers = new Map(descriptors.descriptors.map((descriptor) => [descriptor.fd, descriptor]));
      byTable.set(descriptors, numbers);
    }
    byPid.set(pid, numbers);
  }
  return byPid;
}

/** What rules about CRIU sets look at. */
export class SetContext extends ImageContext {
  readonly family = "criu";
  readonly set: SalvagedSet;

  constructor(document: SalvagedCriuDocument) {
    super(document);
    this.set = document.set;
  }

  placeOf({ image, record, field }: Origin, more: PlaceOfObject = {}): Place {
    return { image, record, field, ...more };
  }

  dropRecordCommand({ image, record }: Origin): string {
    return this.editCommand("--set", `${image}[${record}]=absent`);
  }

  setFileCommand(file: OpenFile, field: "flags" | "position", value: number): string {
    return this.#setCommand(file, field === "flags" ? "flags" : "pos", value);
  }

  renameCommand(file: OpenFile | undefined, _path: string, to: string): string | undefined {
    return file && this.#setCommand(file, "name", to);
  }

  setFieldCommand({ image, record, field }: Origin, value: number | bigint | string): string {
    return this.editCommand("--set", `${image}[${record}].${field}=${value}`);
  }

  #setCommand({ origin }: OpenFile, name: string, value: number | string): string {
    const field = origin.field === undefined ? name : `${origin.field}.${name}`;
    return this.setFieldCommand({ ...origin, field }, value);
  }
}
