import type { Job } from "./jobs.js";

/**
 * Runs all jobs side by side: as many that keep a core busy as there are cores, and in all twice as many, since the others
 * mostly wait. Those that must be alone come last, one at a time.
 */
export async function runAll(
  jobs: readonly Job[],
  cores: number,
  run: (job: Job) => Promise<void>,
): Promise<void> {
  const queue = jobs.filter(({ runs }) => runs !== "alone");
  let [busy, waiting, hasTerminals] = [0, 0, false];
  const next = (): Job | undefined => {
    const at = queue.findIndex(
      ({ runs, opensTerminals }) => (runs === "waits" || busy < cores) && !(opensTerminals && hasTerminals),
    );
    return at < 0 || busy + waiting >= 2 * cores ? undefined : queue.splice(at, 1)[0];
  };
  await new Promise<void>((done, failed) => {
    const fill = (): void => {
      for (let job = next(); job !== undefined; job = next()) {
        const isBusy = job.runs === "cpu";
        if (isBusy) busy++;
        else waiting++;
        const { opensTerminals } = job;
        hasTerminals ||= opensTerminals;
        run(job).then(() => {
          if (isBusy) busy--;
          else waiting--;
          hasTerminals &&= !opensTerminals;
          fill();
        }, failed);
      }
      if (queue.length + busy + waiting === 0) done();
    };
    fill();
  });
  for (const job of jobs) if (job.runs === "alone") await run(job);
}
