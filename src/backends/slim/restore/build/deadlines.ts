import { armTimerFd } from "../files/event-files.js";
import { watchPaths } from "../files/inotify.js";
import type { DeadlineStep } from "../plan/deadlines.js";
import { armTimers } from "../timers.js";
import type { Builders } from "./builders.js";

export const DEADLINES: Builders<DeadlineStep> = {
  "arm timerfd": ({ image, files, used }, { objref }) =>
    armTimerFd(image.reader, files.file(objref), files.get(objref), used),
  "watch paths": ({ image, files }, { objref }) =>
    watchPaths(image.reader, files.file(objref), files.get(objref)),
  "arm timers"(context, { task }) {
    const { remote, process } = context.task(task);
    armTimers(remote, process, context.used);
  },
};
