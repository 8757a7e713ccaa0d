import { watchAgain } from "../epoll.js";
import type { WatchStep } from "../plan/watches.js";
import type { Builders } from "./builders.js";

export const WATCHES: Builders<WatchStep> = {
  watch(work, { task, fd, objref }) {
    const { process, handOver } = work.site(task);
    const table = work.image.table(process.objects?.files_objref ?? 0);
    const byNumber = new Map(table.map((each) => [each.fd, each.objref]));
    watchAgain(handOver, work.image.reader, work.files, { fd, objref }, byNumber);
  },
  "close hand-over": (work, { task }) => work.site(task).handOver.end(),
};
