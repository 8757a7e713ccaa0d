/** Floating point and vector registers of x86 by name, for both families; those that are zero are left out. */
export class X86Registers {
  readonly #values = new Map<string, bigint>();

  entries(): Iterable<[name: string, value: bigint]> {
    return this.#values.entries();
  }

  add(name: string, value: number | bigint): void {
    if (BigInt(value) !== 0n) this.#values.set(name, BigInt(value));
  }

  /** Registers that stand side by side, each of so many bytes, the low byte first. */
  addEach(name: string, bytes: Buffer, size: number): void {
    for (let i = 0; (i + 1) * size <= bytes.length; i++) {
      let value = 0n;
      for (let at = (i + 1) * size - 8; at >= i * size; at -= 8)
        value = (value << 64n) | bytes.readBigUInt64LE(at);
      this.add(`${name}${i}`, value);
    }
  }

  /** A component of the XSAVE area: 2 are the upper halves of YMM, 5 the masks, 6 and 7 parts of ZMM. */
  addComponent(component: number, bytes: Buffer): void {
    const [name, size] = COMPONENTS[component] ?? [`xstate${component}_`, 8];
    if (bytes.length % 8 === 0) this.addEach(name, bytes, size);
    else if (bytes.length === 4) this.add(`${name}0`, bytes.readUInt32LE());
  }
}

const COMPONENTS: Readonly<Record<number, readonly [name: string, size: number]>> = {
  2: ["ymmh", 16],
  5: ["k", 8],
  6: ["zmmh", 32],
  7: ["zmm16_", 64],
  9: ["pkru", 8],
};

/** The area that FXSAVE writes, of 512 bytes. */
export function addFxsave(registers: X86Registers, area: Buffer): void {
  if (area.length < 416) return;
  registers.add("fcw", area.readUInt16LE(0));
  registers.add("fsw", area.readUInt16LE(2));
  registers.add("ftw", area.readUInt16LE(4));
  registers.add("fop", area.readUInt16LE(6));
  registers.add("fip", area.readBigUInt64LE(8));
  registers.add("fdp", area.readBigUInt64LE(16));
  registers.add("mxcsr", area.readUInt32LE(24));
  registers.addEach("st", area.subarray(32, 160), 16);
  registers.addEach("xmm", area.subarray(160, 416), 16);
}
