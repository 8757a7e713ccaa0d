/** Places in an XSAVE area of x86, Intel SDM volume 1, 13.4. */

/** x87 and SSE, whose registers stand in the FXSAVE part. */
export const LEGACY_COMPONENTS = 3n;
/**
 * Bytes of the FXSAVE part that are free for software. The kernel has there, in a signal frame, struct _fpx_sw_bytes
 * (asm/sigcontext.h); for ptrace and in core files which components the area has (asm/user.h).
 */
export const SOFTWARE_BYTES_AT = 464;
/** The header behind the FXSAVE part: which components are not in their initial state. */
export const XSTATE_BV_AT = 512;
export const XSAVE_HEADER_END = 576;

/**
 * Components in the standard format of Intel's processors, number, offset and bytes: the layout that gdb takes for an area
 * of this size, whichever processor the image is from.
 */
export const STANDARD_PLACES = [
  [2, 576, 256],
  [3, 960, 64],
  [4, 1024, 64],
  [5, 1088, 64],
  [6, 1152, 512],
  [7, 1664, 1024],
  [9, 2688, 8],
] as const;
