import { IMAGES } from "../../../formats/criu/images.js";
import { TTY_DATA_ENTRY, TTY_INFO_ENTRY } from "../../../formats/criu/tables/tty.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { encodeTerminal } from "../../../model/criu/terminals.js";
import type { Process } from "../../../model/linux-cr/pids.js";
import { pidOfTag } from "../../../model/linux-cr/pids.js";
import { decodeTerminal, type StreamTerminal } from "../../../model/linux-cr/terminals.js";
import type { ToCriu } from "./context.js";

/** A terminal of the stream with its number in the set. */
export interface WrittenTerminal {
  readonly id: number;
  readonly terminal: StreamTerminal;
}

/** Writes the terminal of a TTY object; undefined without one. */
export function writeTerminal(context: ToCriu, objref: number): WrittenTerminal | undefined {
  const { reader, set } = context;
  const part = reader.object(objref, "TTY");
  if (part === undefined) return undefined;
  const terminal = decodeTerminal(reader, part);
  const id = terminal.index * 2 + (terminal.isMaster ? 1 : 0);
  const { info, data } = encodeTerminal(withSession(context, terminal), id);
  set.add(IMAGES.TTY_INFO, undefined, TTY_INFO_ENTRY, info);
  if (data !== undefined) set.add(IMAGES.TTY_DATA, undefined, TTY_DATA_ENTRY, data);
  return { id, terminal };
}

/** Without our record the SIGNAL record of its leader tells which session a terminal controls, and its foreground. */
function withSession(context: ToCriu, terminal: StreamTerminal): StreamTerminal {
  if (terminal.session !== 0 && terminal.foreground !== 0) return terminal;
  const leader = leaderOf(context, terminal);
  const session = terminal.session || (leader?.ids.sid ?? 0);
  const foreground = terminal.foreground || (leader && foregroundOf(context, leader)) || session;
  return { ...terminal, session, foreground };
}

function foregroundOf(context: ToCriu, { part }: Process): number {
  const { index, value } = context.reader.get(context.signalOwner(part), RECORDS.SIGNAL);
  return value.tty_pgrp > 0 ? pidOfTag(context.reader, value.tty_pgrp, index) : 0;
}

/** A master and its slave are one terminal to a session. */
function leaderOf(context: ToCriu, { objref, master }: StreamTerminal): Process | undefined {
  const { reader } = context;
  const isSame = (other: number): boolean => {
    if (other === 0) return false;
    if (other === objref || other === master) return true;
    const part = reader.object(other, "TTY");
    return part !== undefined && reader.get(part, RECORDS.TTY).value.link_objref === objref;
  };
  return context.processes().find(({ ids, part: task }) => {
    if (ids.pid !== ids.sid || reader.index(task, RECORDS.TASK_OBJS) === undefined) return false;
    return isSame(reader.find(context.signalOwner(task), RECORDS.SIGNAL)?.value.tty_objref ?? 0);
  });
}
