import { type FileStep, placeSteps } from "../files/plan.js";
import type { Host } from "../restore/host.js";
import type { Image } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import {
  externalTerminals,
  type ImageTerminal,
  imageTerminals,
  openedBySessions,
  sessionTerminals,
} from "./image.js";

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

/** The leader of a session takes its terminal: its children are born with it, those that are there get it no more. */
export type ControlStep = StepBase & { readonly kind: "controlling terminal"; readonly terminal: number };

/** What follows the beginning of a session. */
export function controlSteps(image: Image, sid: number): ControlStep[] {
  return sessionTerminals(image)
    .filter((session) => session.sid === sid)
    .map(({ terminal }) => ({
      kind: "controlling terminal",
      task: sid,
      terminal,
      what: "take the terminal of its session",
    }));
}

/** Terminals that cannot be made anew, and those outside the checkpoint for which crimg has none of its own. */
export function unsupportedTerminals(image: Image, host: Host): string[] {
  const terminals = imageTerminals(image.reader);
  return [
    ...[...terminals.values()].flatMap((end) => unsupportedEnds(end, terminals, host)),
    ...unsupportedExternal(image, host),
  ];
}

function unsupportedEnds(
  { index, isPseudo, isMaster, isExternal, master }: ImageTerminal,
  terminals: ReadonlyMap<number, ImageTerminal>,
  host: Host,
): string[] {
  const name = `the terminal /dev/pts/${index}`;
  if (!isPseudo) return [`terminal ${index} of the checkpoint is not a pseudo terminal`];
  if (!isMaster) return terminals.get(master)?.isMaster ? [] : [`${name} of the checkpoint has no master`];
  if (isExternal) return [];
  return host.hasTerminal(index)
    ? [`${name} of the checkpoint is in use on this host: end the task that has it`]
    : [];
}

function unsupportedExternal(image: Image, host: Host): string[] {
  const external = externalTerminals(image);
  const [first] = external;
  if (first === undefined) return [];
  const names = [...new Set(external.map(({ index }) => `/dev/pts/${index}`))];
  if (names.length > 1)
    return [
      `the terminals ${names.join(" and ")} are outside the checkpoint, and crimg has only one terminal to replace them`,
    ];
  const caller = host.terminal();
  if (caller === undefined)
    return [
      `the terminal ${names[0]} is outside the checkpoint, and crimg has no terminal to replace it: run it with a terminal as standard input`,
    ];
  const taken = sessionTerminals(image).find(({ terminal }) =>
    external.some(({ objref }) => objref === terminal),
  );
  return taken === undefined || caller.canBeTaken
    ? []
    : [
        `task ${taken.sid} leads the session of the terminal ${names[0]}, and ${caller.name} belongs to the session ${caller.session}: run crimg as the first program of a terminal, as by \`script -c "crimg restore …"\``,
      ];
}
