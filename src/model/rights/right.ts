import type { Origin } from "../origin.js";
import type { RightName } from "./kinds.js";

/** Something that an image asks for and that its owner could not have. */
export interface Right {
  readonly name: RightName;
  /** What is asked for, as in `uid 0`, `all capabilities`, `device /dev/sda`. */
  readonly asked: string;
  /** What the owner could have. */
  readonly had: string;
  /** The id that is asked for, where it is one. */
  readonly id?: number | undefined;
  readonly pid?: number | undefined;
  readonly path?: string | undefined;
  readonly origin?: Origin | undefined;
}
