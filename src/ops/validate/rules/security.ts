import { enumName } from "../../../io/enums.js";
import {
  BPF_MAXINSNS,
  SECCOMP_MODE_FILTER,
  SECCOMP_MODES,
  SOCK_FILTER_BYTES,
} from "../../../linux/seccomp.js";
import type { SeccompFilter } from "../../../model/seccomp.js";
import type { ImageContext } from "../context.js";
import type { Rule } from "../finding.js";
import { threadRule } from "./tasks.js";

const FILTER_MODE = enumName(SECCOMP_MODES, SECCOMP_MODE_FILTER);
/** As cgroups(7) names a group: the controllers of its hierarchy, and a path from its root. */
const GROUP = /^[^:]*:\//;

/** Rules about seccomp filters and control groups. */
export const securityRules: readonly Rule<ImageContext>[] = [
  {
    id: "SECCOMP_CHAIN",
    level: "error",
    about: `A seccomp filter has an id of its own, 1 to ${BPF_MAXINSNS} instructions, and lies over none or over another filter of the image, never over itself.`,
    fix: "crimg edit --set gives it another predecessor; a damaged program is lost: checkpoint again.",
    *check(context) {
      const filters = context.share(filtersById);
      const isDone = new Set<SeccompFilter>();
      for (const filter of context.checkpoint.seccompFilters) {
        const { id, previous, bytes, origin } = filter;
        const at = context.placeOf(origin);
        if (filters.get(id) !== filter) yield { at, what: `duplicate id ${id} of a seccomp filter` };
        if (bytes === 0 || bytes % SOCK_FILTER_BYTES !== 0 || bytes > BPF_MAXINSNS * SOCK_FILTER_BYTES)
          yield {
            at,
            what: "invalid length of a seccomp program",
            expected: `1 to ${BPF_MAXINSNS} instructions of ${SOCK_FILTER_BYTES} bytes`,
            found: `${bytes} bytes`,
          };
        if (previous !== undefined && !filters.has(previous))
          yield {
            at,
            what: "missing seccomp filter below this one",
            expected: `filter ${previous}`,
            found: "none",
          };
        const walk = new Set<SeccompFilter>();
        for (let each: SeccompFilter | undefined = filter; each !== undefined && !isDone.has(each); ) {
          if (walk.has(each)) {
            yield { at, what: "the seccomp filter lies over itself", found: `filter ${each.id}` };
            break;
          }
          walk.add(each);
          each = each.previous === undefined ? undefined : filters.get(each.previous);
        }
        for (const each of walk) isDone.add(each);
      }
    },
  },
  threadRule(
    {
      id: "SECCOMP_FILTER",
      level: "error",
      about: "A thread in the filter mode of seccomp, and no other, names a filter of the image.",
      fix: "crimg edit --set gives the thread the number of a filter, or mode 0, in which nothing is filtered.",
    },
    function* ({ seccomp, seccompFilter, origin }, { pid }, context) {
      const at = context.placeOf(origin, { pid });
      const filter = seccompFilter === undefined ? undefined : context.share(filtersById).get(seccompFilter);
      if (seccomp === FILTER_MODE && filter === undefined)
        yield {
          at,
          what: "missing seccomp filter of a thread",
          expected: seccompFilter === undefined ? "a filter" : `filter ${seccompFilter}`,
          found: "none",
        };
      else if (seccomp !== FILTER_MODE && filter !== undefined)
        yield {
          at,
          what: "seccomp filter of a thread that is not in the filter mode; a restore leaves it out",
          expected: FILTER_MODE,
          found: seccomp,
          level: "warning",
        };
    },
  ),
  threadRule(
    {
      id: "LSM_LABEL",
      level: "error",
      about: "A thread has a security label only if the image says which security module wrote it.",
      fix: "crimg edit --set takes the label away; in a set inventory.img[0].lsmtype=NUMBER names the module.",
    },
    function* ({ credentials }, { pid }, context) {
      if (credentials?.lsmProfile !== undefined && context.share(securityModuleOf) === undefined)
        yield {
          at: context.placeOf(credentials.origin, { pid }),
          what: "security label without a security module",
          expected: "a security module",
          found: `label ${credentials.lsmProfile}`,
        };
    },
  ),
  {
    id: "CGROUP_PATH",
    level: "error",
    about:
      "Each set of control groups has an id of its own above 0, and its groups are absolute paths with their controllers.",
    fix: "crimg edit --cgroup OLD=NEW renames a group in all its places, --set gives a set another id.",
    *check(context) {
      const seen = new Set<number>();
      for (const { id, groups, origin } of context.checkpoint.controlGroupSets) {
        const at = context.placeOf(origin);
        if (id === 0)
          yield { at, what: "invalid id of a set of control groups", expected: "1 or more", found: "0" };
        else if (seen.has(id)) yield { at, what: `duplicate id ${id} of a set of control groups` };
        seen.add(id);
        for (const group of groups)
          if (!GROUP.test(group))
            yield { at, what: "invalid control group", expected: "controllers:/path", found: group };
      }
    },
  },
  threadRule(
    {
      id: "CGROUP_SET",
      level: "error",
      about: "The control groups of a thread are a set of the image, or those of whoever restores.",
      fix: "crimg edit --set gives the thread the number of a set that is there.",
    },
    function* ({ controlGroupSet: id, origin }, { pid }, context) {
      if (id !== undefined && !context.share(controlGroupIds).has(id))
        yield {
          at: context.placeOf(origin, { pid }),
          what: "missing set of control groups",
          expected: `set ${id}`,
          found: "none",
        };
    },
  ),
];

/** Of filters with one id the first. */
function filtersById({ checkpoint }: ImageContext): ReadonlyMap<number, SeccompFilter> {
  const filters = new Map<number, SeccompFilter>();
  for (const filter of checkpoint.seccompFilters) if (!filters.has(filter.id)) filters.set(filter.id, filter);
  return filters;
}

function securityModuleOf({ checkpoint }: ImageContext): string | undefined {
  return checkpoint.surroundings.securityModule;
}

function controlGroupIds({ checkpoint }: ImageContext): ReadonlySet<number> {
  return new Set(checkpoint.controlGroupSets.map(({ id }) => id));
}
