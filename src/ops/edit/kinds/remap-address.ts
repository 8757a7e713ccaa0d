import { UsageError } from "../../../io/errors.js";
import { endText, type InetEnd, type InetEnds } from "../../../model/socket.js";
import { formatAddress, parseAddress } from "../../../schema/ip-address.js";
import { type AddressRule, remapped } from "../address-rules.js";
import type { Editor } from "../editor.js";
import type { EditKind, Parsed } from "../kind.js";

/** `--remap-address OLD=NEW`: addresses of sockets and tunnels, IPv4 also where it is mapped into IPv6. */
export const remapAddress: EditKind<AddressRule> = {
  name: "remap-address",
  syntax: "OLD=NEW",
  summary: "put IP address NEW in place of OLD; IPv4 also as ::ffff:OLD; 0.0.0.0 and :: stay",
  parse: parseAddressRule,
  lookedFor: ({ from }) => `no socket or tunnel of the set has the address ${formatAddress(from)}`,
  plan(edits, editor) {
    const before = [...editor.sockets()];
    const connections = before.flatMap(({ connected, inet }) => (connected && inet ? [inet] : []));
    const known = new Set(connections.map(({ local, remote }) => `${endText(local)} ${endText(remote)}`));
    for (const { inet, connected } of before) {
      if (inet === undefined) continue;
      const isChanged = (["local", "remote"] as const).filter((end) => remapEnd(editor, edits, inet, end));
      if (isChanged.length > 0 && connected) warnOfPeer(editor, inet, known);
    }
    editor.remapOtherAddresses(edits.map(({ edit, args }) => ({ ...args, edit })));
    remapFacts(editor, edits);
    for (const { edit, args } of edits) editor.replaced.set(formatAddress(args.from), edit);
  },
};

function remapEnd(
  editor: Editor,
  edits: readonly Parsed<AddressRule>[],
  ends: InetEnds,
  end: "local" | "remote",
): boolean {
  for (const { edit, args } of edits) {
    const address = remapped(ends[end].address, args);
    if (address === undefined) continue;
    const to: Partial<InetEnds> = { [end]: { ...ends[end], address } };
    editor.changeObject(edit, "ends", ends, to, (object) => endText(object[end]));
    return true;
  }
  return false;
}

/** Addresses of the container's interfaces, also with the length of the network: `10.88.0.2/16`. */
function remapFacts(editor: Editor, edits: readonly Parsed<AddressRule>[]): void {
  editor.changeFacts("address", ({ value }) => {
    const [text = "", ...network] = String(value).split("/");
    const address = parseAddress(text);
    for (const { edit, args } of edits) {
      const after = address && remapped(address, args);
      if (after !== undefined) return { edit, value: [formatAddress(after), ...network].join("/") };
    }
    return undefined;
  });
}

/** A connection lives only if the other end hears of the new address too; inside the image it does. */
function warnOfPeer(editor: Editor, { local, remote }: InetEnds, known: ReadonlySet<string>): void {
  const [own, other] = [local, remote].map((end: InetEnd) => endText(end));
  if (known.has(`${other} ${own}`)) return;
  editor.warnings.add(
    `the TCP connection ${own} -> ${other} is established with a peer outside the set, which knows the old address only: it will hang unless the peer's side is changed as well (criu restore --tcp-close ends it instead)`,
  );
}

function parseAddressRule(text: string): AddressRule {
  const [old = "", fresh = "", ...more] = text.split("=");
  const from = parseAddress(old);
  const to = parseAddress(fresh);
  if (from === undefined || to === undefined || more.length > 0)
    throw new UsageError(`invalid ${JSON.stringify(text)} (expected OLD=NEW with two IP addresses)`);
  if (from.every((word) => word === 0))
    throw new UsageError(
      `${old} stands for every address of the host and is never changed; name a real address`,
    );
  if (from.length !== to.length)
    throw new UsageError(`${old} and ${fresh} are not of one family, and a socket cannot change its own`);
  return { from, to };
}
