import { message, optional, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const FIFO_ENTRY = message("fifo_entry", "", {
  id: required(1, "uint32"),
  pipe_id: required(2, "uint32"),
  regf_id: optional(3, "uint32", { since: "3.6" }),
});
export type FifoEntry = Value<typeof FIFO_ENTRY>;

export const PIPE_DATA_ENTRY = message("pipe_data_entry", "", {
  pipe_id: required(1, "uint32"),
  bytes: required(2, "uint32"),
  size: optional(3, "uint32", { since: "0.4" }),
});
export type PipeDataEntry = Value<typeof PIPE_DATA_ENTRY>;

export const PIPE_ENTRY = message("pipe_entry", "", {
  id: required(1, "uint32"),
  pipe_id: required(2, "uint32"),
  flags: required(3, "uint32", { show: { as: "hex" } }),
  fown: required(4, FOWN_ENTRY),
});
export type PipeEntry = Value<typeof PIPE_ENTRY>;
