import { encodeExternalMaster, encodeTerminal } from "../../../model/linux-cr/terminals.js";
import type { Terminal } from "../../../model/special-file.js";
import type { Context } from "./context.js";

/** TTY object of the controlling terminal of a session: its slave; 0 when it has none. */
export function writeTerminalOfSession(context: Context, sid: number): number {
  if (sid === 0) return 0;
  const ends = context.files.terminalsOf(sid);
  const slave = ends.find(({ index, isMaster }) => index !== undefined && !isMaster);
  if (slave !== undefined) return writeTerminal(context, slave);
  if (ends.length > 0)
    context.losses.add(
      `session ${sid}`,
      "its controlling terminal",
      "the set does not have the slave of a pseudo terminal for it",
    );
  return 0;
}

/** TTY object of a pseudo terminal: that of the master stands before that of the slave. */
export function writeTerminal(context: Context, terminal: Terminal): number {
  const { index = 0, isMaster } = terminal;
  if (isMaster) return writeMaster(context, index, terminal);
  const master = writeMaster(context, index, context.files.master(index));
  return context.ref("TTY", `slave ${index}`, () => writeEnd(context, terminal, master));
}

/** A slave without a master in the set keeps the terminal that it is restarted on. */
function writeMaster(context: Context, index: number, terminal: Terminal | undefined): number {
  return context.ref("TTY", `master ${index}`, () => {
    if (terminal !== undefined) writeEnd(context, terminal, 0);
    else context.writer.records(encodeExternalMaster(index, context.writer.number()));
  });
}

function writeEnd(context: Context, terminal: Terminal, master: number): void {
  const file = master === 0 ? context.writer.number() : 0;
  const tag = (pid: number): number => (pid === 0 ? 0 : (context.tag(pid) ?? 0));
  context.writer.records(encodeTerminal(terminal, { master, file, tag }));
}
