import { ARGUMENT_REGISTERS, REGISTERS, type Register } from "../sys/abi-x64.js";

/** Code segment of 64-bit tasks: __USER_CS, arch/x86/include/asm/segment.h. */
export const USER64_CS = 0x33n;

/** The name that the model has for a register of struct user_regs_struct. */
function modelName(name: Register): string {
  return name === "eflags" ? "flags" : name.replace(/^(orig_)?r(?=[a-z])/, "$1");
}

/** The general registers of a stopped thread, struct user_regs_struct. */
export class Registers {
  constructor(readonly bytes: Buffer = Buffer.alloc(REGISTERS.length * 8)) {}

  /** Those of the model; what it does not have is 0. */
  static of(general: ReadonlyMap<string, bigint>): Registers {
    const registers = new Registers();
    for (const name of REGISTERS) registers.set(name, general.get(modelName(name)) ?? 0n);
    return registers;
  }

  /** By the names of the model. */
  get general(): ReadonlyMap<string, bigint> {
    return new Map(REGISTERS.map((name) => [modelName(name), this.get(name)]));
  }

  get(name: Register): bigint {
    return this.bytes.readBigUInt64LE(REGISTERS.indexOf(name) * 8);
  }

  /** The value as a signed number: results of calls, negative for errors. */
  signed(name: Register): number {
    return Number(this.bytes.readBigInt64LE(REGISTERS.indexOf(name) * 8));
  }

  set(name: Register, value: number | bigint): this {
    this.bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), REGISTERS.indexOf(name) * 8);
    return this;
  }

  /** Arguments of a system call; those that are not given are 0. */
  setArguments(args: readonly (number | bigint)[]): this {
    for (const [i, name] of ARGUMENT_REGISTERS.entries()) this.set(name, args[i] ?? 0);
    return this;
  }

  copy(): Registers {
    return new Registers(Buffer.from(this.bytes));
  }
}
