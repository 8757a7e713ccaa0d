/** An option of `criu restore` for a set, and the reason. */
export interface RestoreOption {
  /** With dashes. */
  readonly option: string;
  /** The argument of the option, always a separate word. */
  readonly value?: string;
  /** `value` has placeholders in capitals for the user to fill in. */
  readonly open?: true;
  /** One clause. */
  readonly reason: string;
  /** Objects that require it, at most ten: a descriptor, a mount, a task. Text as in the image. */
  readonly objects: readonly string[];
  /** The image that requires it. */
  readonly from: string;
}
