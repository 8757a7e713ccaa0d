import { enumTable } from "../../../schema/enums.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const TTY_TYPE = enumTable("TtyType", {
  UNKNOWN: 0,
  PTY: 1,
  CONSOLE: 2,
  VT: 3,
  CTTY: 4,
  EXT_TTY: 5,
  SERIAL: 6,
});

export const TERMIOS_ENTRY = message("termios_entry", "", {
  c_iflag: required(1, "uint32"),
  c_oflag: required(2, "uint32"),
  c_cflag: required(3, "uint32"),
  c_lflag: required(4, "uint32"),
  c_line: required(5, "uint32"),
  c_ispeed: required(6, "uint32"),
  c_ospeed: required(7, "uint32"),
  c_cc: repeated(8, "uint32"),
});
export type TermiosEntry = Value<typeof TERMIOS_ENTRY>;

export const TTY_DATA_ENTRY = message("tty_data_entry", "", {
  tty_id: required(1, "uint32"),
  data: required(2, "bytes"),
});
export type TtyDataEntry = Value<typeof TTY_DATA_ENTRY>;

export const TTY_FILE_ENTRY = message("tty_file_entry", "", {
  id: required(1, "uint32"),
  tty_info_id: required(2, "uint32"),
  flags: required(3, "uint32", { show: { as: "hex" } }),
  fown: required(4, FOWN_ENTRY),
  regf_id: optional(6, "uint32", { since: "3.6" }),
});
export type TtyFileEntry = Value<typeof TTY_FILE_ENTRY>;

export const WINSIZE_ENTRY = message("winsize_entry", "", {
  ws_row: required(1, "uint32"),
  ws_col: required(2, "uint32"),
  ws_xpixel: required(3, "uint32"),
  ws_ypixel: required(4, "uint32"),
});
export type WinsizeEntry = Value<typeof WINSIZE_ENTRY>;

export const TTY_PTY_ENTRY = message("tty_pty_entry", "", {
  index: required(1, "uint32"),
});
export type TtyPtyEntry = Value<typeof TTY_PTY_ENTRY>;

export const TTY_INFO_ENTRY = message("tty_info_entry", "", {
  id: required(1, "uint32"),
  type: required(2, TTY_TYPE),
  locked: required(3, "bool"),
  exclusive: required(4, "bool"),
  packet_mode: required(5, "bool"),
  sid: required(6, "uint32"),
  pgrp: required(7, "uint32"),
  rdev: required(8, "uint32"),
  termios: optional(9, TERMIOS_ENTRY),
  termios_locked: optional(10, TERMIOS_ENTRY),
  winsize: optional(11, WINSIZE_ENTRY),
  pty: optional(12, TTY_PTY_ENTRY),
  dev: optional(13, "uint32", { since: "2.0" }),
  uid: optional(14, "uint32", { since: "2.6" }),
  gid: optional(15, "uint32", { since: "2.6" }),
});
export type TtyInfoEntry = Value<typeof TTY_INFO_ENTRY>;
