/** A reader of core files of its own, elf(5), so that the writer is not its own witness. */
import * as assert from "uvu/assert";

export interface CoreSegment {
  readonly address: bigint;
  readonly physical: bigint;
  readonly offset: number;
  readonly fileSize: number;
  readonly size: bigint;
  readonly flags: number;
}

export interface CoreNote {
  readonly owner: string;
  readonly type: number;
  readonly content: Buffer;
}

/** Numbers at offsets, in the byte order and word size of the file. */
class Fields {
  constructor(
    readonly bytes: Buffer,
    readonly is64: boolean,
    readonly isLittle: boolean,
  ) {}
  u16(at: number): number {
    return this.isLittle ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }
  u32(at: number): number {
    return this.isLittle ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }
  u64(at: number): bigint {
    return this.isLittle ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at);
  }
  word(at: number): bigint {
    return this.is64 ? this.u64(at) : BigInt(this.u32(at));
  }
}

export class CoreFile {
  readonly fields: Fields;
  readonly machine: number;
  readonly segments: CoreSegment[] = [];
  readonly notes: CoreNote[] = [];

  constructor(readonly bytes: Buffer) {
    assert.is(bytes.toString("latin1", 0, 4), "\x7fELF");
    const is64 = bytes[4] === 2;
    this.fields = new Fields(bytes, is64, bytes[5] === 1);
    const { fields } = this;
    assert.is(fields.u16(16), 4, "is no core");
    this.machine = fields.u16(18);
    const [phoff, shoff] = [32, 40].map((at) => Number(fields.word(is64 ? at : at - 4 - (at - 32) / 2)));
    const few = fields.u16(is64 ? 56 : 44);
    const count = few === 0xffff ? fields.u32((shoff as number) + (is64 ? 44 : 28)) : few;
    for (let i = 0; i < count; i++) this.#program((phoff as number) + i * (is64 ? 56 : 32));
  }

  /** The bytes of the file that stand for memory; undefined where it has none. */
  memory(address: bigint, size: number): Buffer | undefined {
    const found = this.segments.find(
      (each) => each.address <= address && address + BigInt(size) <= each.address + BigInt(each.fileSize),
    );
    if (found === undefined) return undefined;
    const at = found.offset + Number(address - found.address);
    return this.bytes.subarray(at, at + size);
  }

  all(type: number): Buffer[] {
    return this.notes.filter((note) => note.type === type).map(({ content }) => content);
  }

  #program(at: number): void {
    const { fields } = this;
    const [offset, address, physical, fileSize, size] = fields.is64
      ? [8, 16, 24, 32, 40].map((more) => fields.word(at + more))
      : [4, 8, 12, 16, 20].map((more) => fields.word(at + more));
    const segment = {
      ...{ address: address as bigint, physical: physical as bigint, offset: Number(offset) },
      ...{ fileSize: Number(fileSize), size: size as bigint },
      flags: fields.u32(at + (fields.is64 ? 4 : 24)),
    };
    if (fields.u32(at) === 1) this.segments.push(segment);
    else this.#notes(segment.offset, segment.offset + segment.fileSize);
  }

  #notes(start: number, end: number): void {
    const even = (size: number): number => (size + 3) & ~3;
    for (let at = start; at < end; ) {
      const [nameSize, size, type] = [0, 4, 8].map((more) => this.fields.u32(at + more)) as [
        number,
        number,
        number,
      ];
      const content = at + 12 + even(nameSize);
      this.notes.push({
        ...{ owner: this.bytes.toString("latin1", at + 12, at + 11 + nameSize), type },
        content: this.bytes.subarray(content, content + size),
      });
      at = content + even(size);
    }
  }
}
