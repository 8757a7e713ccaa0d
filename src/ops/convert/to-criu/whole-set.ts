import { IMAGES } from "../../../formats/criu/images.js";
import { CGROUP_ENTRY, type CgSetEntry } from "../../../formats/criu/tables/cgroup.js";
import { INVENTORY_ENTRY, LSMTYPE } from "../../../formats/criu/tables/inventory.js";
import { TIMENS_ENTRY } from "../../../formats/criu/tables/ns.js";
import { SECCOMP_ENTRY } from "../../../formats/criu/tables/seccomp.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import { encodeSeccompFilters } from "../../../model/criu/seccomp.js";
import { decodeSecurityModule } from "../../../model/linux-cr/credentials.js";
import type { ToCriu } from "./context.js";
import { ROOT_IDS } from "./namespaces.js";

/** Head magics are there, pages are not compressed. */
const IMG_VERSION = 2;
const CLOCKS_KNOWN = 2;

/** The images of which a set has one, besides those of the tree and the files. */
export function writeWholeSet(context: ToCriu, head: Part): void {
  context.set.add(IMAGES.INVENTORY, undefined, INVENTORY_ENTRY, {
    img_version: IMG_VERSION,
    fdinfo_per_id: true,
    root_ids: ROOT_IDS,
    ns_per_id: true,
    root_cg_set: context.rootCgroupSet(),
    lsmtype: securityModule(context),
    network_lock_method: 0,
  });
  writeClocks(context, head);
  writeSeccomp(context);
  writeCgroups(context);
}

/** Only labels make it matter which security module there was. */
function securityModule({ reader }: ToCriu): number {
  const hasLabels = [...reader.objects("SECURITY")].length > 0;
  const name = hasLabels ? decodeSecurityModule(reader) : undefined;
  return LSMTYPE.values.get(name?.toUpperCase() ?? "NO_LSM") ?? (LSMTYPE.values.get("NO_LSM") as number);
}

function writeClocks({ reader, set }: ToCriu, head: Part): void {
  const clocks = reader.find(head, RECORDS.CLOCKS)?.value;
  if (clocks === undefined || (clocks.flags & CLOCKS_KNOWN) === 0) return;
  const time = (ns: bigint) => ({ tv_sec: ns / NSEC_PER_SEC, tv_nsec: ns % NSEC_PER_SEC });
  set.add(IMAGES.TIMENS, 0, TIMENS_ENTRY, {
    monotonic: time(clocks.monotonic_ns),
    boottime: time(clocks.boottime_ns),
  });
}

function writeSeccomp({ checkpoint, set }: ToCriu): void {
  set.add(IMAGES.SECCOMP, undefined, SECCOMP_ENTRY, encodeSeccompFilters(checkpoint.seccompFilters));
}

function writeCgroups({ checkpoint, set }: ToCriu): void {
  const sets = checkpoint.controlGroupSets.map(
    ({ id, groups }): CgSetEntry => ({
      id,
      ctls: groups
        .filter((line) => line.includes(":"))
        .map((line) => ({ name: line.slice(0, line.indexOf(":")), path: line.slice(line.indexOf(":") + 1) })),
    }),
  );
  if (sets.length === 0) return;
  const paths = new Map<string, Set<string>>();
  for (const { name, path } of sets.flatMap(({ ctls }) => ctls))
    paths.set(name, (paths.get(name) ?? new Set()).add(path.replace(/^\/+/, "")));
  set.add(IMAGES.CGROUP, undefined, CGROUP_ENTRY, {
    sets,
    controllers: [...paths].map(([name, dirs]) => ({
      cnames: name.split(","),
      dirs: [...dirs].map((dir_name) => ({ dir_name, children: [], properties: [] })),
    })),
  });
}
