import { UsageError } from "../../../io/errors.js";
import { endText } from "../../../model/socket.js";
import type { EditKind } from "../kind.js";

interface PortRule {
  readonly from: number;
  readonly to: number;
}

/** `--tcp-listen-remap OLD:NEW`: ports of listening TCP sockets, as criu-image-streamer's option of that name. */
export const tcpListenRemap: EditKind<readonly PortRule[]> = {
  name: "tcp-listen-remap",
  syntax: "OLD:NEW",
  summary: "let TCP sockets that listen at port OLD listen at NEW",
  joiner: ":",
  parse: (text) => text.split(",").map(parsePortRule),
  lookedFor: (rules) => `no TCP socket listens at port ${rules.map(({ from }) => from).join(" or ")}`,
  plan(edits, editor) {
    for (const { protocol, state, inet } of [...editor.sockets()])
      for (const { edit, args } of edits) {
        const rule = args.find(({ from }) => from === inet?.local.port);
        if (protocol !== "TCP" || inet === undefined || rule === undefined) continue;
        if (state === "LISTEN") {
          const local = { ...inet.local, port: rule.to };
          editor.changeObject(edit, "ends", inet, { local }, (ends) => endText(ends.local));
          break;
        }
        editor.leave(edit, {
          image: editor.imageOf(inet.origin),
          record: inet.origin.record,
          field: "port",
          value: rule.from,
          why:
            inet.remote.port === 0
              ? "a socket that does not listen"
              : `a connection with ${endText(inet.remote)}, which knows this port`,
        });
      }
  },
};

function parsePortRule(text: string): PortRule {
  const [, from, to] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const isPort = (port: string | undefined): boolean => Number(port) >= 1 && Number(port) <= 65535;
  if (!isPort(from) || !isPort(to))
    throw new UsageError(`invalid ${JSON.stringify(text)} (expected OLD:NEW with two ports from 1 to 65535)`);
  return { from: Number(from), to: Number(to) };
}
