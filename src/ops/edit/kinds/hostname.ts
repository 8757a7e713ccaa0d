import { UsageError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import { __NEW_UTS_LEN } from "../../../linux/ipc.js";
import type { EditKind } from "../kind.js";

/** How an engine tells programs that it starts in the container. */
const VARIABLE = "HOSTNAME=";

/** `--hostname NAME`: of every UTS namespace in the image. */
export const hostname: EditKind<string> = {
  name: "hostname",
  syntax: "NAME",
  summary: "host name of the UTS namespaces in the set",
  parse(text) {
    const { length } = textToBytes(text);
    if (length === 0 || length > __NEW_UTS_LEN || text.includes("\0"))
      throw new UsageError(`invalid host name of ${length} bytes (expected 1 to ${__NEW_UTS_LEN}, no NUL)`);
    return text;
  },
  lookedFor: () => "the set holds no UTS namespace, so the tasks see the name of the host they run on",
  plan(edits, editor) {
    for (const { edit, args } of edits) {
      const old = new Set<string>();
      for (const uts of editor.checkpoint.utsNamespaces) {
        old.add(uts.hostName);
        editor.changeObject(edit, "uts", uts, { hostName: args }, ({ hostName }) => `host name ${hostName}`);
      }
      editor.changeFacts("host name", () => ({ edit, value: args }));
      editor.changeFacts("environment", ({ value }) =>
        old.has(String(value).slice(VARIABLE.length)) && String(value).startsWith(VARIABLE)
          ? { edit, value: VARIABLE + args }
          : undefined,
      );
      for (const text of old) {
        if (text === args || text === "") continue;
        editor.replaced.set(text, edit);
        editor.leaveSimilar(edit, text, "host name");
      }
    }
  },
};
