import type { Note } from "../../formats/elf/core-file.js";
import { NT_FPREGSET } from "../../formats/elf/core-notes.js";
import { NT_PRXFPREG, NT_X86_XSTATE } from "../../formats/elf/core-registers.js";
import {
  LEGACY_COMPONENTS,
  SOFTWARE_BYTES_AT,
  STANDARD_PLACES,
  XSAVE_HEADER_END,
  XSTATE_BV_AT,
} from "../../linux/xsave.js";
import { FXSAVE_BYTES, type X86State } from "../../model/x86-registers.js";

/** Floating point and vector registers of a thread of x86. */
export function* x86Notes({ extended, isCompat }: X86State): Generator<Note> {
  const { fxsave, inUse = LEGACY_COMPONENTS, components } = extended;
  yield isCompat
    ? { owner: "LINUX", type: NT_PRXFPREG, content: fxsave }
    : { owner: "CORE", type: NT_FPREGSET, content: fxsave };
  const places = STANDARD_PLACES.filter(([component, , size]) => components.get(component)?.length === size);
  const end = places.reduce((most, [, at, size]) => Math.max(most, at + size), XSAVE_HEADER_END);
  const area = Buffer.alloc(end);
  fxsave.copy(area, 0, 0, FXSAVE_BYTES);
  let there = LEGACY_COMPONENTS;
  for (const [component, at] of places) {
    there |= 1n << BigInt(component);
    components.get(component)?.copy(area, at);
  }
  area.writeBigUInt64LE(there, SOFTWARE_BYTES_AT);
  area.writeBigUInt64LE(BigInt.asUintN(64, inUse) & there, XSTATE_BV_AT);
  if (places.length > 0) yield { owner: "LINUX", type: NT_X86_XSTATE, content: area };
}
