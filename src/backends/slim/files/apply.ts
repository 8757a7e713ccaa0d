import { O_CLOEXEC, O_PATH_DIRECTORY } from "../../../linux/open-flags.js";
import type { Appliers, RestoreContext } from "../restore/context.js";
import type { ConnectionStep } from "../sockets/plan.js";
import { SYS } from "../sys/abi-x64.js";
import { withRightsOf } from "../sys/file-user.js";
import { attempt, cString, openPath } from "../sys/syscall.js";
import { watchAgain } from "./epoll.js";
import { setOwner } from "./owners.js";
import type { DirectoryStep, FileStep, OwnerStep, WatchStep } from "./plan.js";

export const FILES: Appliers<FileStep> = {
  file: (context, { objref }) => void context.files.get(objref),
  descriptor: (context, { task, fd, objref, closeOnExec }) =>
    context.task(task).transfer.place(context.files.get(objref), fd, closeOnExec),
};

export const DIRECTORIES: Appliers<DirectoryStep> = {
  "root directory"(context, { task, path }) {
    const { remote, transfer } = context.task(task);
    const directory = openDirectory(context, path);
    try {
      transfer.lend(directory, (fd) => void remote.call("enter its root directory", SYS.fchdir, fd));
      remote.call("set its root directory", SYS.chroot, remote.put(cString(".")));
    } finally {
      attempt(SYS.close, directory);
    }
  },
  "working directory"(context, { task, path, file }) {
    const { remote, transfer } = context.task(task);
    const enter = (own: number): void =>
      transfer.lend(own, (fd) => void remote.call("enter its working directory", SYS.fchdir, fd));
    if (file !== 0) {
      enter(context.files.get(file));
      return;
    }
    const directory = openDirectory(context, path);
    try {
      enter(directory);
    } finally {
      attempt(SYS.close, directory);
    }
  },
  umask: (context, { task, umask }) => void context.task(task).remote.call("set its umask", SYS.umask, umask),
};

function openDirectory({ files }: RestoreContext, path: string): number {
  return withRightsOf(files.user, () => openPath(path, O_PATH_DIRECTORY | O_CLOEXEC));
}

export const OWNERS: Appliers<OwnerStep> = {
  owner: ({ files }, { objref, owner, isAsync }) => setOwner(files.get(objref), owner, isAsync),
};

export const WATCHES: Appliers<WatchStep> = {
  watch(context, { task, fd, objref }) {
    const { process, transfer } = context.task(task);
    const table = context.image.table(process.objects?.files_objref ?? 0);
    const byNumber = new Map(table.map((each) => [each.fd, each.objref]));
    watchAgain(transfer, context.image.reader, context.files, { fd, objref }, byNumber);
  },
  "close fd transfer": (context, { task }) => context.task(task).transfer.end(),
};

export const CONNECTIONS: Appliers<ConnectionStep> = {
  "settle sockets": ({ files }) => files.sockets.settle(),
};
