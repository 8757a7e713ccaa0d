import { UsageError } from "../../../io/errors.js";
import { endText } from "../../../model/socket.js";
import type { Editor } from "../editor.js";
import type { EditKind, Parsed } from "../kind.js";

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
    remapMappings(edits, editor);
  },
};

/** Ports of the host that lead to a listening socket lead to it still; those of the host stay. */
function remapMappings(edits: readonly Parsed<readonly PortRule[]>[], editor: Editor): void {
  editor.changeFacts("port", (fact) => {
    const { value, file, field } = fact;
    if (!String(fact.beside("protocol") ?? "tcp").includes("tcp")) return undefined;
    const count = Number(fact.beside("range") ?? 1);
    for (const { edit, args } of edits) {
      const rule = args.find(({ from }) => from >= Number(value) && from < Number(value) + count);
      if (rule === undefined) continue;
      if (count === 1) return { edit, value: rule.to };
      const why = `one of ${count} consecutive ports, which change together`;
      editor.leave(edit, { image: file, record: undefined, field, value, why });
    }
    return undefined;
  });
}

function parsePortRule(text: string): PortRule {
  const [, from, to] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const isPort = (port: string | undefined): boolean => Number(port) >= 1 && Number(port) <= 65535;
  if (!isPort(from) || !isPort(to))
    throw new UsageError(`invalid ${JSON.stringify(text)} (expected OLD:NEW with two ports from 1 to 65535)`);
  return { from: Number(from), to: Number(to) };
}
