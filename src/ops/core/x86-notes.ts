import type { Note } from "../../formats/elf/core-file.js";
import { NT_FPREGSET } from "../../formats/elf/core-notes.js";
import { NT_PRXFPREG, NT_X86_XSTATE } from "../../formats/elf/core-registers.js";
import { FXSAVE_BYTES, type X86State } from "../../model/x86-registers.js";

/** Header of an XSAVE area behind the FXSAVE part: XSTATE_BV, Intel SDM volume 1, 13.4.2. */
const XSTATE_BV_AT = 512;
const HEADER_END = 576;
/** Where the kernel tells which components the area has: arch/x86/include/uapi/asm/sigcontext.h, struct _fpx_sw_bytes. */
const XFEATURES_AT = 464;
/** x87 and SSE, which the FXSAVE part has. */
const LEGACY = 3n;

/**
 * Components in the standard format of Intel's processors, number, offset and bytes: the layout that gdb takes for an area
 * of this size, whichever processor the image is from.
 */
const PLACES = [
  [2, 576, 256],
  [3, 960, 64],
  [4, 1024, 64],
  [5, 1088, 64],
  [6, 1152, 512],
  [7, 1664, 1024],
  [9, 2688, 8],
] as const;

/** Floating point and vector registers of a thread of x86. */
export function* x86Notes({ extended, isCompat }: X86State): Generator<Note> {
  const { fxsave, inUse = LEGACY, components } = extended;
  yield isCompat
    ? { owner: "LINUX", type: NT_PRXFPREG, content: fxsave }
    : { owner: "CORE", type: NT_FPREGSET, content: fxsave };
  const places = PLACES.filter(([component, , size]) => components.get(component)?.length === size);
  const end = places.reduce((most, [, at, size]) => Math.max(most, at + size), HEADER_END);
  const area = Buffer.alloc(end);
  fxsave.copy(area, 0, 0, FXSAVE_BYTES);
  let there = LEGACY;
  for (const [component, at] of places) {
    there |= 1n << BigInt(component);
    components.get(component)?.copy(area, at);
  }
  area.writeBigUInt64LE(there, XFEATURES_AT);
  area.writeBigUInt64LE(BigInt.asUintN(64, inUse) & there, XSTATE_BV_AT);
  if (places.length > 0) yield { owner: "LINUX", type: NT_X86_XSTATE, content: area };
}
