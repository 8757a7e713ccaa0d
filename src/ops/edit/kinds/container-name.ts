import { UsageError } from "../../../io/errors.js";
import type { EditKind } from "../kind.js";

/** `--container-name NAME`: in all files of the engine that have it; the images know no name of a container. */
export const containerName: EditKind<string> = {
  name: "container-name",
  syntax: "NAME",
  summary: "name of the container in the files of the engine",
  parse(text) {
    // As Podman and Docker have it; what CRI-O and containerd take is narrower.
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$/.test(text))
      throw new UsageError(
        `invalid name ${JSON.stringify(text)} (expected letters, digits, "_", "." and "-", the first a letter or digit)`,
      );
    return text;
  },
  lookedFor: () => "no file of an engine beside the images has the name of a container",
  plan(edits, editor) {
    for (const { edit, args } of edits) editor.changeFacts("container name", () => ({ edit, value: args }));
  },
};
