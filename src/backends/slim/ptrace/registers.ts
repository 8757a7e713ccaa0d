import { ARGUMENT_REGISTERS, REGISTERS, type Register } from "../sys/abi-x64.js";

/** The general registers of a stopped thread, struct user_regs_struct. */
export class Registers {
  constructor(readonly bytes: Buffer = Buffer.alloc(REGISTERS.length * 8)) {}

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
