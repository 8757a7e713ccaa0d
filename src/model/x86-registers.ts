/** What a thread of x86 had in its processor. */
export interface X86State {
  /** General registers and segments, by the names of criu's user_regs_entry; segments as the kernels of today number them. */
  readonly general: ReadonlyMap<string, bigint>;
  /** Whether it runs 32-bit code. */
  readonly isCompat: boolean;
  readonly extended: ExtendedState;
  /** Descriptors of thread-local storage as the processor has them (Intel SDM 3A, 3.4.5); 0 for an empty one. */
  readonly descriptors: readonly bigint[];
}

/** Floating point and vector registers: an XSAVE area taken apart, Intel SDM vol. 1, 13.4. */
export interface ExtendedState {
  /** The area that FXSAVE writes, of 512 bytes. */
  readonly fxsave: Buffer;
  /** Bit n: component n is not in its initial state. Undefined where nothing is stored beyond FXSAVE. */
  readonly inUse: bigint | undefined;
  /** Components by their numbers, from 2 (upper halves of YMM) on. */
  readonly components: ReadonlyMap<number, Buffer>;
}

export const FXSAVE_BYTES = 512;
/** First descriptor of thread-local storage in the global table of x86-64, and how many there are. */
export const TLS_MIN = 12;
export const TLS_ENTRIES = 3;
const CONTROL_WORD = 0x37f;
const MXCSR = 0x1f80;

/** The FXSAVE area of a thread that has not used floating point yet. */
export function initialFxsave(): Buffer {
  const area = Buffer.alloc(FXSAVE_BYTES);
  area.writeUInt16LE(CONTROL_WORD, 0);
  area.writeUInt32LE(MXCSR, 24);
  return area;
}

/** The components that are not in their initial state: what stands in others says nothing. */
export function usedComponents({ inUse = 0n, components }: ExtendedState): (readonly [number, Buffer])[] {
  return [...components].filter(([component]) => ((inUse >> BigInt(component)) & 1n) === 1n);
}

/** Registers of one component: the largest, the tiles of AMX, has 8 KiB. */
const MAX_NAMED = 1024;

/** All registers by name; those of floating point and vectors only where they are not zero. */
export function registerNames({ general, extended }: X86State): Map<string, bigint> {
  const registers = new Map(general);
  const add = (name: string, value: number | bigint): void => {
    if (BigInt(value) !== 0n) registers.set(name, BigInt(value));
  };
  // Registers that stand side by side, each of so many bytes, the low byte first.
  const addEach = (name: string, bytes: Buffer, size: number): void => {
    for (let i = 0; (i + 1) * size <= bytes.length && i < MAX_NAMED; i++) {
      let value = 0n;
      for (let at = (i + 1) * size - 8; at >= i * size; at -= 8)
        value = (value << 64n) | bytes.readBigUInt64LE(at);
      add(`${name}${i}`, value);
    }
  };
  const { fxsave, components } = extended;
  for (const [name, at] of FXSAVE_WORDS) add(name, fxsave.readUInt16LE(at));
  add("fip", fxsave.readBigUInt64LE(8));
  add("fdp", fxsave.readBigUInt64LE(16));
  add("mxcsr", fxsave.readUInt32LE(24));
  addEach("st", fxsave.subarray(32, 160), 16);
  addEach("xmm", fxsave.subarray(160, 416), 16);
  for (const [component, bytes] of components) {
    const [name, size] = COMPONENTS[component] ?? [`xstate${component}_`, 8];
    if (bytes.length % 8 === 0) addEach(name, bytes, size);
    else if (bytes.length === 4) add(`${name}0`, bytes.readUInt32LE());
  }
  return registers;
}

const FXSAVE_WORDS = [
  ["fcw", 0],
  ["fsw", 2],
  ["ftw", 4],
  ["fop", 6],
] as const;

const COMPONENTS: Readonly<Record<number, readonly [name: string, size: number]>> = {
  2: ["ymmh", 16],
  5: ["k", 8],
  6: ["zmmh", 32],
  7: ["zmm16_", 64],
  9: ["pkru", 8],
};
