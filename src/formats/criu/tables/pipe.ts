import { PIPE_BYTES } from "../../../linux/files.js";
import { message, optional, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const FIFO_ENTRY = message("fifo_entry", "An open end of a named pipe.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  pipe_id: required(2, "uint32", { doc: "the pipe; its bytes are in fifo-data.img" }),
  regf_id: optional(3, "uint32", { doc: "id of the open file with the path of the fifo", since: "3.6" }),
});
export type FifoEntry = Value<typeof FIFO_ENTRY>;

export const PIPE_DATA_ENTRY = message(
  "pipe_data_entry",
  "Contents of a pipe; the bytes follow the record.",
  {
    pipe_id: required(1, "uint32", { doc: "the pipe or fifo" }),
    bytes: required(2, "uint32", { doc: "bytes that follow" }),
    size: optional(3, "uint32", { doc: "capacity of the pipe in bytes", domain: PIPE_BYTES, since: "0.4" }),
  },
);
export type PipeDataEntry = Value<typeof PIPE_DATA_ENTRY>;

export const PIPE_ENTRY = message("pipe_entry", "An open end of a pipe.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  pipe_id: required(2, "uint32", { doc: "equal for both ends of one pipe; its bytes are in pipes-data.img" }),
  flags: required(3, "uint32", { show: { as: "hex" } }),
  fown: required(4, FOWN_ENTRY),
});
export type PipeEntry = Value<typeof PIPE_ENTRY>;
