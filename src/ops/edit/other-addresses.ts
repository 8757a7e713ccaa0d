/** Addresses that a set keeps outside of its sockets. */

import { IMAGES } from "../../formats/criu/images.js";
import { INET_SK_ENTRY } from "../../formats/criu/tables/sk-inet.js";
import { formatAddress } from "../../schema/ip-address.js";
import type { Field } from "../../schema/message.js";
import type { Draft } from "./draft.js";
import type { Parsed } from "./kind.js";
import { type AddressRule, remapped } from "./kinds/remap-address.js";
import { leaveLookalikes } from "./lookalikes.js";

const RAW_NETWORK = [
  IMAGES.IFADDR,
  IMAGES.ROUTE,
  IMAGES.ROUTE6,
  IMAGES.RULE,
  IMAGES.IPTABLES,
  IMAGES.IP6TABLES,
  IMAGES.NFTABLES,
  IMAGES.NETNF_CT,
  IMAGES.NETNF_EXP,
];
/** What netlink dumps and rule sets take is far below. */
const MAX_NETWORK_IMAGE_BYTES = 64 * 1024 * 1024;

/** Changes the addresses of tunnels, and notes those that the set keeps in the formats of other tools. */
export function remapOtherAddresses(draft: Draft, edits: readonly Parsed<AddressRule>[]): void {
  draft.eachField(
    (field, _, table) => holdsAddress(field) && table !== INET_SK_ENTRY,
    ({ owner, name, image, record, path }) => {
      for (const { edit, args } of edits) {
        const fresh = remapped(draft.wordsInOrder(owner[name] as number[]), args);
        if (fresh === undefined) continue;
        draft.change(edit, image, record, path, draft.wordsInOrder(fresh));
        break;
      }
    },
  );
  for (const { edit, args } of edits) {
    leaveLookalikes(draft, edit, formatAddress(args.from), holdsAddress);
    leaveInRawImages(draft, { edit, args });
  }
}

function holdsAddress(field: Field): boolean {
  return field.holds === "ip-address";
}

function leaveInRawImages(draft: Draft, { edit, args }: Parsed<AddressRule>): void {
  const needle = Buffer.alloc(args.from.length * 4);
  for (const [i, word] of args.from.entries()) needle.writeUInt32LE(word, i * 4);
  for (const kind of RAW_NETWORK)
    for (const id of draft.set.ids(kind)) {
      const name = kind.file.replace("%u", String(id));
      const source = draft.files.open(name);
      const at = source?.read(0, Math.min(source.size, MAX_NETWORK_IMAGE_BYTES)).indexOf(needle) ?? -1;
      if (at !== -1)
        draft.leave(edit, {
          image: name,
          record: undefined,
          field: `0x${at.toString(16)}`,
          value: formatAddress(args.from),
          why: `${kind.doc}: crimg does not edit this`,
        });
    }
}
