/** Addresses that a set keeps outside of its sockets. */

import { IMAGES } from "../../../formats/criu/images.js";
import { INET_SK_ENTRY } from "../../../formats/criu/tables/sk-inet.js";
import { swapped } from "../../../model/criu/sockets.js";
import { formatAddress } from "../../../schema/ip-address.js";
import type { Field } from "../../../schema/message.js";
import { type OwnedAddressRule, remapped } from "../address-rules.js";
import type { SetRecords } from "./set-records.js";
import { leaveSimilar } from "./similar.js";

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
export function remapOtherAddresses(
  editor: SetRecords,
  rules: readonly OwnedAddressRule[],
  isBigEndian: boolean,
): void {
  const inOrder = (words: readonly number[]): number[] => (isBigEndian ? words.map(swapped) : [...words]);
  editor.eachField(
    (field, _, table) => holdsAddress(field) && table !== INET_SK_ENTRY,
    (found) => {
      for (const rule of rules) {
        const fresh = remapped(inOrder(found.owner[found.name] as number[]), rule);
        if (fresh === undefined) continue;
        editor.change(rule.edit, found, found.path, inOrder(fresh));
        break;
      }
    },
  );
  for (const rule of rules) {
    leaveSimilar(editor, rule.edit, formatAddress(rule.from), holdsAddress);
    leaveInRawImages(editor, rule);
  }
}

function holdsAddress(field: Field): boolean {
  return field.holds === "ip-address";
}

function leaveInRawImages(editor: SetRecords, { edit, from }: OwnedAddressRule): void {
  const needle = Buffer.alloc(from.length * 4);
  for (const [i, word] of from.entries()) needle.writeUInt32LE(word, i * 4);
  for (const kind of RAW_NETWORK)
    for (const id of editor.set.ids(kind)) {
      const name = kind.file.replace("%u", String(id));
      const source = editor.files.open(name);
      const at = source?.read(0, Math.min(source.size, MAX_NETWORK_IMAGE_BYTES)).indexOf(needle) ?? -1;
      if (at !== -1)
        editor.leave(edit, {
          image: name,
          record: undefined,
          field: `0x${at.toString(16)}`,
          value: formatAddress(from),
          why: `${kind.doc}: crimg does not edit this`,
        });
    }
}
