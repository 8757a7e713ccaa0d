import { RECORDS } from "../../../formats/linux-cr/records.js";
import {
  N_TTY_BUF_SIZE,
  PTY_TYPE_MASTER,
  PTY_TYPE_SLAVE,
  TTY_DRIVER_TYPE_PTY,
  TTY_HUPPED,
} from "../../../linux/tty.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { recordRule, SET_FIELD } from "./record-rule.js";

/** TTY_EXTRA.flags: a master that is not in the image, of which nothing more is known. */
const OUTSIDE = 16;

/** Rules about pseudo terminals. */
export const terminalRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.TTY,
    {
      id: "PTY_PAIR",
      level: "error",
      about:
        "A terminal is one side of a pseudo terminal: a master has a number for its file and no link, a slave a link to the master of the same index.",
      fix: SET_FIELD,
    },
    function* (tty, at, context) {
      const { driver_type, driver_subtype, link_objref, file_objref, index, flags } = tty;
      if (
        driver_type !== TTY_DRIVER_TYPE_PTY ||
        (driver_subtype !== PTY_TYPE_MASTER && driver_subtype !== PTY_TYPE_SLAVE)
      ) {
        yield {
          field: "driver_type",
          what: "no pseudo terminal",
          expected: `${TTY_DRIVER_TYPE_PTY}, ${PTY_TYPE_MASTER} or ${PTY_TYPE_SLAVE}`,
          found: `${driver_type}, ${driver_subtype}`,
        };
        return;
      }
      const isMaster = driver_subtype === PTY_TYPE_MASTER;
      if (isMaster !== (link_objref === 0))
        yield {
          field: "link_objref",
          what: isMaster ? "a master with a link to another" : "a slave without a master",
          expected: isMaster ? "0" : "the master",
          found: String(link_objref),
        };
      if (isMaster !== file_objref > 0)
        yield {
          field: "file_objref",
          what: isMaster
            ? "a master without a number for its file"
            : "a slave with a number for the file of a master",
          expected: isMaster ? "above 0" : "0",
          found: String(file_objref),
        };
      const extra = context.valueAt(at + 1, RECORDS.TTY_EXTRA);
      if (isMaster && (flags & TTY_HUPPED) !== 0n && ((extra?.flags ?? 0) & OUTSIDE) === 0)
        yield { field: "flags", what: "a master that was hung up" };
      const master = isMaster ? undefined : context.reader.object(link_objref, "TTY");
      const other = master === undefined ? undefined : context.reader.find(master, RECORDS.TTY)?.value;
      if (other !== undefined && (other.driver_subtype !== PTY_TYPE_MASTER || other.index !== index))
        yield {
          field: "link_objref",
          what: "the link leads to no master of this terminal",
          expected: `the master of index ${index}`,
          found: `subtype ${other.driver_subtype} of index ${other.index}`,
        };
    },
  ),
  recordRule(
    RECORDS.TTY_LDISC,
    {
      id: "PTY_DATA",
      level: "error",
      about: "A terminal holds at most 4096 bytes, which follow it, and no more lines than bytes.",
      fix: SET_FIELD,
    },
    function* ({ datalen, canon_datalen, canon_data }, index, context) {
      if (datalen > N_TTY_BUF_SIZE)
        yield {
          field: "datalen",
          what: "too many bytes",
          expected: `at most ${N_TTY_BUF_SIZE}`,
          found: String(datalen),
        };
      const buffer = datalen === 0 ? undefined : context.bufferAfter(index);
      if (buffer !== undefined && context.stream.payload(buffer).size !== datalen)
        yield {
          field: "datalen",
          right: context.stream.payload(buffer).size,
          what: "the BUFFER has another length",
          expected: `${datalen} bytes`,
          found: `${context.stream.payload(buffer).size} bytes`,
        };
      if (canon_datalen > datalen || canon_data > datalen)
        yield {
          field: "canon_data",
          what: "more lines than bytes",
          expected: `at most ${datalen}`,
          found: `${canon_data}, ${canon_datalen} bytes`,
        };
    },
  ),
];
