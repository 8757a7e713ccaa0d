/** Byte order of integers: that of the checkpointed machine. */
export type ByteOrder = "little-endian" | "big-endian";
