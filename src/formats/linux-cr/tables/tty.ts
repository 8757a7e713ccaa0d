import { enumTable } from "../../../io/enums.js";
import { bytes, inner, type StructValue, struct, word } from "../../../schema/struct.js";

/** The only line discipline with a record. */
const LINE_DISCIPLINES = enumTable("ldisc", { N_TTY: 0 });

export const TERMIOS = struct("termios", 48, "Modes of a terminal, termios(3)", {
  c_iflag: word("u32", 0, { show: { as: "hex" } }),
  c_oflag: word("u32", 4, { show: { as: "hex" } }),
  c_cflag: word("u32", 8, { show: { as: "hex" } }),
  c_lflag: word("u32", 12, { show: { as: "hex" } }),
  c_ispeed: word("u32", 16),
  c_ospeed: word("u32", 20),
  c_line: word("u8", 24),
  c_cc: bytes(25, 19),
});
export type Termios = StructValue<typeof TERMIOS>;

export const TERMIOS_0ABE2FE = struct("termios", 24, "Modes of a terminal, termios(3)", {
  c_iflag: word("u16", 0, { show: { as: "hex" } }),
  c_oflag: word("u16", 2, { show: { as: "hex" } }),
  c_cflag: word("u16", 4, { show: { as: "hex" } }),
  c_lflag: word("u16", 6, { show: { as: "hex" } }),
  c_line: word("u8", 8),
  c_cc: bytes(9, 8),
});

export const WINSIZE = struct("winsize", 8, "Size of a terminal window", {
  ws_row: word("u16", 0),
  ws_col: word("u16", 2),
  ws_xpixel: word("u16", 4),
  ws_ypixel: word("u16", 6),
});

export const TTY_0ABE2FE = struct("TTY", 72, "TTY as header sets 0abe2fe to f0fdd38 wrote it", {
  driver_type: word("u16", 8),
  driver_subtype: word("u16", 10),
  link_objref: word("s32", 12),
  file_objref: word("s32", 16),
  _padding: word("u32", 20),
  index: word("u32", 24),
  ldisc: word("u32", 28, { domain: LINE_DISCIPLINES, kept: false }),
  flags: word("u64", 32),
  termios: inner(TERMIOS_0ABE2FE, 40),
  winsize: inner(WINSIZE, 64),
});

export const TTY = struct("TTY", 96, "One side of a pseudo terminal", {
  driver_type: word("u16", 8),
  driver_subtype: word("u16", 10, { doc: "1 master, 2 slave" }),
  link_objref: word("s32", 12, { doc: "the master; 0 in the master itself" }),
  file_objref: word("s32", 16, { doc: "objref reserved for the file of the master" }),
  _padding: word("u32", 20),
  index: word("u32", 24, { doc: "N of /dev/pts/N" }),
  ldisc: word("u32", 28, { doc: "line discipline", domain: LINE_DISCIPLINES, kept: false }),
  flags: word("u64", 32, { doc: "bit 18: hung up, and no TTY_LDISC follows", show: { as: "hex" } }),
  termios: inner(TERMIOS, 40),
  winsize: inner(WINSIZE, 88),
});

export const TTY_LDISC = struct(
  "TTY_LDISC",
  560,
  "State of a line discipline; its unread input follows as a BUFFER",
  {
    column: word("u32", 8),
    datalen: word("u32", 12, { doc: "bytes of the BUFFER that follows" }),
    canon_column: word("u32", 16),
    canon_datalen: word("u32", 20),
    canon_data: word("u32", 24),
    minimum_to_wake: word("u16", 28),
    stopped: word("u8", 30),
    hw_stopped: word("u8", 31),
    flow_stopped: word("u8", 32),
    packet: word("u8", 33),
    ctrl_status: word("u8", 34),
    lnext: word("u8", 35),
    erasing: word("u8", 36),
    raw: word("u8", 37),
    real_raw: word("u8", 38),
    icanon: word("u8", 39),
    closing: word("u8", 40),
    padding: bytes(41, 3),
    read_flags: bytes(44, 512),
  },
);
