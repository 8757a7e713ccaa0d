import { formatSeconds } from "./duration.js";

/** A time that an edit changed: what is left of it, before and after, and when it falls due. */
export interface DueTime {
  readonly edit: string;
  readonly image: string;
  readonly record: number | undefined;
  /** As in `lease 1:0 /var/log/app.log`. */
  readonly what: string;
  /** Nanoseconds from the start of the checkpoint, which a restart counts from its own start. */
  readonly before: bigint;
  readonly after: bigint;
}

/** When a time falls due, seen from a restart that takes `restartTakes` nanoseconds; undefined: nobody has said. */
export function dueText(after: bigint, restartTakes: bigint | undefined): string {
  const moment = `${formatSeconds(after)} after the restart began`;
  if (restartTakes === undefined) return moment;
  if (after <= restartTakes)
    return `${moment}; the restart takes ${formatSeconds(restartTakes)}: it will have fallen due`;
  return `${moment}; the restart takes ${formatSeconds(restartTakes)}: ${formatSeconds(after - restartTakes)} are left then`;
}
