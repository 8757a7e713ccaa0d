import { message, required, type Value } from "../../../schema/message.js";

export const IMG_STREAMER_REPLY_ENTRY = message("img_streamer_reply_entry", "", {
  exists: required(1, "bool"),
});
export type ImgStreamerReplyEntry = Value<typeof IMG_STREAMER_REPLY_ENTRY>;

export const IMG_STREAMER_REQUEST_ENTRY = message("img_streamer_request_entry", "", {
  filename: required(1, "string"),
});
export type ImgStreamerRequestEntry = Value<typeof IMG_STREAMER_REQUEST_ENTRY>;
