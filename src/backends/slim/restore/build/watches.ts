import { watchAgain } from "../epoll.js";
import type { WatchStep } from "../plan/watches.js";
import type { Builders } from "./builders.js";

export const WATCHES: Builders<WatchStep> = {
  watch(context, { task, fd, objref }) {
    const { process, transfer } = context.task(task);
    const table = context.image.table(process.objects?.files_objref ?? 0);
    const byNumber = new Map(table.map((each) => [each.fd, each.objref]));
    watchAgain(transfer, context.image.reader, context.files, { fd, objref }, byNumber);
  },
  "close fd transfer": (context, { task }) => context.task(task).transfer.end(),
};
