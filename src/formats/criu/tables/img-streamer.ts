import { message, required, type Value } from "../../../schema/message.js";

export const IMG_STREAMER_REPLY_ENTRY = message(
  "img_streamer_reply_entry",
  "Answer of criu-image-streamer to a request for an image file; never in a set.",
  {
    exists: required(1, "bool"),
  },
);
export type ImgStreamerReplyEntry = Value<typeof IMG_STREAMER_REPLY_ENTRY>;

export const IMG_STREAMER_REQUEST_ENTRY = message(
  "img_streamer_request_entry",
  "Request to criu-image-streamer for an image file; never in a set.",
  {
    filename: required(1, "string"),
  },
);
export type ImgStreamerRequestEntry = Value<typeof IMG_STREAMER_REQUEST_ENTRY>;
