import { type ByteSource, checkRange, readOver } from "./source.js";

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
    readOver(this.base, into, this.start + offset);
  }

  close(): void {}
}
