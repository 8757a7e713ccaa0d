import { type Image, tableOwners } from "../image.js";
import type { StepBase } from "./step.js";

/** What needs the descriptors of all tasks in place. */
export type WatchStep =
  | (StepBase & { readonly kind: "watch"; readonly fd: number; readonly objref: number })
  | (StepBase & { readonly kind: "close fd transfer" });

const EPOLL = 6;

/** Interest lists of epoll instances, each in the first task that has the instance; then no more descriptors are taken. */
export function watchSteps(image: Image): WatchStep[] {
  const done = new Set<number>();
  const steps: WatchStep[] = [];
  for (const { process, objects } of tableOwners(image))
    for (const { fd, objref } of image.table(objects.files_objref)) {
      if (image.files.get(objref)?.record.f_type !== EPOLL || done.has(objref)) continue;
      done.add(objref);
      steps.push({ kind: "watch", task: process.ids.pid, fd, objref, what: `fill the epoll instance ${fd}` });
    }
  for (const { process } of tableOwners(image))
    steps.push({
      kind: "close fd transfer",
      task: process.ids.pid,
      what: "close its way to the descriptors of crimg",
    });
  return steps;
}
