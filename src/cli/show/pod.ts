import type { ViewData } from "../../index.js";
import { type Line, styled } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { type Look, wrapped } from "./words.js";

const NAME_WIDTH = 11;
const COLUMNS: readonly Column[] = [
  { head: "SET" },
  { head: "CONTAINER" },
  { head: "ID", cut: "end" },
  { head: "IMAGE", cut: "end" },
  { head: "SHA-256", cut: "end" },
];

/** `crimg show IMG pod` */
export function* podLines({ pod, note }: ViewData<"pod">, look: Look): Generator<Line> {
  if (pod === undefined) {
    yield `no pod: ${note}`;
    return;
  }
  const { name, namespace, id, uid, hostname, labels, version, runtime, containers } = pod;
  const facts: [head: string, text: string | undefined][] = [
    ["POD", name],
    ["NAMESPACE", namespace],
    ["ID", id],
    ["UID", uid],
    ["HOSTNAME", hostname],
    ["LABELS", labels && [...labels].map(([key, text]) => `${key}=${text}`).join(", ")],
    [
      "MANIFEST",
      version === undefined ? undefined : `version ${version}${runtime === undefined ? "" : `, ${runtime}`}`,
    ],
  ];
  for (const [head, text] of facts)
    if (text !== undefined && text !== "")
      yield* wrapped(styled`${look.style("heading", head.padEnd(NAME_WIDTH))}`, text, NAME_WIDTH, look);
  yield "";
  yield* tableLines(
    COLUMNS,
    containers.map((each) => [
      each.path,
      each.name ?? "",
      each.id ?? "",
      each.image ?? "",
      each.sha256 ?? "",
    ]),
    look,
  );
}
