import type { MessageField } from "../../schema/message-fields.js";
import type { ViewHead } from "./view.js";

/** The result of the view `record`. */
export interface RecordView extends ViewHead<"record"> {
  readonly image: string;
  /** CRIU's name of the kind of image, and its contents. */
  readonly kind: string;
  readonly about: string;
  /** Read lazily, once. */
  readonly records: Iterable<ShownRecord>;
}

export interface ShownRecord {
  readonly index: number;
  readonly message: string;
  /** Of the message in the file. */
  readonly offset: string;
  readonly size: number;
  /** Made at each iteration: a record may have a million. */
  readonly fields: Iterable<MessageField> & { readonly length: number };
  /** Payload after the message. */
  readonly payload: readonly { readonly name: string; readonly offset: string; readonly size: number }[];
}
