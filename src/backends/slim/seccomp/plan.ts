import { SECCOMP_MODE_STRICT } from "../../../linux/seccomp.js";
import { type Image, liveProcesses } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import type { ImageThread } from "../tasks/image.js";

/**
 * Filters of system calls, seccomp(2). They bind a thread only when it is let go: crimg, which traces it, holds them off.
 */
export type SeccompStep =
  | (StepBase & { readonly kind: "seccomp of all"; readonly filters: readonly number[] })
  | (StepBase & {
      readonly kind: "seccomp";
      readonly thread: ImageThread;
      readonly filters: readonly number[];
    });

/** Filters that all threads of a process have are one object, as where they were made; then what single threads added. */
export function seccompSteps(image: Image): SeccompStep[] {
  return liveProcesses(image).flatMap(({ process: { ids, threads } }): SeccompStep[] => {
    const chains = threads.map(({ extra }) => image.filterChain(extra?.seccomp_filter ?? 0));
    const [first = []] = chains;
    const common = first.filter((ref, i) => chains.every((chain) => chain[i] === ref));
    const steps: SeccompStep[] = [];
    if (threads.length > 1 && common.length > 0)
      steps.push({
        kind: "seccomp of all",
        task: ids.pid,
        filters: common,
        what: `install ${common.length} seccomp filters in all its threads`,
      });
    const done = threads.length > 1 ? common.length : 0;
    for (const [i, thread] of threads.entries()) {
      const filters = chains[i]?.slice(done) ?? [];
      const isStrict = thread.extra?.seccomp_mode === SECCOMP_MODE_STRICT;
      if (filters.length > 0 || isStrict)
        steps.push({
          kind: "seccomp",
          task: ids.pid,
          thread,
          filters,
          what: isStrict
            ? `set strict seccomp mode in thread ${thread.tid}`
            : `install ${filters.length} seccomp filters in thread ${thread.tid}`,
        });
    }
    return steps;
  });
}
