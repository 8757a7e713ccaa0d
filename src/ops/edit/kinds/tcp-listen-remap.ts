import { SK_PROTO, SK_STATE } from "../../../formats/criu/names.js";
import { INET_SK_ENTRY } from "../../../formats/criu/tables/sk-inet.js";
import { UsageError } from "../../../io/errors.js";
import { formatAddress } from "../../../schema/ip-address.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";

export interface PortRule {
  readonly from: number;
  readonly to: number;
}

const LISTEN = SK_STATE.values.get("LISTEN");
const TCP = SK_PROTO.values.get("TCP");

/** `--tcp-listen-remap OLD:NEW`: ports of listening TCP sockets, as criu-image-streamer's option of that name. */
export const tcpListenRemap: EditKind<readonly PortRule[], Draft> = {
  name: "tcp-listen-remap",
  syntax: "OLD:NEW",
  summary: "let TCP sockets that listen at port OLD listen at NEW",
  joiner: ":",
  parse: (text) => text.split(",").map(parsePortRule),
  lookedFor: (rules) => `no TCP socket listens at port ${rules.map(({ from }) => from).join(" or ")}`,
  plan(edits, draft) {
    draft.eachMessage(INET_SK_ENTRY, ({ image, record, path, value }) => {
      if (value.proto !== TCP) return;
      for (const { edit, args } of edits) {
        const rule = args.find(({ from }) => from === value.src_port);
        if (rule === undefined) continue;
        if (value.state === LISTEN) {
          draft.change(edit, image, record, [...path, "src_port"], rule.to);
          return;
        }
        draft.leave(edit, {
          image: image.fileName,
          record: record.index,
          field: [...path, "src_port"].join("."),
          value: value.src_port,
          why: `a connection with ${formatAddress(value.dst_addr)}:${value.dst_port}, which knows this port`,
        });
      }
    });
  },
};

function parsePortRule(text: string): PortRule {
  const [, from, to] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const isPort = (port: string | undefined): boolean => Number(port) >= 1 && Number(port) <= 65535;
  if (!isPort(from) || !isPort(to))
    throw new UsageError(`${JSON.stringify(text)} is not OLD:NEW with two ports from 1 to 65535`);
  return { from: Number(from), to: Number(to) };
}
