import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { LSMTYPE } from "../../../formats/criu/tables/inventory.js";
import { enumName } from "../../../io/enums.js";
import { SOCK_FILTER_BYTES } from "../../../linux/seccomp.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { tasksOf, threadIdsOf } from "../tasks.js";

const NO_LSM = 0;
/** Words of a capability set, capabilities(7). */
const CAPABILITY_WORDS = 2;
const SETS = ["cap_inh", "cap_prm", "cap_eff", "cap_bnd"] as const;

/** Rules about credentials, seccomp filters and control groups. */
export const securityRules: readonly Rule<SetContext>[] = [
  {
    id: "CREDS_MISSING",
    level: "error",
    about: "Each live thread has credentials.",
    mend: "Copy the core image again from where the set was made.",
    *check(context) {
      for (const task of context.share(tasksOf))
        for (const tid of threadIdsOf(task)) {
          const core = context.set.first(IMAGES.CORE, tid);
          if (core?.thread_core === undefined || core.thread_core.creds !== undefined) continue;
          if (context.set.first(IMAGES.CREDS, task.pid) === undefined)
            yield {
              at: {
                image: fileNameOf(IMAGES.CORE, tid),
                record: 0,
                field: "thread_core.creds",
                pid: task.pid,
              },
              what: "the credentials are missing",
            };
        }
    },
  },
  {
    id: "CREDS_WORDS",
    level: "error",
    about: "Capability sets have two words: criu reads no more, and refuses fewer.",
    mend: "crimg edit --set gives a set its words.",
    *check({ set }) {
      for (const tid of set.ids(IMAGES.CORE)) {
        const creds = set.first(IMAGES.CORE, tid)?.thread_core?.creds;
        if (creds === undefined) continue;
        const image = fileNameOf(IMAGES.CORE, tid);
        for (const field of SETS)
          if (creds[field].length !== CAPABILITY_WORDS)
            yield {
              at: { image, record: 0, field: `thread_core.creds.${field}` },
              what: "a capability set of the wrong length",
              expected: `${CAPABILITY_WORDS} words`,
              found: `${creds[field].length} words`,
            };
      }
    },
  },
  {
    id: "LSM_LABEL",
    level: "error",
    about: "A task has a security label only if the inventory says which security module wrote it.",
    mend: "Copy inventory.img again from where the set was made.",
    *check({ set }) {
      const type = set.first(IMAGES.INVENTORY)?.lsmtype ?? NO_LSM;
      if (type !== NO_LSM) return;
      for (const tid of set.ids(IMAGES.CORE)) {
        const label = set.first(IMAGES.CORE, tid)?.thread_core?.creds?.lsm_profile;
        if (label !== undefined)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, tid), record: 0, field: "thread_core.creds.lsm_profile" },
            what: "a label without a security module",
            expected: `lsmtype in ${IMAGES.INVENTORY.file}`,
            found: `${enumName(LSMTYPE, type)}, label ${label}`,
          };
      }
    },
  },
  {
    id: "SECCOMP_CHAIN",
    level: "error",
    about: "Seccomp filters are laid over one another without a cycle, and each is whole instructions.",
    mend: "Copy seccomp.img again from where the set was made.",
    *check({ set }) {
      const filters = set.first(IMAGES.SECCOMP)?.seccomp_filters ?? [];
      const done = new Set<number>();
      for (const [start, { filter }] of filters.entries()) {
        const at = { image: IMAGES.SECCOMP.file, record: 0, field: `seccomp_filters[${start}]` };
        if (filter.length === 0 || filter.length % SOCK_FILTER_BYTES !== 0)
          yield { at, what: "no whole number of instructions", found: `${filter.length} bytes` };
        const walk = new Set<number>();
        for (let i: number | undefined = start; i !== undefined && !done.has(i); i = filters[i]?.prev) {
          if (walk.has(i)) {
            yield { at, what: "the filter is laid over itself", found: `filter ${i}` };
            break;
          }
          walk.add(i);
        }
        for (const i of walk) done.add(i);
      }
    },
  },
  {
    id: "CGROUP_MEMBER",
    level: "error",
    about: "A control group is an absolute path of a controller that cgroup.img describes.",
    mend: "Copy cgroup.img again from where the set was made; crimg edit --cgroup OLD=NEW renames a group in all its places.",
    *check({ set }) {
      const entry = set.first(IMAGES.CGROUP);
      if (entry === undefined) return;
      const known = new Set(entry.controllers.map(({ cnames }) => cnames.join(",")));
      for (const [s, { ctls }] of entry.sets.entries())
        for (const [c, { name, path, cgns_prefix }] of ctls.entries()) {
          const at = { image: IMAGES.CGROUP.file, record: 0, field: `sets[${s}].ctls[${c}]`, path };
          if (!known.has(name)) {
            const expected = [...known].map((each) => each || "cgroup2").join(" ");
            yield { at, what: "no such controller", expected, found: name || "cgroup2" };
          }
          if (!path.startsWith("/")) yield { at, what: "the path is not absolute", found: path };
          if ((cgns_prefix ?? 0) > Buffer.byteLength(path))
            yield {
              at,
              what: "cgns_prefix is longer than the path",
              expected: `at most ${Buffer.byteLength(path)}`,
              found: String(cgns_prefix),
            };
        }
    },
  },
];
