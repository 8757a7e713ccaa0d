/** The frame through which a thread goes back by itself, against the layout of asm/sigcontext.h and ucontext(3). */
import * as assert from "uvu/assert";
import { Registers } from "../../../../src/backends/slim/ptrace/registers.js";
import { frameBytes, signalFrame } from "../../../../src/backends/slim/ptrace/signal-frame.js";
import { suite } from "../../../helpers/suite.js";

const frames = suite("signal frames");

const AT = 0x7fff_0000;
const FPSTATE = 320;

function frame(xstate: Buffer): Buffer {
  const registers = new Registers();
  registers.set("rip", 0x401000).set("rsp", 0x7ffe_1234_5678).set("rax", -4).set("cs", 0x33).set("ss", 0x2b);
  registers.set("r8", 8).set("eflags", 0x246);
  return signalFrame({ registers, xstate, mask: Buffer.from("0102030405060708", "hex") }, AT);
}

frames("registers, selectors and the mask stand where rt_sigreturn reads them", () => {
  const bytes = frame(Buffer.alloc(576));
  // One word of return address, then uc_flags, uc_link and uc_stack.
  const gregs = 8 + 40;
  assert.is(bytes.readBigUInt64LE(gregs), 8n);
  assert.is(bytes.readBigInt64LE(gregs + 13 * 8), -4n);
  assert.is(bytes.readBigUInt64LE(gregs + 15 * 8), 0x7ffe_1234_5678n);
  assert.is(bytes.readBigUInt64LE(gregs + 16 * 8), 0x401000n);
  assert.is(bytes.readBigUInt64LE(gregs + 17 * 8), 0x246n);
  assert.is(bytes.readUInt16LE(gregs + 18 * 8), 0x33);
  assert.is(bytes.readUInt16LE(gregs + 18 * 8 + 6), 0x2b);
  assert.is(bytes.readBigUInt64LE(gregs + 184), BigInt(AT + FPSTATE));
  assert.is(bytes.subarray(8 + 296, 8 + 304).toString("hex"), "0102030405060708");
});

frames("extended state is aligned, described by its own size, and ended by a magic word", () => {
  for (const size of [576, 832, 2696]) {
    const xstate = Buffer.alloc(size, 0x5a);
    xstate.writeBigUInt64LE(4n, 512);
    const bytes = frame(xstate);
    assert.is((AT + FPSTATE) % 64, 0);
    assert.is(bytes.length, FPSTATE + size + 4);
    assert.is(bytes.length, frameBytes(xstate));
    const software = bytes.subarray(FPSTATE + 464);
    assert.is(software.readUInt32LE(0), 0x46505853);
    assert.is(software.readUInt32LE(4), size + 4);
    // x87 and SSE are always restored.
    assert.is(software.readBigUInt64LE(8), 7n);
    assert.is(software.readUInt32LE(16), size);
    assert.is(bytes.readUInt32LE(FPSTATE + size), 0x46505845);
    assert.ok(bytes.subarray(FPSTATE, FPSTATE + 464).equals(xstate.subarray(0, 464)));
  }
});

frames("an alternate stack of no known mode is given, so that the thread keeps its own", () => {
  assert.is(frame(Buffer.alloc(576)).readInt32LE(8 + 24), 0x7f);
});

frames.run();
