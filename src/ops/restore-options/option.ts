/** An option of `criu restore` that a set needs, and why. */
export interface RestoreOption {
  /** With its dashes. */
  readonly option: string;
  /** The word behind the option; criu takes it as a word of its own for all options named here. */
  readonly value?: string;
  /** The words in capitals of `value` stand for what only a person can fill in. */
  readonly open?: true;
  /** One clause. */
  readonly reason: string;
  /** What asks for it, at most ten: a descriptor, a mount, a task. Text as it stands in the image. */
  readonly objects: readonly string[];
  /** The image that says so. */
  readonly from: string;
}
