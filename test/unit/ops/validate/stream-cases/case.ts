import { DamagedStream, type StreamName } from "../damaged-stream.js";

/** One way to damage a stream, and the findings that it must bring. */
export interface StreamCase {
  readonly id: string;
  readonly what: string;
  readonly damaged: () => DamagedStream;
  /** Other rules that the same damage breaks. */
  readonly also: readonly string[];
}

/** A case for a rule; `name` is the stream that is damaged. */
export function damage(
  id: string,
  name: StreamName,
  change: (stream: DamagedStream) => DamagedStream,
  also: readonly string[] = [],
  what = "",
): StreamCase {
  return {
    id,
    what: what === "" ? name : `${name}, ${what}`,
    damaged: () => change(new DamagedStream(name)),
    also,
  };
}
