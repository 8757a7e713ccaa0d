/** Order of the bytes of an integer: that of the machine that took the checkpoint. */
export type ByteOrder = "little-endian" | "big-endian";
