import type { Image } from "../image.js";
import { imageTerminals } from "../image-terminals.js";
import { type FileStep, placeSteps } from "./files.js";
import {
  type ControlStep,
  externalTerminals,
  openedBySessions,
  sessionTerminals,
} from "./session-terminals.js";
import type { StepBase } from "./step.js";

/** Terminals of sessions, ioctl_tty(2): all groups exist, and the tasks have their other descriptors. */
export type TerminalStep =
  | ControlStep
  | (StepBase & { readonly kind: "foreground"; readonly terminal: number; readonly group: number })
  /** Opens /dev/tty in a task. */
  | (StepBase & { readonly kind: "open own terminal"; readonly objref: number; readonly flags: number })
  | (StepBase & { readonly kind: "finish terminals" });

export function terminalSteps(image: Image): (TerminalStep | FileStep)[] {
  const opened = openedBySessions(image);
  const groups = new Set(image.processes.map(({ ids }) => ids.pgid));
  const sessions = sessionTerminals(image);
  const steps = sessions.flatMap(({ sid, terminal, foreground }) =>
    groups.has(foreground) ? [foregroundStep(sid, terminal, foreground)] : [],
  );
  const owned = [...opened].map(
    ([objref, { task, flags }]): TerminalStep => ({
      kind: "open own terminal",
      task,
      objref,
      flags,
      what: "open /dev/tty",
    }),
  );
  const isTerminal = imageTerminals(image.reader).size > 0;
  return [
    ...steps,
    ...callersForeground(image, groups, new Set(sessions.map(({ terminal }) => terminal))),
    ...owned,
    ...placeSteps(image, (objref) => opened.has(objref)),
    ...(isTerminal
      ? [
          {
            kind: "finish terminals",
            task: 0,
            what: "make terminals exclusive and lock them as they were",
          } as const,
        ]
      : []),
  ];
}

/** A session whose leader is outside goes on as that of crimg: what was in the foreground there is so here. */
function callersForeground(
  image: Image,
  groups: ReadonlySet<number>,
  taken: ReadonlySet<number>,
): TerminalStep[] {
  const terminals = imageTerminals(image.reader);
  return externalTerminals(image).flatMap(({ objref }) => {
    const foreground = terminals.get(objref)?.foreground ?? 0;
    const isMade = image.processes.some(({ ids }) => ids.pid === foreground);
    return taken.has(objref) || !isMade || !groups.has(foreground)
      ? []
      : [foregroundStep(0, objref, foreground)];
  });
}

function foregroundStep(task: number, terminal: number, group: number): TerminalStep {
  return {
    kind: "foreground",
    task,
    terminal,
    group,
    what: `put the group ${group} into the foreground of the terminal`,
  };
}
