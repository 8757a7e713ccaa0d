import type { SourceRange } from "../io/concat.js";
import { S_IFMT, S_IFREG } from "../linux/files.js";
import type { Checkpoint } from "./checkpoint.js";
import type { FilePiece, StoredContents } from "./stored-bytes.js";

/**
 * What pipes, sockets, message queues and deleted files hold, and System V segments whose contents are not pages. Errors:
 * FormatError.
 */
export function* storedContents(checkpoint: Checkpoint): Generator<StoredContents> {
  yield* pipes(checkpoint);
  yield* sockets(checkpoint);
  yield* deletedFiles(checkpoint);
  for (const { queues, segments } of checkpoint.ipcNamespaces) {
    for (const queue of queues)
      for (const [message, { pieces }] of [...queue.stored()].entries())
        yield {
          kind: "message queue",
          name: `message queue ${queue.id}`,
          message,
          pieces: () => inTurn(pieces),
        };
    for (const { id, inline } of segments)
      if (inline !== undefined)
        yield { kind: "SysV segment", name: `[SysV ${id}]`, pieces: () => inTurn([inline]) };
  }
}

function* pipes({ pipes: buffers, files }: Checkpoint): Generator<StoredContents> {
  const names = new Map<string, string>();
  for (const { pipeId, type, label } of files.all)
    if (pipeId !== undefined) names.set(`${type.toLowerCase()} ${pipeId}`, label);
  for (const { kind, pipeId, data } of buffers)
    if (data.length > 0)
      yield {
        kind,
        name: names.get(`${kind} ${pipeId}`) ?? `${kind}:[${pipeId}]`,
        pieces: () => inTurn(data),
      };
}

/** Bytes of a stream follow one another, messages do not. What several sockets of a damaged image name is told once. */
function* sockets({ files }: Checkpoint): Generator<StoredContents> {
  const seen = new Set<string>();
  const isFirst = (range: SourceRange | undefined): boolean => {
    if (range === undefined) return true;
    const key = `${range.source.name} ${range.offset}`;
    const known = seen.has(key);
    seen.add(key);
    return !known;
  };
  for (const { socket, label: name } of files.all) {
    if (socket === undefined) continue;
    const [oldest] = socket.received();
    if (!isFirst(oldest?.data[0])) continue;
    const packets = [...socket.received()].map(({ data }) => data);
    const kind = "received by socket";
    if (socket.type !== "STREAM")
      for (const [message, data] of packets.entries())
        yield { kind, name, message, pieces: () => inTurn(data) };
    else if (packets.length > 0) yield { kind, name, pieces: () => inTurn(packets.flat()) };
    const unsent = socket.connection()?.unsent ?? [];
    if (unsent.some(({ size }) => size > 0))
      yield { kind: "unsent by socket", name, pieces: () => inTurn(unsent) };
  }
}

/** Several paths may be of one file. Directories, links and special files hold nothing. */
function* deletedFiles(checkpoint: Checkpoint): Generator<StoredContents> {
  const seen = new Set<string>();
  for (const { ghost, path, keptIn } of checkpoint.deletedFiles) {
    if (ghost === undefined || (ghost.mode & S_IFMT) !== S_IFREG) continue;
    const key = `${ghost.origin.image} ${ghost.origin.record}`;
    if (!seen.has(key))
      yield { kind: "deleted file", name: path ?? keptIn, size: ghost.size, pieces: ghost.pieces };
    seen.add(key);
  }
}

function* inTurn(ranges: readonly SourceRange[]): Generator<FilePiece> {
  let at = 0;
  for (const range of ranges) {
    yield { ...range, at };
    at += range.size;
  }
}
