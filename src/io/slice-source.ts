import { type ByteSource, checkRange } from "./source.js";

/** A range of another source, as a file of its own. Closing it does not close the other. */
export class SliceSource implements ByteSource {
  constructor(
    readonly base: ByteSource,
    readonly start: number,
    readonly size: number,
    readonly name: string,
    readonly linked?: string,
  ) {}

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    return this.base.read(this.start + offset, size);
  }

  readOver(into: Buffer, offset: number): void {
    checkRange(this, offset, into.length);
    if (this.base.readOver !== undefined) this.base.readOver(into, this.start + offset);
    else this.base.read(this.start + offset, into.length).copy(into);
  }

  close(): void {}
}
