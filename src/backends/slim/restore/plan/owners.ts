import { O_ASYNC } from "../../../../linux/open-flags.js";
import type { OpenFile } from "../../../../model/checkpoint.js";
import type { Image } from "../image.js";
import type { StepBase } from "./step.js";

/** Who gets SIGIO for a file, F_SETOWN_EX and F_SETSIG of fcntl(2): all tasks exist. */
export type OwnerStep = StepBase & {
  readonly kind: "owner";
  readonly objref: number;
  readonly owner: OpenFile["owner"];
  /** O_ASYNC: whether it gets them now. */
  readonly isAsync: boolean;
};

export function ownerSteps({ files }: Image): OwnerStep[] {
  return files.all.flatMap(({ id, label, owner, flags }): OwnerStep[] => {
    const isAsync = ((flags ?? 0) & O_ASYNC) !== 0;
    if (owner === undefined && !isAsync) return [];
    const signal = owner === undefined || owner.signal === 0 ? "SIGIO" : `signal ${owner.signal}`;
    const whom = owner === undefined || owner.pid === 0 ? "nobody" : `${owner.kind} ${owner.pid}`;
    const what = `send ${signal} of ${label} to ${whom}${isAsync ? "" : ", not yet"}`;
    return [{ kind: "owner", task: 0, objref: id, owner, isAsync, what }];
  });
}
