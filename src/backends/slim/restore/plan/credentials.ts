import { type Image, liveProcesses } from "../image.js";
import type { ImageThread } from "../image-task.js";
import type { StepBase } from "./step.js";

/** What a thread may do, credentials(7): nothing that needs more may come after. */
export type CredentialStep = StepBase & { readonly kind: "credentials"; readonly thread: ImageThread };

/** Other threads before the leader of each process. */
export function credentialSteps(image: Image): CredentialStep[] {
  return liveProcesses(image).flatMap(({ process: { ids, threads } }) =>
    [...threads.slice(1), ...threads.slice(0, 1)].map((thread) => ({
      kind: "credentials",
      task: ids.pid,
      thread,
      what: `become user ${thread.credentials.uid}, group ${thread.credentials.gid} in thread ${thread.tid}`,
    })),
  );
}
