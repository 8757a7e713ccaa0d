import { enumTable } from "../../../io/enums.js";
import { WINDOW_CELLS } from "../../../linux/tty.js";
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

export const TERMIOS_ENTRY = message("termios_entry", "Settings of a terminal line, termios(3).", {
  c_iflag: required(1, "uint32"),
  c_oflag: required(2, "uint32"),
  c_cflag: required(3, "uint32"),
  c_lflag: required(4, "uint32"),
  c_line: required(5, "uint32"),
  c_ispeed: required(6, "uint32", { doc: "always 0; the speed is in c_cflag" }),
  c_ospeed: required(7, "uint32", { doc: "always 0; the speed is in c_cflag" }),
  c_cc: repeated(8, "uint32", {
    doc: "control characters: 32 of them in the first 8 words, one per byte; the other words are undefined",
  }),
});
export type TermiosEntry = Value<typeof TERMIOS_ENTRY>;

export const TTY_DATA_ENTRY = message("tty_data_entry", "Unread bytes of a terminal.", {
  tty_id: required(1, "uint32", { doc: "id of the tty_info_entry" }),
  data: required(2, "bytes"),
});
export type TtyDataEntry = Value<typeof TTY_DATA_ENTRY>;

export const TTY_FILE_ENTRY = message("tty_file_entry", "An open terminal.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  tty_info_id: required(2, "uint32", { doc: "its tty_info_entry" }),
  flags: required(3, "uint32", { show: { as: "hex" } }),
  fown: required(4, FOWN_ENTRY),
  regf_id: optional(6, "uint32", { doc: "id of the open file with the path of the device", since: "3.6" }),
});
export type TtyFileEntry = Value<typeof TTY_FILE_ENTRY>;

export const WINSIZE_ENTRY = message("winsize_entry", "Size of a terminal's window.", {
  ws_row: required(1, "uint32", { doc: "characters", domain: WINDOW_CELLS }),
  ws_col: required(2, "uint32", { doc: "characters", domain: WINDOW_CELLS }),
  ws_xpixel: required(3, "uint32", { doc: "pixels, 0 when not known", domain: WINDOW_CELLS }),
  ws_ypixel: required(4, "uint32", { doc: "pixels, 0 when not known", domain: WINDOW_CELLS }),
});
export type WinsizeEntry = Value<typeof WINSIZE_ENTRY>;

export const TTY_PTY_ENTRY = message("tty_pty_entry", "Index of a pseudo terminal.", {
  index: required(1, "uint32", { doc: "number in /dev/pts; the same for both ends" }),
});
export type TtyPtyEntry = Value<typeof TTY_PTY_ENTRY>;

export const TTY_INFO_ENTRY = message("tty_info_entry", "A terminal, or one end of a pseudo terminal.", {
  id: required(1, "uint32", { doc: "for pseudo terminals twice the index, one more for the master" }),
  type: required(2, TTY_TYPE),
  locked: required(3, "bool", { doc: "the slave cannot be opened yet" }),
  exclusive: required(4, "bool", { doc: "TIOCEXCL: cannot be opened again" }),
  packet_mode: required(5, "bool", { doc: "TIOCPKT of a master" }),
  sid: required(6, "uint32", { doc: "session that it controls, 0 for none" }),
  pgrp: required(7, "uint32", { doc: "foreground process group" }),
  rdev: required(8, "uint32", { doc: "device number as stat(2) gives it" }),
  termios: optional(9, TERMIOS_ENTRY, { doc: "absent, as winsize, if the slave was hung up" }),
  termios_locked: optional(10, TERMIOS_ENTRY),
  winsize: optional(11, WINSIZE_ENTRY),
  pty: optional(12, TTY_PTY_ENTRY),
  dev: optional(13, "uint32", {
    doc: "device of the file system with the node, as stat(2) gives it",
    since: "2.0",
  }),
  uid: optional(14, "uint32", { since: "2.6" }),
  gid: optional(15, "uint32", { since: "2.6" }),
});
export type TtyInfoEntry = Value<typeof TTY_INFO_ENTRY>;
