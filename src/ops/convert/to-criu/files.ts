import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import type { OpenFile } from "../../../model/open-file.js";
import { memfd, specialFile } from "./anonymous-files.js";
import type { ToCriu } from "./context.js";
import { Descriptors } from "./descriptors.js";
import { writeLocks } from "./file-locks.js";
import { fifo, pipe } from "./pipes.js";
import { regularFile } from "./regular-files.js";
import { socket } from "./sockets.js";
import { type OtherFiles, type StreamFile, streamFile } from "./stream-file.js";
import { terminal } from "./terminals.js";

const CONVERTERS: Readonly<Record<number, (file: StreamFile) => void>> = {
  [FILE_TYPE.generic]: regularFile,
  [FILE_TYPE.pipe]: pipe,
  [FILE_TYPE.fifo]: fifo,
  [FILE_TYPE.socket]: socket,
  [FILE_TYPE.terminal]: terminal,
  [FILE_TYPE.epoll]: specialFile,
  [FILE_TYPE.eventfd]: specialFile,
  [FILE_TYPE.timerfd]: specialFile,
  [FILE_TYPE.signalfd]: specialFile,
  [FILE_TYPE.memfd]: memfd,
  [FILE_TYPE.inotify]: specialFile,
};

/** All open files with what belongs to them, the descriptor tables, and the locks. */
export function convertFiles(context: ToCriu): void {
  const { reader, checkpoint } = context;
  const files = [...reader.objects("FILE")];
  const descriptors = new Descriptors(context);
  const others: OtherFiles = {
    ghosts: new Map(),
    openSockets: new Set(files.flatMap((part) => reader.get(part, RECORDS.FILE).value.sock_objref ?? [])),
  };
  for (const [i, part] of files.entries()) {
    const file = checkpoint.files.all[i] as OpenFile;
    convertFile(streamFile(context, part, file, descriptors.holder(part), others));
  }
  descriptors.write();
  writeLocks(context, checkpoint);
}

/** Errors: FormatError for a kind of file that no header set names. */
function convertFile(file: StreamFile): void {
  const convert = CONVERTERS[file.value.f_type];
  if (convert === undefined) {
    const [record = 0] = (file.part as Part).records;
    throw file.context.reader.image.error(
      record,
      `${file.label} is of the unknown kind ${file.value.f_type}`,
    );
  }
  convert(file);
}
