import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { tasksByTid, tasksOf, threadIdsOf } from "../tasks.js";

/** Words of a capability set, capabilities(7). */
const CAPABILITY_WORDS = 2;
const SETS = ["cap_inh", "cap_prm", "cap_eff", "cap_bnd"] as const;

/** Rules about how credentials and control groups are stored. */
export const securityRules: readonly Rule<SetContext>[] = [
  {
    id: "CREDS_MISSING",
    level: "error",
    about: "Each live thread has credentials.",
    fix: "A restore gives rights by them: take the core image of this thread as it was dumped.",
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
    fix: "crimg edit --set gives a set its words.",
    *check(context) {
      const { set } = context;
      for (const tid of context.share(tasksByTid).keys()) {
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
    id: "CGROUP_MEMBER",
    level: "error",
    about: "A control group is one of a hierarchy that cgroup.img describes.",
    fix: "crimg edit --cgroup OLD=NEW renames a group in all its places, --set corrects its controllers.",
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
