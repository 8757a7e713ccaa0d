import type { CriuDocument } from "../../../model/document.js";
import type { Edit } from "../plan.js";

/** What RestorePod compares with the new pod and refuses when it differs (KEP-5823), by the edits that change it. */
const COMPARED: Readonly<Record<string, string>> = {
  hostname: "the host name (hostname in pod-config.json)",
  env: "the environment of a container (envs in checkpoint-manifest.json)",
  "tcp-listen-remap": "the port mappings (port_mappings in pod-config.json)",
  "remap-path": "the working directory of a container (working_dir in checkpoint-manifest.json)",
};

/** What a restore of the edited pod may be refused for, since the edit does not change it in the files of the pod. */
export function podWarnings({ packaged }: CriuDocument, edits: readonly Edit[]): string[] {
  if (packaged?.package.form !== "pod") return [];
  const kinds = [...new Set(edits.map(({ kind }) => kind))];
  return kinds.flatMap((kind) =>
    COMPARED[kind] === undefined
      ? []
      : [
          `RestorePod compares ${COMPARED[kind]}, which stays: the pod that it becomes needs the old value there`,
        ],
  );
}
