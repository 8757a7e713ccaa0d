import type { UserX86FpregsEntry } from "../../formats/criu/tables/core-x86.js";
import { wordBytes } from "../../io/words.js";
import { X86Registers } from "../x86-registers.js";

/** Floating point and vector registers as criu stores them: fields for the parts of the XSAVE area. */
export function criuX86Registers(fpregs: UserX86FpregsEntry): X86Registers {
  const registers = new X86Registers();
  registers.add("fcw", fpregs.cwd & 0xffff);
  registers.add("fsw", fpregs.swd & 0xffff);
  registers.add("ftw", fpregs.twd & 0xffff);
  registers.add("fop", fpregs.fop & 0xffff);
  registers.add("fip", fpregs.rip);
  registers.add("fdp", fpregs.rdp);
  registers.add("mxcsr", fpregs.mxcsr);
  registers.addEach("st", words32(fpregs.st_space), 16);
  registers.addEach("xmm", words32(fpregs.xmm_space), 16);
  const { xsave } = fpregs;
  if (xsave === undefined) return registers;
  registers.addComponent(2, words32(xsave.ymmh_space));
  registers.addComponent(3, words64(xsave.bndreg_state));
  registers.addComponent(4, words64(xsave.bndcsr_state));
  registers.addComponent(5, words64(xsave.opmask_reg));
  registers.addComponent(6, words64(xsave.zmm_upper));
  registers.addComponent(7, words64(xsave.hi16_zmm));
  registers.addComponent(9, words32(xsave.pkru));
  if (xsave.cet !== undefined) registers.addComponent(11, words64([xsave.cet.cet, xsave.cet.ssp]));
  return registers;
}

function words32(words: readonly number[]): Buffer {
  return wordBytes("u32", words, "word of a register");
}

function words64(words: readonly bigint[]): Buffer {
  return wordBytes("u64", words, "word of a register");
}
