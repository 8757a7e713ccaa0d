import { UsageError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import type { Field } from "../../../schema/message.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import { leaveLookalikes } from "../lookalikes.js";

/** __NEW_UTS_LEN of linux/utsname.h. */
const MAX_BYTES = 64;

/** `--hostname NAME`: of every UTS namespace in the set. */
export const hostname: EditKind<string, Draft> = {
  name: "hostname",
  syntax: "NAME",
  summary: "host name of the UTS namespaces in the set",
  parse(text) {
    const { length } = textToBytes(text);
    if (length === 0 || length > MAX_BYTES || text.includes("\0"))
      throw new UsageError(`a host name has 1 to ${MAX_BYTES} bytes, this one has ${length}`);
    return text;
  },
  lookedFor: () => "the set holds no UTS namespace, so the tasks see the name of the host they run on",
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const old = new Set<string>();
      draft.eachField(isNodeName, ({ image, record, path, owner, name }) => {
        old.add(owner[name] as string);
        draft.change(edit, image, record, path, args);
      });
      for (const text of old) {
        if (text === args || text === "") continue;
        draft.replaced.set(text, edit);
        leaveLookalikes(draft, edit, text, isNodeName);
      }
    }
  },
};

function isNodeName(field: Field, name: string): boolean {
  return field.holds === "host-name" && name === "nodename";
}
