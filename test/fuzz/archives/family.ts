import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { viewLines } from "../../../src/cli/show/lines.js";
import { summaryLines } from "../../../src/cli/show/summary.js";
import { chunksOf } from "../../../src/io/digest.js";
import { listCheckpoints } from "../../../src/list.js";
import type { Document } from "../../../src/model/document.js";
import { openDocument } from "../../../src/open.js";
import { ARCHIVE_FORMS, archiveOf } from "../../../src/ops/convert/to-archive/to-archive.js";
import { editedBytes } from "../../../src/ops/edit/apply.js";
import { planEdits } from "../../../src/ops/edit/plan-edits.js";
import { summaryView } from "../../../src/ops/show/summary.js";
import { CONTAINER_VIEWS, VIEWS } from "../../../src/ops/show/views.js";
import {
  containerdLayout,
  containerTar,
  ociLayout,
  setEntries,
  shards,
  tarOf,
  tickerTar,
} from "../../helpers/packages.js";
import { longName, pax, tar } from "../../helpers/tar.js";
import { LOOK, shown, shownJson } from "../answers.js";
import { type Family, type Making, type Mutant, type Operation, steps } from "../family.js";
import type { Random } from "../random.js";

const BLOCK = 512;
/** Fields of a header that decide what is read, as offset and size. */
const FIELDS = [
  [0, 100],
  [124, 12],
  [156, 1],
  [157, 100],
  [257, 8],
  [345, 155],
] as const;
const SPEC = '{"annotations":{"io.container.manager":"cri-o"},"mounts":[{"type":"bind"}]}';
const SPARSE = pax({ path: "a", "GNU.sparse.size": "20", "GNU.sparse.map": "0,5,10,5" });

/** An edit of each part of an archive: images, files of engines, changed files. */
const EDITS = [
  ["remap-path", "/var/lib/crimg-demo=/srv/elsewhere"],
  ["hostname", "other"],
  ["rootfs-add", "/etc/new=/etc/passwd"],
  ["rootfs-drop", "/log"],
] as const;

const BASES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ["podman", tickerTar()],
  ["cri-o", containerTar("logger", { "spec.dump": SPEC, "config.dump": '{"newPortMappings":[{}]}' })],
  ["oci", tarOf(ociLayout(containerTar("logger")))],
  [
    "containerd",
    tarOf(containerdLayout(tar(setEntries("logger")), "{}", gzipSync(tar([{ name: "etc/.wh.x" }])))),
  ],
  [
    "pax",
    tar([
      SPARSE,
      { name: "b", content: "1234567890" },
      longName("z".repeat(150)),
      { name: "c" },
      ...setEntries("logger"),
    ]),
  ],
  [
    "pod",
    tarOf({ "checkpoint-manifest.json": '{"containers":[{"archive":"a"}]}', a: containerTar("logger") }),
  ],
  [
    "stream",
    shards(
      Object.fromEntries(setEntries("logger").map(({ name, content }) => [name, content as Buffer])),
      1,
    )[0] as Buffer,
  ],
];

/** Archives of container engines with headers and contents changed, or cut off; some compressed. */
export const ARCHIVES: Family = {
  name: "archives",
  share: 8,
  mutant(making: Making): Mutant {
    const { random, scratch } = making;
    const [base, original] = random.pick(BASES);
    let bytes = Buffer.from(original);
    const told = steps(making, (each) => {
      const [changed, what] = changeArchive(bytes, each);
      bytes = changed;
      return what;
    });
    const file = join(scratch, "mutant.tar");
    writeFileSync(file, random.chance(0.1) ? gzipSync(bytes) : bytes);
    return {
      steps: [base, ...told],
      operations: operations(file),
      digest: () => createHash("sha256").update(readFileSync(file)).digest("hex"),
    };
  },
};

/** One change; the checksum of a changed header is mostly made right, so that what is behind it is read. */
function changeArchive(original: Buffer, random: Random): [bytes: Buffer<ArrayBuffer>, what: string] {
  const bytes = Buffer.from(original);
  if (random.chance(0.15)) {
    const size = random.below(bytes.length);
    return [Buffer.from(bytes.subarray(0, size)), `cut off at ${size}`];
  }
  const block = random.below(Math.min(80, Math.floor(bytes.length / BLOCK))) * BLOCK;
  const [field, size] = random.pick(FIELDS);
  const at = random.chance(0.3) ? random.below(bytes.length) : block + field + random.below(size);
  const value = random.pick([random.below(256), 0x30 + random.below(10), 0, 0xff]);
  bytes[at] = value;
  if (random.chance(0.8) && bytes.toString("latin1", block + 257, block + 262) === "ustar")
    mendChecksum(bytes, block);
  return [bytes, `byte ${at} = ${value}`];
}

function mendChecksum(bytes: Buffer, block: number): void {
  bytes.fill(" ", block + 148, block + 156);
  const sum = bytes.subarray(block, block + BLOCK).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, block + 148, "latin1");
}

function operations(file: string): Operation[] {
  const on = (name: string, run: (document: Document) => unknown): Operation => ({
    name,
    run() {
      const document = openDocument(file);
      try {
        run(document);
      } finally {
        document.close();
      }
    },
  });
  return [
    on("show", (document) => shown(summaryLines(summaryView(document), LOOK))),
    ...CONTAINER_VIEWS.map((view) =>
      on(`show ${view}`, (document) => shown(viewLines(view, VIEWS[view](document), LOOK))),
    ),
    ...EDITS.map(([kind, text]) =>
      on(`edit --${kind}`, (document) => {
        const plan = planEdits(document, [{ kind, text }]);
        if (plan.splices.size > 0 && document.family === "criu") for (const _ of editedBytes(document, plan));
      }),
    ),
    ...ARCHIVE_FORMS.map((form) =>
      on(`convert --as ${form}`, (document) => {
        const { content } = archiveOf(document, form, "none");
        for (const _ of Symbol.iterator in content ? content : chunksOf(content));
      }),
    ),
    { name: "list", run: () => shownJson([...listCheckpoints(file)]) },
  ];
}
