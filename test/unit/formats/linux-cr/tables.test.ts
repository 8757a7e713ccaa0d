import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { idOf, layoutOf, type RecordKind } from "../../../../src/formats/linux-cr/record-kind.js";
import { RECORDS, recordKinds } from "../../../../src/formats/linux-cr/records.js";
import {
  ARCHITECTURES,
  type ArchFamily,
  type Architecture,
  archNumbering,
  COMMITS,
  type Commit,
  objectTypes,
} from "../../../../src/formats/linux-cr/revisions.js";
import { CAPABILITIES } from "../../../../src/formats/linux-cr/tables/creds.js";
import { EPOLL_ITEM } from "../../../../src/formats/linux-cr/tables/files.js";
import * as HEAD from "../../../../src/formats/linux-cr/tables/head.js";
import { IPC_PERMS, IPC_PERMS_0ABE2FE } from "../../../../src/formats/linux-cr/tables/ipc.js";
import { NETDEV_ADDR } from "../../../../src/formats/linux-cr/tables/namespaces.js";
import * as SIGNALS from "../../../../src/formats/linux-cr/tables/signals.js";
import type { StructTable } from "../../../../src/schema/struct.js";
import { suite } from "../../../helpers/suite.js";

interface Fact {
  readonly record: string;
  readonly arch?: ArchFamily;
  readonly fileType?: number;
  /** The first and the last header set with this layout. */
  readonly commits: readonly [first: Commit, last: Commit];
  readonly size: number;
  readonly fields: string;
}

interface Facts {
  readonly layouts: readonly Fact[];
  readonly embedded: readonly (Omit<Fact, "record"> & { readonly struct: string })[];
  readonly ids: Readonly<Record<Commit, string>>;
  readonly objectTypes: Readonly<Record<Commit, string>>;
  readonly architectures: Readonly<Record<Commit, string>>;
}

const FACTS = JSON.parse(
  readFileSync(new URL("../../../../fixtures/linux-cr/layouts.json", import.meta.url), "utf8"),
) as Facts;
const test = suite("linux-cr: tables against the measured layouts");

const KINDS = RECORDS as Readonly<Record<string, RecordKind>>;
const FAMILY: Readonly<Record<ArchFamily, Architecture>> = {
  x86: ARCHITECTURES.X86_64,
  s390: ARCHITECTURES.S390X,
  powerpc: ARCHITECTURES.PPC64,
  arm: ARCHITECTURES.ARM,
};

/** `name type @offset:bytes` of every field, those of inner structures with their path. */
function flatten(table: StructTable, prefix = "", start = 0): string[] {
  return Object.entries(table.fields).flatMap(([name, field]) => {
    const offset = start + field.offset;
    const path = `${prefix}${name}`;
    const isRepeated = field.count !== undefined;
    if (typeof field.type === "object" && !isRepeated && field.type.name !== "linger")
      return flatten(field.type, `${path}.`, offset);
    const isWord = typeof field.type === "string" && !["bytes", "text"].includes(field.type) && !isRepeated;
    return [`${path}${isWord ? ` ${field.type}` : ""} @${offset}:${field.size * (field.count ?? 1)}`];
  });
}

for (const { record, arch, fileType, commits, size, fields } of FACTS.layouts)
  for (const commit of COMMITS.slice(COMMITS.indexOf(commits[0]), COMMITS.indexOf(commits[1]) + 1))
    test(`${record}${fileType === undefined ? "" : `/${fileType}`} of ${commit}${arch === undefined ? "" : ` on ${arch}, ${size}`}`, () => {
      const kind = KINDS[record];
      assert.ok(kind, `there is no row ${record}`);
      const table = layoutOf(kind, { commit, arch: FAMILY[arch ?? "x86"] }, size, fileType);
      assert.is(table?.size ?? 8, size);
      assert.is(table === undefined ? "" : flatten(table).join("; "), fields);
    });

const EMBEDDED: Readonly<Record<string, readonly StructTable[]>> = {
  ckpt_const: [HEAD.CONSTANTS_0ABE2FE, HEAD.CONSTANTS_67CFEE9, HEAD.CONSTANTS],
  ckpt_pids: [HEAD.TASK_PIDS_0ABE2FE, HEAD.TASK_PIDS_C83F38B, HEAD.TASK_PIDS_78D18CF],
  ckpt_task_pids: [HEAD.TASK_PIDS],
  ckpt_capabilities: [CAPABILITIES],
  ckpt_hdr_ipc_perms: [IPC_PERMS_0ABE2FE, IPC_PERMS],
  ckpt_eventpoll_item: [EPOLL_ITEM],
  ckpt_sigaction: [SIGNALS.SIGACTION],
  ckpt_siginfo: [SIGNALS.SIGINFO_0ABE2FE, SIGNALS.SIGINFO],
  ckpt_rlimit: [SIGNALS.RLIMIT],
  ckpt_netdev_addr: [NETDEV_ADDR],
};

for (const [i, { struct, size, fields, commits }] of FACTS.embedded.entries())
  test(`${struct} from ${commits[0]}`, () => {
    const nth = FACTS.embedded.slice(0, i).filter((fact) => fact.struct === struct).length;
    const table = EMBEDDED[struct]?.[nth];
    assert.ok(table, `there is no table for ${struct}`);
    assert.is(table.size, size);
    assert.is(flatten(table).join("; "), fields);
  });

for (const commit of COMMITS) {
  test(`ids of ${commit}`, () => {
    const ours = [...recordKinds(commit)]
      .filter(([, kind]) => !kind.certainty?.startsWith("our "))
      .map(([id, { name }]) => `${name}=${id}`);
    assert.equal(ours.sort(), (FACTS.ids[commit] ?? "").split(" ").sort());
  });
  test(`object types and architectures of ${commit}`, () => {
    assert.is(
      objectTypes(commit)
        .map((type, i) => `${type}=${i}`)
        .join(" "),
      FACTS.objectTypes[commit],
    );
    assert.is(
      archNumbering(commit)
        .map((arch, i) => `${arch}=${i + 1}`)
        .join(" "),
      FACTS.architectures[commit],
    );
  });
}

test("no two kinds share an id in one header set, and every row says what it is", () => {
  for (const commit of COMMITS) {
    const ids = Object.values(KINDS).flatMap((kind) => idOf(kind, commit) ?? []);
    assert.is(new Set(ids).size, ids.length, commit);
  }
  for (const [name, kind] of Object.entries(KINDS)) {
    assert.is(kind.name, name);
    assert.ok(kind.doc.length > 5, name);
  }
});

test.run();
