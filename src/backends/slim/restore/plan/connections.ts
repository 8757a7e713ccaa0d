import type { Image } from "../image.js";
import type { StepBase } from "./step.js";

/** Sockets begin to live: from then on a failure is seen by both ends of a connection. */
export type ConnectionStep = StepBase & { readonly kind: "settle sockets" };

export function connectionSteps({ files }: Image): ConnectionStep[] {
  if (!files.all.some(({ socket }) => socket !== undefined)) return [];
  return [
    {
      kind: "settle sockets",
      task: 0,
      what: "let connections go on and the names of sockets stay",
      why: "until now both would have vanished with crimg",
    },
  ];
}
