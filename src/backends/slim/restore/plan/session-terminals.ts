import { type Image, tableOwners } from "../image.js";
import { imageTerminals } from "../image-terminals.js";
import type { StepBase } from "./step.js";

/** The leader of a session takes its terminal: its children are born with it, those that are there get it no more. */
export type ControlStep = StepBase & { readonly kind: "controlling terminal"; readonly terminal: number };

const TERMINAL = 5;
const CONTROLLING = "/dev/tty";

/** A session of the image whose leader is in it, with the terminal that controls it. */
export interface SessionTerminal {
  readonly sid: number;
  /** TTY object. */
  readonly terminal: number;
  /** Group in its foreground, 0 when that is not known. */
  readonly foreground: number;
}

/** The sessions that have a terminal. */
export function sessionTerminals({ processes, reader }: Image): SessionTerminal[] {
  const terminals = imageTerminals(reader);
  return processes.flatMap(({ ids, signal }) => {
    const terminal = signal?.tty_objref ?? 0;
    if (ids.pid !== ids.sid || terminal === 0) return [];
    return [{ sid: ids.pid, terminal, foreground: terminals.get(terminal)?.foreground ?? 0 }];
  });
}

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

/** The slaves whose masters are outside the checkpoint: TTY objects. */
export function externalTerminals({ reader }: Image): { readonly objref: number; readonly index: number }[] {
  const terminals = imageTerminals(reader);
  return [...terminals.values()].filter(
    ({ isMaster, isHungUp, master }) => !isMaster && !isHungUp && terminals.get(master)?.isExternal === true,
  );
}

/**
 * FILEs that are /dev/tty, each with a task that has it and whose session has that terminal: only such a task can open it.
 */
export function openedBySessions(
  image: Image,
): Map<number, { readonly task: number; readonly flags: number }> {
  const bySession = new Map(sessionTerminals(image).map(({ sid, terminal }) => [sid, terminal]));
  const external = new Set(externalTerminals(image).map(({ objref }) => objref));
  const [root] = image.processes;
  const found = new Map<number, { readonly task: number; readonly flags: number }>();
  for (const { process, objects } of tableOwners(image))
    for (const { objref } of image.table(objects.files_objref)) {
      const file = image.files.get(objref);
      if (file?.record.f_type !== TERMINAL || file.path !== CONTROLLING || found.has(objref)) continue;
      const terminal = Number(file.record.tty_objref);
      const { pid, sid } = process.ids;
      // A root that leads no session is in that of crimg, on the terminal of crimg.
      const isCallers = root?.ids.sid === sid && root.ids.pid !== sid && external.has(terminal);
      if (bySession.get(sid) === terminal || isCallers)
        found.set(objref, { task: pid, flags: file.flags ?? 0 });
    }
  return found;
}
