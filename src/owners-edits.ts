import type { RecordKind } from "./formats/linux-cr/record-kind.js";
import { RECORDS } from "./formats/linux-cr/records.js";
import type { Document, LinuxCrDocument } from "./model/document.js";
import type { Bearer } from "./model/rights/bearer.js";
import type { Edit } from "./ops/edit/plan.js";

const IDS = {
  uid: ["uid", "euid", "suid", "fsuid"],
  gid: ["gid", "egid", "sgid", "fsgid"],
} as const;

/**
 * Edits that give all tasks the credentials of the owner of an image: the ids of the caller, who runs as the owner, no
 * supplementary groups and no capabilities. Errors: FormatError for a damaged image.
 */
export function ownersEdits(document: Document, { uid }: Bearer): Edit[] {
  if (uid === undefined) return [];
  const ids = { uid, gid: process.getegid?.() ?? uid };
  const fields = Object.entries(IDS).flatMap(([kind, names]) =>
    names.map((name) => `${name}=${ids[kind as keyof typeof IDS]}`),
  );
  const texts = document.family === "criu" ? inSet(document, fields) : inStream(document, fields);
  return [...new Set(texts)].map((text) => ({ kind: "set", text }));
}

const SET_FIELDS = [
  "cap_inh=[0,0]",
  "cap_prm=[0,0]",
  "cap_eff=[0,0]",
  "cap_amb=[0,0]",
  "secbits=0",
  "groups=[]",
];

function inSet({ checkpoint }: Document, ids: readonly string[]): string[] {
  const all = checkpoint.tasks.flatMap(({ threads }) => threads.map(({ credentials }) => credentials));
  return all.flatMap((credentials) => {
    if (credentials === undefined) return [];
    const { image, record, field } = credentials.origin;
    const place = `${image}[${record}]${field === undefined ? "" : `.${field}`}`;
    return [...ids, ...SET_FIELDS].map((change) => `${place}.${change}`);
  });
}

/** Fields of each kind of record with credentials. */
const STREAM_FIELDS: ReadonlyMap<RecordKind, readonly string[]> = new Map<RecordKind, readonly string[]>([
  [
    RECORDS.CRED,
    ["i_0", "i_1", "p_0", "p_1", "e_0", "e_1"]
      .map((word) => `cap_s.cap_${word}=0`)
      .concat("cap_s.securebits=0"),
  ],
  [RECORDS.GROUPINFO, ["ngroups=0", "payload="]],
  [RECORDS.TASK_EXTRA, ["cap_ambient=0"]],
]);

function* inStream({ image }: LinuxCrDocument, ids: readonly string[]): Generator<string> {
  for (let record = 0; record < image.length; record++) {
    const kind = image.kind(record);
    const own = kind === undefined ? undefined : STREAM_FIELDS.get(kind);
    if (own === undefined) continue;
    for (const change of kind === RECORDS.CRED ? [...ids, ...own] : own) yield `[${record}].${change}`;
  }
}
